// From one ruleset to another by comparison: for adopting a table that is already in the kernel and for repairing drift.
// The hot path does not come here: it knows what changed (`tracker.ts`).

import { sameChain, sameDeclaration, sameHook } from "./compare.ts";
import { type Chain, type NamedSet, type Ruleset, sameVerdict, setsOfRule, type VerdictMap } from "./ruleset.ts";
import {
  type ChangePlan,
  type Element,
  type ElementsToAdd,
  type ElementsToDelete,
  keyOf,
  orderTransaction,
  type Transaction,
} from "./transaction.ts";

/**
 * The transaction that makes `current` equal to `desired`. Touches only what differs; a chain is recreated only if its
 * hook or priority is another. A set keeps its declared size as long as its elements fit. Chains of `refill` get their rules
 * again even if they look equal. Cost: linear in both rulesets.
 */
export function diffRulesets(current: Ruleset, desired: Ruleset, refill: ReadonlySet<string> = new Set()): Transaction {
  const sets = compareSets(current, desired);
  const replaced = new Set(sets.replaceSets.map((set) => set.name));
  const chains = compareChains(current, desired, replaced, refill);
  const addCounters = [...desired.counters].filter((name) => !current.counters.has(name));
  const deleteCounters = [...current.counters].filter((name) => !desired.counters.has(name));
  return orderTransaction(desired.table, { addCounters, deleteCounters, ...sets, ...chains });
}

type SetChanges = Pick<ChangePlan, "addSets" | "deleteSets" | "replaceSets" | "addElements" | "deleteElements">;

function compareSets(current: Ruleset, desired: Ruleset): SetChanges {
  const addSets: (NamedSet | VerdictMap)[] = [];
  const replaceSets: (NamedSet | VerdictMap)[] = [];
  const addElements: ElementsToAdd[] = [];
  const deleteElements: ElementsToDelete[] = [];
  for (const set of desired.sets.values()) {
    const existing = current.sets.get(set.name);
    if (existing === undefined) addSets.push(set);
    else if (!sameDeclaration(existing, set) || !fits(set, existing)) replaceSets.push(set);
    else {
      const { added, removed } = compareElements(existing, set);
      if (added.length > 0) addElements.push({ set: set.name, key: keyOf(set), elements: added });
      if (removed.length > 0) deleteElements.push({ set: set.name, key: keyOf(set), elements: removed });
    }
  }
  const deleteSets = [...current.sets.values()].filter((set) => !desired.sets.has(set.name));
  return { addSets, deleteSets, replaceSets, addElements, deleteElements };
}

function fits(set: NamedSet | VerdictMap, declared: NamedSet | VerdictMap): boolean {
  return declared.size === undefined || set.elements.size <= declared.size;
}

function compareElements(
  from: NamedSet | VerdictMap,
  to: NamedSet | VerdictMap,
): { added: Element[]; removed: string[] } {
  if (from.kind === "map" && to.kind === "map") {
    const added = [...to.elements].filter(([key, verdict]) => !sameVerdict(from.elements.get(key), verdict));
    // An element whose verdict changes is deleted and added: nft refuses to add a key that is there with another verdict.
    const removed = [...from.elements].filter(([key, verdict]) => !sameVerdict(to.elements.get(key), verdict));
    return { added: added.map(([key, verdict]) => ({ key, verdict })), removed: removed.map(([key]) => key) };
  }
  const before = from.kind === "set" ? new Set(from.elements) : new Set<string>();
  const added: Element[] = [];
  for (const key of to.kind === "set" ? to.elements : []) {
    if (!before.delete(key)) added.push({ key, verdict: undefined });
  }
  return { added, removed: [...before] };
}

function compareChains(
  current: Ruleset,
  desired: Ruleset,
  replacedSets: ReadonlySet<string>,
  refill: ReadonlySet<string>,
): Pick<ChangePlan, "addChains" | "deleteChains" | "replaceChains" | "refillChains"> {
  const addChains: Chain[] = [];
  const replaceChains: Chain[] = [];
  const refillChains: Chain[] = [];
  const deleteChains = [...current.chains.keys()].filter((name) => !desired.chains.has(name));
  for (const chain of desired.chains.values()) {
    const existing = current.chains.get(chain.name);
    if (existing === undefined) addChains.push(chain);
    else if (!sameHook(existing, chain)) replaceChains.push(chain);
    else if (
      refill.has(chain.name) ||
      !sameChain(existing, chain) ||
      looksUp(existing, replacedSets) ||
      looksUp(chain, replacedSets)
    )
      refillChains.push(chain);
  }
  return { addChains, deleteChains, replaceChains, refillChains };
}

/** Whether any rule of the chain looks up one of the sets. */
export function looksUp(chain: Chain, sets: ReadonlySet<string>): boolean {
  return sets.size > 0 && chain.rules.some((rule) => setsOfRule(rule).some((name) => sets.has(name)));
}
