// The table `filter` of one family in memory: takes a stage of rules as a whole or refuses it as the kernel does.

import type { Family } from "../../net/address.ts";
import { BackendError } from "../backend.ts";
import { sameChain } from "./compare.ts";
import { MAX_CHAIN_NAME } from "./names.ts";
import type { FoundJump } from "./read-back.ts";
import {
  BUILT_IN_CHAINS,
  type BuiltInChain,
  type Chain,
  chainOfRule,
  isBuiltIn,
  type Rule,
  setsOfRule,
} from "./ruleset.ts";
import type { Jump, RulesStage } from "./stages.ts";

/** Somebody else's rule in a built-in chain. */
type BuiltInRule = Rule | "foreign";

/** NFT_JUMP_STACK_SIZE: the nft variant refuses chains so many steps from a hook; jump and goto count alike. */
export const MAX_STEPS = 16;

export function refuse(reason: string): never {
  throw new BackendError("refused", `refused: ${reason}`);
}

export class MemoryFamily {
  readonly #family: Family;
  #chains = new Map<string, Chain>();
  #builtIn: Record<BuiltInChain, readonly BuiltInRule[]> = { FORWARD: [], INPUT: [], OUTPUT: [] };

  constructor(family: Family) {
    this.#family = family;
  }

  /** With somebody else's rules before our jumps, where they were. */
  start(chains: ReadonlyMap<string, Chain>, jumps: readonly FoundJump[]): void {
    this.#chains = new Map([...chains].filter(([name]) => !isBuiltIn(name)));
    for (const name of BUILT_IN_CHAINS) {
      const rules: BuiltInRule[] = [];
      for (const { rule, position } of jumps.filter((jump) => jump.chain === name)) {
        while (rules.length < position) rules.push("foreign");
        rules.push(rule);
      }
      this.#builtIn[name] = rules;
    }
  }

  get size(): number {
    return this.#chains.size;
  }

  has(chain: string): boolean {
    return this.#chains.has(chain);
  }

  insertForeign(chain: BuiltInChain): void {
    this.#builtIn = { ...this.#builtIn, [chain]: ["foreign", ...this.#builtIn[chain]] };
  }

  flush(chain: BuiltInChain): void {
    this.#builtIn = { ...this.#builtIn, [chain]: [] };
  }

  removeOwn(): void {
    this.#chains = new Map();
    for (const name of BUILT_IN_CHAINS) this.#builtIn[name] = this.#builtIn[name].filter((rule) => rule === "foreign");
  }

  found(): { readonly chains: Map<string, Chain>; readonly jumps: readonly FoundJump[] } {
    const chains = new Map(this.#chains);
    const jumps: FoundJump[] = [];
    for (const name of BUILT_IN_CHAINS) {
      for (const [position, rule] of this.#builtIn[name].entries()) {
        if (rule === "foreign") continue;
        jumps.push({ chain: name, rule, position });
        if (position === 0) chains.set(name, { name, rules: [rule] });
      }
    }
    return { chains, jumps };
  }

  looksUp(set: string): boolean {
    return [...this.#chains.values()].some(({ rules }) => rules.some((rule) => setsOfRule(rule).includes(set)));
  }

  /** All or nothing. `setFamily`: of a set that is there. */
  apply(stage: RulesStage, setFamily: (name: string) => Family | undefined): void {
    const chains = new Map(this.#chains);
    const builtIn = { ...this.#builtIn };
    for (const chain of stage.write) {
      if (chain.name.length > MAX_CHAIN_NAME) refuse(`the name ${chain.name} is too long`);
      chains.set(chain.name, chain);
    }
    for (const name of stage.remove) chains.set(name, { name, rules: [] });
    for (const jump of stage.unhook) builtIn[jump.chain] = this.#withoutFirst(builtIn[jump.chain], jump);
    for (const { chain, rule } of stage.hook) builtIn[chain] = [rule, ...builtIn[chain]];
    for (const name of stage.remove) chains.delete(name);
    this.#check(chains, builtIn, setFamily);
    this.#chains = chains;
    this.#builtIn = builtIn;
  }

  #withoutFirst(rules: readonly BuiltInRule[], { chain, rule }: Jump): readonly BuiltInRule[] {
    const same = (other: BuiltInRule) =>
      other !== "foreign" && sameChain({ name: chain, rules: [other] }, { name: chain, rules: [rule] }, this.#family);
    const index = rules.findIndex(same);
    if (index < 0) refuse(`no such rule in ${chain}`);
    return rules.filter((_, position) => position !== index);
  }

  #check(
    chains: ReadonlyMap<string, Chain>,
    builtIn: Readonly<Record<BuiltInChain, readonly BuiltInRule[]>>,
    setFamily: (name: string) => Family | undefined,
  ): void {
    const jumps = BUILT_IN_CHAINS.flatMap((name) => builtIn[name].filter((rule) => rule !== "foreign"));
    for (const rule of [...jumps, ...[...chains.values()].flatMap(({ rules }) => rules)]) {
      const target = chainOfRule(rule);
      if (target !== undefined && (isBuiltIn(target) || !chains.has(target))) refuse(`chain ${target} is not there`);
      for (const set of setsOfRule(rule))
        if (setFamily(set) !== this.#family) refuse(`set ${set} is not there, or of another family`);
    }
    const depths = new Map<string, number>();
    for (const rule of jumps) {
      if (1 + depthFrom(chainOfRule(rule) ?? "", chains, depths, new Set()) >= MAX_STEPS) refuse("chains are too deep");
    }
  }
}

/** Steps to the farthest chain; Infinity in a circle. */
function depthFrom(
  name: string,
  chains: ReadonlyMap<string, Chain>,
  known: Map<string, number>,
  above: ReadonlySet<string>,
): number {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (above.has(name)) return Number.POSITIVE_INFINITY;
  const inside = new Set([...above, name]);
  const targets = (chains.get(name)?.rules ?? []).flatMap((rule) => chainOfRule(rule) ?? []);
  const depth = Math.max(0, ...targets.map((target) => 1 + depthFrom(target, chains, known, inside)));
  known.set(name, depth);
  return depth;
}
