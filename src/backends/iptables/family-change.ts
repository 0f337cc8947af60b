// What changes in one family, collected, and then the stages for it: elements in place where that is safe, else sets made anew and one
// change of rules.

import type { Family } from "../../net/address.ts";
import { ownJump } from "./base-chains.ts";
import { inPlace, type SetChange } from "./in-place.ts";
import { type Chain, isBuiltIn, setsOfRule } from "./ruleset.ts";
import { taggedName, withSetNames } from "./set-tags.ts";
import type { ElementsChange, Jump, RulesStage, Stage } from "./stages.ts";
import type { TrackedSet } from "./tracker.ts";

/** What the family is to be, and how to get at it. */
export interface FamilyState {
  set(name: string): TrackedSet;
  readonly chains: ReadonlyMap<string, Chain>;
  /** Whether packets of the address are judged. */
  isLocal(address: string): boolean;
  /** The set gets another name in the kernel. */
  makeAnew(name: string): TrackedSet;
}

export class FamilyChange {
  readonly family: Family;
  readonly #written = new Set<string>();
  readonly #removed = new Set<string>();
  readonly #created = new Set<string>();
  /** Names in the kernel. */
  readonly #destroyed: string[] = [];
  readonly #changes: SetChange[] = [];
  readonly #outgrown = new Set<string>();
  readonly #judged = new Set<string>();

  constructor(family: Family) {
    this.family = family;
  }

  write(chain: string): void {
    this.#written.add(chain);
    this.#removed.delete(chain);
  }

  remove(chain: string): void {
    this.#removed.add(chain);
    this.#written.delete(chain);
  }

  create(set: string): void {
    this.#created.add(set);
  }

  /** `tagged`: its name in the kernel. One that is only now created is not there yet. */
  destroy(set: string, tagged: string): void {
    if (!this.#created.delete(set)) this.#destroyed.push(tagged);
  }

  change(change: SetChange): void {
    if (!this.#created.has(change.set)) this.#changes.push(change);
  }

  changedSets(): string[] {
    return this.#changes.map(({ set }) => set);
  }

  /** It has more elements than it may hold. */
  outgrew(set: string): void {
    this.#outgrown.add(set);
  }

  /** Packets of the address are judged before or after the change. */
  isJudged(address: string): void {
    this.#judged.add(address);
  }

  stages(state: FamilyState): Stage[] {
    const isFlip = this.#written.size + this.#removed.size + this.#outgrown.size > 0;
    const isLocal = (address: string) => this.#judged.has(address) || state.isLocal(address);
    const steps = isFlip ? undefined : inPlace(this.#changes, isLocal);
    const sets = [...this.#created].map((name) => state.set(name));
    if (steps !== undefined) return [createStage(sets), ...elementStages(steps, state), destroyStage(this.#destroyed)];
    return this.#flip(state, sets);
  }

  /** Changed sets beside the old ones, then all rules in one step. */
  #flip(state: FamilyState, created: readonly TrackedSet[]): Stage[] {
    const old = new Set(this.#changes.map(({ set }) => set));
    const gone = [...old].map((name) => taggedName(name, state.set(name).tag));
    const anew = [...old].map((name) => state.makeAnew(name));
    for (const chain of state.chains.values())
      if (chain.rules.some((rule) => setsOfRule(rule).some((set) => old.has(set)))) this.#written.add(chain.name);
    return [createStage([...created, ...anew]), this.#rules(state), destroyStage([...this.#destroyed, ...gone])];
  }

  #rules(state: FamilyState): RulesStage {
    const nameOf = (set: string) => taggedName(set, state.set(set).tag);
    const written = [...this.#written].map((name) => state.chains.get(name) as Chain);
    return {
      kind: "rules",
      family: this.family,
      write: written.filter(({ name }) => !isBuiltIn(name)).map((chain) => withSetNames(chain, nameOf)),
      remove: [...this.#removed].filter((name) => !isBuiltIn(name)),
      hook: written.flatMap(jumpsOf),
      unhook: [...this.#removed].flatMap((name) => (isBuiltIn(name) ? jumpsOf(ownJump(name)) : [])),
    };
  }
}

function jumpsOf({ name, rules }: Chain): Jump[] {
  return isBuiltIn(name) ? rules.map((rule) => ({ chain: name, rule })) : [];
}

function createStage(sets: readonly TrackedSet[]): Stage {
  // The tracker's elements go on changing; a stage is of one moment.
  const copies = sets.map((set) => ({
    ...set,
    name: taggedName(set.name, set.tag),
    elements: new Set(set.elements),
  }));
  return { kind: "create-sets", sets: copies };
}

function elementStages(steps: readonly (readonly ElementsChange[])[], state: FamilyState): Stage[] {
  return steps.map((step) => ({
    kind: "change-elements",
    changes: step.map((change) => ({ ...change, set: taggedName(change.set, state.set(change.set).tag) })),
  }));
}

function destroyStage(sets: readonly string[]): Stage {
  return { kind: "destroy-sets", sets };
}
