// A kernel without IPv6 has no place for its rules, and no packets for them. They are kept in memory, so that what should be and what is
// there can be compared all the same.

import { FAMILIES, type Family } from "../../net/address.ts";
import { MemoryKernelRules } from "./memory-kernel-rules.ts";
import type { FoundRules } from "./read-back.ts";
import { isEmptyStage, type Stage } from "./stages.ts";

export class AbsentFamilies {
  readonly #memory = new MemoryKernelRules();
  readonly #sets = new Set<string>();

  /** The stages that are for the families that are there; the others are taken here. */
  takeFrom(stages: readonly Stage[], present: readonly Family[]): readonly Stage[] {
    if (present.length === FAMILIES.length) return stages;
    return stages.flatMap((stage) => this.#divide(stage, present)).filter((stage) => !isEmptyStage(stage));
  }

  /** What was found, and what was taken. */
  addTo(found: FoundRules): FoundRules {
    if (this.#sets.size === 0) return found;
    const own = this.#memory.found();
    const both = (family: Family) => (own.ruleset.chains[family].size > 0 ? own : found);
    return {
      ruleset: {
        chains: { 4: both(4).ruleset.chains[4], 6: both(6).ruleset.chains[6] },
        sets: new Map([...found.ruleset.sets, ...own.ruleset.sets]),
      },
      jumps: { 4: both(4).jumps[4], 6: both(6).jumps[6] },
      unknown: found.unknown,
    };
  }

  #divide(stage: Stage, present: readonly Family[]): Stage[] {
    switch (stage.kind) {
      case "rules":
        if (present.includes(stage.family)) return [stage];
        this.#memory.tamper([stage]);
        return [];
      case "create-sets": {
        const absent = stage.sets.filter(({ family }) => !present.includes(family));
        for (const { name } of absent) this.#sets.add(name);
        this.#memory.tamper([{ ...stage, sets: absent }]);
        return [{ ...stage, sets: stage.sets.filter(({ family }) => present.includes(family)) }];
      }
      case "change-elements": {
        this.#memory.tamper([{ ...stage, changes: stage.changes.filter(({ set }) => this.#sets.has(set)) }]);
        return [{ ...stage, changes: stage.changes.filter(({ set }) => !this.#sets.has(set)) }];
      }
      case "destroy-sets": {
        const absent = stage.sets.filter((set) => this.#sets.has(set));
        this.#memory.tamper([{ ...stage, sets: absent }]);
        for (const set of absent) this.#sets.delete(set);
        return [{ ...stage, sets: stage.sets.filter((set) => !absent.includes(set)) }];
      }
    }
  }
}
