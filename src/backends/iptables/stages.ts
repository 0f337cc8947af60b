// What is done to the kernel, step by step. A stage of rules takes effect at once and as a whole; of a stage of sets each line takes
// effect by itself, in order.

import type { Family } from "../../net/address.ts";
import type { BuiltInChain, Chain, IpSet, Rule } from "./ruleset.ts";
import { createText, ruleText, sortedElements } from "./text.ts";

export type Stage =
  /** New sets that nothing looks up yet, with their elements. */
  | { readonly kind: "create-sets"; readonly sets: readonly IpSet[] }
  | { readonly kind: "change-elements"; readonly changes: readonly ElementsChange[] }
  | RulesStage
  /** Nothing looks them up any more. */
  | { readonly kind: "destroy-sets"; readonly sets: readonly string[] };

export interface ElementsChange {
  readonly set: string;
  readonly action: "add" | "del";
  readonly elements: readonly string[];
}

/** One `iptables-restore --noflush`. */
export interface RulesStage {
  readonly kind: "rules";
  readonly family: Family;
  /** Get these rules, and are made where they are not there. */
  readonly write: readonly Chain[];
  readonly remove: readonly string[];
  /** Jumps in built-in chains that go. One that is there several times is named as often. */
  readonly unhook: readonly Jump[];
  /** Become the first rule of their chain. */
  readonly hook: readonly Jump[];
}

export interface Jump {
  readonly chain: BuiltInChain;
  readonly rule: Rule;
}

export function isEmptyStage(stage: Stage): boolean {
  switch (stage.kind) {
    case "create-sets":
    case "destroy-sets":
      return stage.sets.length === 0;
    case "change-elements":
      return stage.changes.length === 0;
    case "rules":
      return stage.write.length + stage.remove.length + stage.unhook.length + stage.hook.length === 0;
  }
}

/** The input of `ipset restore`, or of `iptables-restore --noflush` (`ip6tables-restore` for family 6). */
export function stageText(stage: Stage): string {
  switch (stage.kind) {
    case "create-sets":
      return lines(stage.sets.flatMap((set) => [createText(set), ...addLines(set)]));
    case "change-elements":
      return lines(
        stage.changes.flatMap(({ set, action, elements }) => elements.map((each) => `${action} ${set} ${each}`)),
      );
    case "destroy-sets":
      return lines(stage.sets.map((set) => `destroy ${set}`));
    case "rules":
      return lines(rulesLines(stage));
  }
}

function addLines(set: IpSet): string[] {
  return sortedElements(set).map((element) => `add ${set.name} ${element}`);
}

/** Chains that go are emptied first: they may name each other. */
function rulesLines({ family, write, remove, unhook, hook }: RulesStage): string[] {
  return [
    "*filter",
    ...[...write.map(({ name }) => name), ...remove].map((name) => `:${name} - [0:0]`),
    ...write.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${ruleText(rule, family)}`)),
    ...unhook.map(({ chain, rule }) => `-D ${chain} ${ruleText(rule, family)}`),
    ...hook.map(({ chain, rule }) => `-I ${chain} 1 ${ruleText(rule, family)}`),
    ...remove.map((name) => `-X ${name}`),
    "COMMIT",
  ];
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

/** What the stages count to in reports. */
export function stagesSize(stages: readonly Stage[]): { readonly operations: number; readonly elements: number } {
  let operations = 0;
  let elements = 0;
  for (const stage of stages) {
    switch (stage.kind) {
      case "create-sets":
        operations += stage.sets.length;
        for (const set of stage.sets) elements += set.elements.size;
        break;
      case "change-elements":
        for (const change of stage.changes) elements += change.elements.length;
        operations += stage.changes.length;
        break;
      case "destroy-sets":
        operations += stage.sets.length;
        break;
      case "rules":
        operations += stage.write.length + stage.remove.length + stage.unhook.length + stage.hook.length;
        break;
    }
  }
  return { operations, elements };
}
