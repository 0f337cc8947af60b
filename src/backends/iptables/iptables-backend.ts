// The backend over the kernel's rules: keeps what should be, and brings the kernel there by delta, by difference or anew. Owns these
// decisions; how stages get to the kernel is `kernel-rules.ts`'s.

import type { NodeProgram, ProgramDelta } from "../../program/program.ts";
import {
  type Applied,
  type Backend,
  BackendError,
  type BackendFacts,
  type Drift,
  type DropCounts,
  type ProgramSize,
  RepairError,
} from "../backend.ts";
import { describeDrift } from "./drift.ts";
import type { KernelRules } from "./kernel-rules.ts";
import { type FoundRules, isNothing } from "./read-back.ts";
import { type Difference, differenceTo } from "./repair.ts";
import type { IptablesRuleset } from "./ruleset.ts";
import { tagged } from "./set-tags.ts";
import { type Stage, stagesSize, stageText } from "./stages.ts";
import { RulesetTracker } from "./tracker.ts";

export interface IptablesBackendHooks {
  /** Sees the text of each stage before it is written. */
  readonly onTransaction?: ((text: string) => void) | undefined;
}

export class IptablesBackend implements Backend {
  readonly #kernel: KernelRules;
  readonly #hooks: IptablesBackendHooks;
  #tracker: RulesetTracker | undefined;
  /** Whether the kernel is known to have what the tracker says. */
  #trusted = false;
  #busy = false;

  /** Closes the kernel's watch with itself. */
  constructor(kernel: KernelRules, hooks: IptablesBackendHooks = {}) {
    this.#kernel = kernel;
    this.#hooks = hooks;
  }

  probe(): Promise<BackendFacts> {
    return this.#alone(() => this.#kernel.probe());
  }

  install(program: NodeProgram): Promise<Applied> {
    return this.#alone(async () => {
      const tracker = new RulesetTracker(program);
      this.#tracker = tracker;
      this.#trusted = false;
      return await this.#bringTo(tracker, await this.#kernel.read(), "adopted");
    });
  }

  apply(delta: ProgramDelta): Promise<Applied> {
    return this.#alone(async () => {
      const tracker = this.#installed();
      const stages = tracker.update(delta);
      if (!this.#trusted) return await this.#bringTo(tracker, await this.#kernel.read(), "repaired");
      if (stages.length === 0) return UNCHANGED;
      this.#trusted = false;
      await this.#write(tracker, stages);
      this.#trusted = true;
      return { how: "delta", ...stagesSize(stages) };
    });
  }

  verify(): Promise<Drift> {
    return this.#alone(async () => {
      const tracker = this.#installed();
      this.#trusted = false;
      const found = await this.#kernel.read();
      // Reading took its time already: what else is to be done now comes before the comparison.
      await new Promise(setImmediate);
      const difference = differenceTo(found, tracker.ruleset());
      const differences = describeDrift(found, expectedIn(tracker, difference));
      if (differences.length === 0) {
        this.#settle(tracker, difference);
        return { differences, repair: undefined };
      }
      try {
        return { differences, repair: await this.#bringTo(tracker, found, "repaired", difference) };
      } catch (error) {
        if (!(error instanceof BackendError)) throw error;
        throw new RepairError(differences, error);
      }
    });
  }

  changedByOthers(): boolean {
    return this.#kernel.changedByOthers();
  }

  async dropped(): Promise<DropCounts | undefined> {
    const counts = await this.#kernel.dropped();
    if (counts === undefined) return undefined;
    const packets = (reason: keyof DropCounts) => counts.get(reason) ?? 0;
    return {
      ingress: packets("ingress"),
      egress: packets("egress"),
      midstream: packets("midstream"),
      unknown: packets("unknown"),
    };
  }

  size(): ProgramSize {
    if (this.#tracker === undefined) return { sets: 0, elements: 0, chains: 0, rules: 0 };
    const { sets, chains } = this.#tracker.ruleset();
    let elements = 0;
    for (const set of sets.values()) elements += set.elements.size;
    const all = [...chains[4].values(), ...chains[6].values()];
    return {
      sets: sets.size,
      elements,
      chains: all.length,
      rules: all.reduce((sum, { rules }) => sum + rules.length, 0),
    };
  }

  cleanUp(): Promise<boolean> {
    return this.#alone(async () => {
      this.#trusted = false;
      return await this.#kernel.remove();
    });
  }

  close(): Promise<void> {
    return this.#kernel.close();
  }

  /** The kernel has what the tracker says when this returns. A difference that is refused is no reason to give up: all of it anew may pass. */
  async #bringTo(
    tracker: RulesetTracker,
    found: FoundRules,
    by: "adopted" | "repaired",
    difference = differenceTo(found, tracker.ruleset()),
  ): Promise<Applied> {
    const refusal = await this.#tryToWrite(tracker, difference);
    if (refusal === undefined) {
      this.#settle(tracker, difference);
      if (by === "repaired" && difference.stages.length === 0) return UNCHANGED;
      return { how: isNothing(found) ? "created" : by, ...stagesSize(difference.stages) };
    }
    // Stages may have been done before the one that was refused.
    const anew = differenceTo(await this.#kernel.read(), tracker.ruleset(), true);
    await this.#write(tracker, anew.stages);
    this.#settle(tracker, anew);
    return { how: "replaced", ...stagesSize(anew.stages), refusal };
  }

  #settle(tracker: RulesetTracker, { sets }: Difference): void {
    tracker.take(sets);
    this.#trusted = true;
  }

  async #tryToWrite(tracker: RulesetTracker, { stages }: Difference): Promise<BackendError | undefined> {
    try {
      await this.#write(tracker, stages);
      return undefined;
    } catch (error) {
      if (error instanceof BackendError && error.kind === "refused") return error;
      throw error;
    }
  }

  async #write(tracker: RulesetTracker, stages: readonly Stage[]): Promise<void> {
    if (stages.length === 0) return;
    if (this.#hooks.onTransaction !== undefined)
      for (const stage of stages) this.#hooks.onTransaction(stageText(stage));
    tracker.avoid(await this.#kernel.write(stages));
  }

  #installed(): RulesetTracker {
    if (this.#tracker === undefined) throw new Error("install the program first");
    return this.#tracker;
  }

  /** Runs the synchronous beginning at once: what is taken from the caller is taken before the first await. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new Error("calls of the backend must not overlap");
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}

/** What should have been found. Sets that are as they should be may have any tag: another agent on the node may have made them. */
function expectedIn(tracker: RulesetTracker, { sets }: Difference): IptablesRuleset {
  return tagged(tracker.ruleset(), (name) => {
    const chosen = sets.get(name);
    return chosen === undefined || chosen.isNew ? tracker.tagOf(name) : chosen.tag;
  });
}

const UNCHANGED: Applied = { how: "unchanged", operations: 0, elements: 0 };
