// The backend over a table: keeps what should be, and brings the table there by delta, by difference or anew.
// Owns these decisions; how transactions get to the kernel is the table's (`kernel-table.ts`).
//
//   install ──> found: none ──────────────────────────> whole table   "created"
//               found: ours ──> difference ──> written                "adopted"
//                                    └─ refused ──────> whole table   "replaced"
//   apply ────> trusted ──> delta ──> written                         "delta"
//               not trusted (something failed): as install            "repaired", "replaced"

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
import type { FoundTable, KernelTable } from "./kernel-table.ts";
import { dropCounter, MIDSTREAM_COUNTER, UNKNOWN_COUNTER } from "./names.ts";
import { phasesOf } from "./phases.ts";
import { differenceTo, newTable, wholeTable } from "./repair.ts";
import { RulesetTracker } from "./tracker.ts";
import { renderTransaction, type Transaction, transactionSize } from "./transaction.ts";

export interface NftBackendHooks {
  /** Sees the text of each transaction before it is written. */
  readonly onTransaction?: ((text: string) => void) | undefined;
}

export class NftBackend implements Backend {
  readonly #table: KernelTable;
  readonly #hooks: NftBackendHooks;
  #tracker: RulesetTracker | undefined;
  /** The table is what the tracker says, as far as we know: nothing failed since it was last written whole or by difference. */
  #trusted = false;
  #busy = false;

  /** Closes the table with itself. */
  constructor(table: KernelTable, hooks: NftBackendHooks = {}) {
    this.#table = table;
    this.#hooks = hooks;
  }

  probe(): Promise<BackendFacts> {
    return this.#alone(() => this.#table.probe());
  }

  install(program: NodeProgram): Promise<Applied> {
    return this.#alone(async () => {
      const tracker = new RulesetTracker(program);
      this.#tracker = tracker;
      this.#trusted = false;
      return await this.#bringTo(tracker, await this.#table.read(), "adopted");
    });
  }

  apply(delta: ProgramDelta, onInForce?: () => void): Promise<Applied> {
    return this.#alone(async () => {
      const tracker = this.#installed();
      const transaction = tracker.update(delta);
      if (!this.#trusted) return await this.#bringTo(tracker, await this.#table.read(), "repaired");
      if (transaction.operations.length === 0) return { how: "unchanged", operations: 0, elements: 0 };
      this.#trusted = false;
      let isInForce = false;
      try {
        await this.#write(transaction, () => {
          isInForce = true;
          onInForce?.();
        });
      } catch (error) {
        throw isInForce && error instanceof BackendError ? cleanUpFailed(error) : error;
      }
      this.#trusted = true;
      return applied("delta", transaction);
    });
  }

  verify(): Promise<Drift> {
    return this.#alone(async () => {
      const tracker = this.#installed();
      this.#trusted = false;
      const found = await this.#table.read();
      // Reading took its time already: what else is to be done now comes before the comparison.
      await new Promise(setImmediate);
      const differences = describeDrift(found, tracker.ruleset());
      if (differences.length > 0 || found.kind !== "table")
        return { differences, repair: await this.#repair(tracker, found, differences) };
      tracker.keepSizes(found.ruleset.sets.values());
      this.#trusted = true;
      return { differences, repair: undefined };
    });
  }

  changedByOthers(): boolean {
    return this.#table.changedByOthers();
  }

  async dropped(): Promise<DropCounts | undefined> {
    const counters = await this.#table.counters();
    // Every table of ours has the counters of both directions.
    if (counters?.has(dropCounter("ingress")) !== true) return undefined;
    const packets = (name: string) => counters.get(name) ?? 0;
    return {
      ingress: packets(dropCounter("ingress")),
      egress: packets(dropCounter("egress")),
      midstream: packets(MIDSTREAM_COUNTER),
      unknown: packets(UNKNOWN_COUNTER),
    };
  }

  size(): ProgramSize {
    if (this.#tracker === undefined) return { sets: 0, elements: 0, chains: 0, rules: 0 };
    const { sets, chains } = this.#tracker.ruleset();
    let elements = 0;
    for (const set of sets.values()) elements += set.elements.size;
    let rules = 0;
    for (const chain of chains.values()) rules += chain.rules.length;
    return { sets: sets.size, elements, chains: chains.size, rules };
  }

  cleanUp(): Promise<boolean> {
    return this.#alone(async () => {
      this.#trusted = false;
      return await this.#table.remove();
    });
  }

  close(): Promise<void> {
    return this.#table.close();
  }

  async #repair(tracker: RulesetTracker, found: FoundTable, differences: readonly string[]): Promise<Applied> {
    try {
      return await this.#bringTo(tracker, found, "repaired");
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      throw new RepairError(differences, error);
    }
  }

  /** The table is what the tracker says when this returns. A difference that is refused is no reason to give up: the whole table may pass. */
  async #bringTo(tracker: RulesetTracker, found: FoundTable, by: "adopted" | "repaired"): Promise<Applied> {
    const desired = tracker.ruleset();
    const difference = differenceTo(found, desired);
    let refusal: BackendError | undefined;
    if (difference !== undefined && found.kind === "table") {
      refusal = await this.#tryToWrite(difference);
      if (refusal === undefined) {
        tracker.keepSizes(keptSets(found, difference));
        this.#trusted = true;
        if (by === "repaired" && difference.operations.length === 0)
          return { how: "unchanged", operations: 0, elements: 0 };
        return applied(by, difference);
      }
    }
    const whole = found.kind === "none" ? newTable(desired) : wholeTable(desired);
    await this.#write(whole);
    this.#trusted = true;
    return { ...applied(found.kind === "none" ? "created" : "replaced", whole), refusal };
  }

  async #tryToWrite(transaction: Transaction): Promise<BackendError | undefined> {
    try {
      await this.#write(transaction);
      return undefined;
    } catch (error) {
      if (error instanceof BackendError && error.kind === "refused") return error;
      throw error;
    }
  }

  async #write(transaction: Transaction, onInForce?: () => void): Promise<void> {
    const { change, cleanUp } = phasesOf(transaction);
    for (const phase of change) await this.#writePhase(phase);
    onInForce?.();
    if (cleanUp !== undefined) await this.#writePhase(cleanUp);
  }

  async #writePhase(phase: Transaction): Promise<void> {
    this.#hooks.onTransaction?.(renderTransaction(phase));
    await this.#table.write(phase);
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

/** Whatever the failure says of itself: the rules from before are not the ones that packets meet. */
function cleanUpFailed(cause: BackendError): BackendError {
  const message = `the change is in force, and what it leaves could not be taken away: ${cause.message}`;
  return new BackendError("broken", message, { hint: cause.hint, output: cause.output, cause });
}

function applied(how: Applied["how"], transaction: Transaction): Applied {
  return { how, operations: transaction.operations.length, elements: transactionSize(transaction).elements };
}

/** Sets of the found table that the difference neither deleted nor made anew. */
function keptSets({ ruleset }: FoundTable & { kind: "table" }, { operations }: Transaction) {
  const gone = new Set(operations.flatMap((operation) => (operation.kind === "delete-set" ? [operation.set] : [])));
  return [...ruleset.sets.values()].filter((set) => !gone.has(set.name));
}
