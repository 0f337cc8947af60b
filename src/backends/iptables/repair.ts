// From what was found to what should be, by comparison: for adopting the rules of an earlier run and for repairing. Decides only.
// The hot path does not come here: it knows what changed (`tracker.ts`).

import { FAMILIES, type Family } from "../../net/address.ts";
import { sameChain } from "./compare.ts";
import type { FoundRules } from "./read-back.ts";
import { BUILT_IN_CHAINS, type Chain, type IpSet, type IptablesRuleset, isBuiltIn, setsOfRule } from "./ruleset.ts";
import { nextTag, splitName, type Tag, tagged, taggedName } from "./set-tags.ts";
import { isEmptyStage, type Jump, type RulesStage, type Stage } from "./stages.ts";

export interface Difference {
  /** Empty: nothing differs. */
  readonly stages: readonly Stage[];
  /** Of each set that is wanted, by its name without tag. */
  readonly sets: ReadonlyMap<string, ChosenSet>;
}

/** The name and size that a set has in the kernel afterwards. */
export interface ChosenSet {
  readonly tag: Tag;
  readonly maxElements: number;
  /** false: it was found, with the wanted elements. */
  readonly isNew: boolean;
}

/**
 * What makes the kernel equal to `desired` (names without tags): sets that differ are made anew, then the rules of a family change in one
 * step. `anew`: takes nothing over of what is there, and chains that are not wanted are only emptied: one that somebody's rules lead to
 * cannot be deleted, and must not stand in the way of everything else. Cost: linear in both.
 */
export function differenceTo(found: FoundRules, desired: IptablesRuleset, anew = false): Difference {
  const chosen = chooseSets(found, desired, anew);
  const tagOf = (name: string) => chosen.get(name)?.tag ?? 0;
  const goal = tagged(desired, tagOf);
  const create = [...goal.sets.values()].filter(({ name }) => chosen.get(splitName(name).name)?.isNew === true);
  const destroy = [...found.ruleset.sets.keys()].filter((name) => !goal.sets.has(name));
  const stages: Stage[] = [
    { kind: "create-sets", sets: create.map((set) => ({ ...set, elements: new Set(set.elements) })) },
    ...FAMILIES.map((family) => rulesStage(family, found, goal, anew)),
    { kind: "destroy-sets", sets: destroy },
  ];
  return { stages: stages.filter((stage) => !isEmptyStage(stage)), sets: chosen };
}

function chooseSets({ ruleset, unknown }: FoundRules, desired: IptablesRuleset, anew: boolean): Map<string, ChosenSet> {
  const spoiled = new Set(unknown.flatMap(({ set }) => set ?? []));
  const inUse = setsInUse(ruleset);
  const found = new Map<string, IpSet[]>();
  for (const set of ruleset.sets.values()) {
    const { name } = splitName(set.name);
    const others = found.get(name) ?? [];
    // Of equal ones, that which rules look up already: the other is left over.
    found.set(name, inUse.has(set.name) ? [set, ...others] : [...others, set]);
  }
  return new Map(
    [...desired.sets.values()].map((set): [string, ChosenSet] => {
      const candidates = found.get(set.name) ?? [];
      const equal = anew ? undefined : candidates.find((each) => !spoiled.has(each.name) && sameSet(each, set));
      if (equal !== undefined)
        return [set.name, { tag: splitName(equal.name).tag, maxElements: equal.maxElements, isNew: false }];
      const taken = new Set(candidates.map(({ name }) => name));
      let tag: Tag = 0;
      while (taken.has(taggedName(set.name, tag))) tag = nextTag(tag);
      return [set.name, { tag, maxElements: set.maxElements, isNew: true }];
    }),
  );
}

function setsInUse({ chains }: IptablesRuleset): ReadonlySet<string> {
  return new Set(
    FAMILIES.flatMap((family) => [...chains[family].values()].flatMap(({ rules }) => rules.flatMap(setsOfRule))),
  );
}

function sameSet(found: IpSet, desired: IpSet): boolean {
  if (found.type !== desired.type || found.family !== desired.family) return false;
  if (found.elements.size !== desired.elements.size) return false;
  for (const element of desired.elements) if (!found.elements.has(element)) return false;
  return true;
}

function rulesStage(family: Family, found: FoundRules, goal: IptablesRuleset, anew: boolean): RulesStage {
  const current = found.ruleset.chains[family];
  const wanted = goal.chains[family];
  const spoiled = new Set(
    found.unknown.flatMap(({ chain }) => (chain?.family === family && !isBuiltIn(chain.name) ? chain.name : [])),
  );
  const differs = (chain: Chain) => {
    const existing = current.get(chain.name);
    return anew || existing === undefined || spoiled.has(chain.name) || !sameChain(existing, chain, family);
  };
  const own = (chains: ReadonlyMap<string, Chain>) => [...chains.values()].filter(({ name }) => !isBuiltIn(name));
  const jumps = jumpChanges(found.jumps[family], wanted, family, anew);
  const extra = own(current).flatMap(({ name }) => (wanted.has(name) ? [] : [name]));
  const emptied = anew ? extra.map((name): Chain => ({ name, rules: [] })) : [];
  return {
    kind: "rules",
    family,
    write: [...own(wanted).filter(differs), ...emptied],
    remove: anew ? [] : extra,
    ...jumps,
  };
}

/**
 * One jump, and first; everything else of ours in built-in chains goes. `-D` takes the first rule that is equal, so where there is more
 * than that one jump, all go and it is put there anew.
 */
function jumpChanges(
  found: FoundRules["jumps"][Family],
  wanted: ReadonlyMap<string, Chain>,
  family: Family,
  anew: boolean,
): Pick<RulesStage, "hook" | "unhook"> {
  const hook: Jump[] = [];
  const unhook: Jump[] = [];
  for (const name of BUILT_IN_CHAINS) {
    const own = found.filter((jump) => jump.chain === name);
    const goal = wanted.get(name);
    const [first] = own;
    const isFine =
      goal !== undefined &&
      own.length === 1 &&
      first?.position === 0 &&
      sameChain({ name, rules: [first.rule] }, goal, family);
    if (isFine && !anew) continue;
    unhook.push(...own.map(({ chain, rule }) => ({ chain, rule })));
    if (goal !== undefined) hook.push(...goal.rules.map((rule) => ({ chain: name, rule })));
  }
  return { hook, unhook };
}

/** Towards this, everything of ours goes. */
export const NOTHING_DESIRED: IptablesRuleset = { chains: { 4: new Map(), 6: new Map() }, sets: new Map() };
