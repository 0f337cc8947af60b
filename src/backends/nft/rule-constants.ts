// What the rules compare packets with, addresses excepted: nft's words, as numbers.

import type { ConstantsSink } from "../node-rules.ts";
import { fieldsOf, isAddressField } from "./address-tests.ts";
import type { Expression, Field, Rule, Ruleset } from "./ruleset.ts";
import { connectionStateNamed, icmpv6TypeNumber, protocolNumberOf } from "./words.ts";

export function addRuleConstants(ruleset: Ruleset, rule: Rule, constants: ConstantsSink): void {
  for (const statement of rule.statements) {
    if (statement.kind === "match") {
      const { left, right } = statement;
      addComparison(left, right.kind === "values" ? right.values : keysOf(ruleset, right.name), constants);
    } else if (statement.kind === "vmap") {
      const { key, map } = statement;
      const elements = map.kind === "values" ? map.entries.map(({ element }) => element) : keysOf(ruleset, map.name);
      addComparison(key, elements, constants);
    }
  }
}

/** Of a set that does not exist none: the tracer says so where a packet gets there. */
function keysOf(ruleset: Ruleset, name: string): Iterable<string> {
  const set = ruleset.sets.get(name);
  if (set === undefined) return [];
  return set.kind === "map" ? set.elements.keys() : set.elements;
}

function addComparison(left: Expression, elements: Iterable<string>, constants: ConstantsSink): void {
  if (left.kind === "masked" && left.field === "tcp flags") {
    constants.addFlagTest(left.mask, [...elements]);
    return;
  }
  const fields = fieldsOf(left);
  if (fields.every(isAddressField)) return;
  // Ports beside an address are constants of that address: the prover takes them from the address's own answers.
  if (fields.some(isAddressField) && fields.includes("th dport")) return;
  for (const element of elements) {
    for (const [index, word] of element.split(" . ").entries()) addWord(fields[index] as Field, word, constants);
  }
}

/** One word that a selector is compared with. */
function addWord(field: Field, word: string, constants: ConstantsSink): void {
  const range = /^(\d+)-(\d+)$/.exec(word);
  const first = range === null ? Number(word) : Number(range[1]);
  const last = range === null ? Number(word) : Number(range[2]);
  switch (field) {
    case "tcp dport":
    case "udp dport":
    case "sctp dport":
    case "th dport":
      constants.addPorts(first, last);
      break;
    case "udp sport":
      for (const port of [first, last]) constants.addSourcePort(port);
      break;
    case "meta l4proto":
      if (range === null) constants.addProtocol(protocolNumberOf(word) ?? 255);
      break;
    case "icmpv6 type":
      constants.addIcmpv6Type(icmpv6TypeNumber(word) ?? 255);
      break;
    case "ct state": {
      const state = connectionStateNamed(word);
      if (state !== undefined) constants.addState(state);
      break;
    }
    case "tcp flags":
      constants.addFlagTest([word], [word]);
      break;
    default:
      break;
  }
}
