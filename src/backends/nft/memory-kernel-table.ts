// Our table in memory behind the kernel's interface, for tests and dry runs: refuses what the kernel refuses, and fails on demand
// as nft and the kernel can fail.

import { BackendError, type BackendFacts } from "../backend.ts";
import type { FoundTable, KernelTable } from "./kernel-table.ts";
import { MemoryTable, TransactionRefused } from "./memory-table.ts";
import type { UnknownObject } from "./read-back.ts";
import { type Ruleset, TABLE } from "./ruleset.ts";
import type { Transaction } from "./transaction.ts";

/** What befalls one `write` or `read`. */
export type MemoryFault =
  /** Nothing is applied, and it is said so. */
  | { readonly kind: "refuse" }
  /** nft dies, before the kernel took the transaction or after. */
  | { readonly kind: "die"; readonly committed: boolean }
  /** nft hangs until this settles, and is then ended. */
  | { readonly kind: "hang"; readonly until: Promise<void>; readonly committed: boolean };

export class MemoryKernelTable implements KernelTable {
  #table: MemoryTable;
  #unknown: readonly UnknownObject[] = [];
  #changedByOthers = false;
  readonly #writeFaults: MemoryFault[] = [];
  readonly #readFaults: MemoryFault[] = [];
  readonly #counters = new Map<string, number>();

  /** Starts with this table, or without one. */
  constructor(start?: Ruleset) {
    this.#table = new MemoryTable(start ?? TABLE);
  }

  /** The next write fails so; several queue up. */
  failWrite(fault: MemoryFault): void {
    this.#writeFaults.push(fault);
  }

  /** The next read fails so; several queue up. */
  failRead(fault: MemoryFault): void {
    this.#readFaults.push(fault);
  }

  /** Somebody else puts this in place of the table, with objects that are not of our making; undefined: deletes it. */
  tamper(ruleset: Ruleset | undefined, unknown: readonly UnknownObject[] = []): void {
    this.#table = new MemoryTable(ruleset ?? TABLE);
    this.#unknown = unknown;
    this.#changedByOthers = true;
  }

  /** What the named counters are from now on. */
  setCounter(name: string, packets: number): void {
    this.#counters.set(name, packets);
  }

  /** The table as it is; undefined: there is none. */
  ruleset(): Ruleset | undefined {
    return this.#table.exists ? this.#table.ruleset() : undefined;
  }

  async probe(): Promise<BackendFacts> {
    return { version: "in memory", writer: "memory", warnings: [] };
  }

  async read(): Promise<FoundTable> {
    const fault = this.#readFaults.shift();
    if (fault !== undefined) await fail(fault);
    if (!this.#table.exists) return { kind: "none" };
    return { kind: "table", ruleset: this.#table.ruleset(), unknown: this.#unknown };
  }

  async write(transaction: Transaction): Promise<void> {
    const fault = this.#writeFaults.shift();
    if (fault === undefined) return this.#apply(transaction);
    if (fault.kind !== "refuse" && fault.committed) this.#apply(transaction);
    await fail(fault);
  }

  async counters(): Promise<ReadonlyMap<string, number> | undefined> {
    if (!this.#table.exists) return undefined;
    return new Map([...this.#table.ruleset().counters].map((name) => [name, this.#counters.get(name) ?? 0]));
  }

  async remove(): Promise<boolean> {
    const { exists } = this.#table;
    this.#table = new MemoryTable(TABLE);
    this.#unknown = [];
    return exists;
  }

  changedByOthers(): boolean {
    const changed = this.#changedByOthers;
    this.#changedByOthers = false;
    return changed;
  }

  async close(): Promise<void> {}

  #apply(transaction: Transaction): void {
    try {
      this.#table.apply(transaction);
    } catch (error) {
      if (!(error instanceof TransactionRefused)) throw error;
      throw new BackendError("refused", `refused: ${error.message}`, { cause: error });
    }
    const emptied = new Set<string>();
    for (const operation of transaction.operations) {
      if (operation.kind === "delete-table") this.#unknown = [];
      else if (operation.kind === "flush-chain") emptied.add(operation.chain);
    }
    this.#unknown = this.#unknown.filter(({ chain }) => chain === undefined || !emptied.has(chain));
  }
}

async function fail(fault: MemoryFault): Promise<never> {
  if (fault.kind === "refuse") throw new BackendError("refused", "refused, as the test wants it");
  if (fault.kind === "hang") await fault.until;
  throw new BackendError("broken", fault.kind === "hang" ? "nft hung" : "nft died");
}
