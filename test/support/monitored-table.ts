// Our table in memory with a test beside it: every change as it happens, faults that can be taken back, and the hand of
// somebody else. Owns what a fault does to one call; what the table itself refuses is memory-kernel-table.ts.

import { BackendError, type BackendFacts } from "../../src/backends/backend.ts";
import type { FoundTable, KernelTable } from "../../src/backends/nft/kernel-table.ts";
import { MemoryKernelTable } from "../../src/backends/nft/memory-kernel-table.ts";
import type { UnknownObject } from "../../src/backends/nft/read-back.ts";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import { renderTransaction, type Transaction } from "../../src/backends/nft/transaction.ts";
import { reachableText } from "./comparable-ruleset.ts";

export type KernelFault =
  | { readonly kind: "refuse" }
  /** nft dies, before the kernel took the transaction or after. */
  | { readonly kind: "die"; readonly committed: boolean }
  /** nft hangs until `heal`. */
  | { readonly kind: "hang"; readonly committed: boolean };

/** One transaction that the table took and that packets notice, together with the one that prepared it, without what goes after it. */
export interface TableChange {
  readonly text: string;
  /** The table after it. */
  readonly ruleset: Ruleset;
  /** Nobody else has had a hand in it, as far as it was read since. */
  readonly isOurs: boolean;
}

export class MonitoredTable implements KernelTable {
  readonly #table: MemoryKernelTable;
  /** In order. */
  readonly changes: TableChange[] = [];
  /** Transactions that a table of ours refused without being told to: there must be none. */
  readonly refusals: string[] = [];
  /** Called when a change is in force, before anybody else knows. */
  onChange: ((change: TableChange) => void) | undefined;
  /** As with netlink; false: as without it. */
  noticesOthers = true;
  /** Calls that hang now. */
  hangingCalls = 0;
  #writeFaults: (KernelFault | undefined)[] = [];
  #readFaults: KernelFault[] = [];
  #healed = Promise.withResolvers<void>();
  /** `read`: what is foreign has been read, and the next write repairs it. */
  #hand: "ours" | "foreign" | "read" = "ours";
  /** Text of what was made and is reached by nothing yet. */
  #prepared = "";

  constructor(start?: Ruleset) {
    this.#table = new MemoryKernelTable(start);
  }

  failNextWrite(fault: KernelFault, times = 1): void {
    this.#writeFaults.push(...Array<KernelFault>(times).fill(fault));
  }

  /** Before the faults that are added from now on. */
  letNextWritePass(): void {
    this.#writeFaults.push(undefined);
  }

  failNextRead(fault: KernelFault, times = 1): void {
    this.#readFaults.push(...Array<KernelFault>(times).fill(fault));
  }

  /** Ends hanging calls and forgets faults that have not happened yet. */
  heal(): void {
    this.#writeFaults = [];
    this.#readFaults = [];
    this.#healed.resolve();
    this.#healed = Promise.withResolvers();
  }

  /** Somebody else puts this in the table's place, with objects that are not of our making; undefined: deletes it. */
  tamper(ruleset: Ruleset | undefined, unknown: readonly UnknownObject[] = []): void {
    this.#table.tamper(ruleset, unknown);
    this.#hand = "foreign";
  }

  setCounter(name: string, packets: number): void {
    this.#table.setCounter(name, packets);
  }

  /** undefined: there is no table. */
  ruleset(): Ruleset | undefined {
    return this.#table.ruleset();
  }

  /** Everything in it as text, foreign objects too, declared sizes aside (a set that grew keeps its room). */
  async text(): Promise<string> {
    // Past the faults: they are this object's, not the table's.
    return foundText(await this.#table.read());
  }

  probe(): Promise<BackendFacts> {
    return this.#table.probe();
  }

  async read(): Promise<FoundTable> {
    const fault = this.#readFaults.shift();
    if (fault !== undefined) await this.#happen(fault);
    const found = await this.#table.read();
    if (this.#hand === "foreign") this.#hand = "read";
    return found;
  }

  async write(transaction: Transaction): Promise<void> {
    const fault = this.#writeFaults.shift();
    if (fault !== undefined && (fault.kind === "refuse" || !fault.committed)) return this.#happen(fault);
    try {
      // The table in memory takes it before its first await: nothing comes between it and what is noted below.
      const before = this.#table.ruleset();
      const done = this.#table.write(transaction);
      const ruleset = this.#table.ruleset();
      await done;
      this.#note(transaction, before, ruleset);
    } catch (error) {
      if (this.#hand === "ours") this.refusals.push(`${(error as Error).message}\n${renderTransaction(transaction)}`);
      throw error;
    }
    if (fault !== undefined) await this.#happen(fault);
  }

  counters(): Promise<ReadonlyMap<string, number> | undefined> {
    return this.#table.counters();
  }

  remove(): Promise<boolean> {
    return this.#table.remove();
  }

  changedByOthers(): boolean {
    return this.noticesOthers && this.#table.changedByOthers();
  }

  close(): Promise<void> {
    return this.#table.close();
  }

  #note(transaction: Transaction, before: Ruleset | undefined, ruleset: Ruleset | undefined): void {
    if (this.#hand === "read") this.#hand = "ours";
    if (ruleset === undefined) throw new Error("a transaction has left no table");
    const text = this.#prepared + renderTransaction(transaction);
    if (reachableText(before ?? withoutObjects(ruleset)) === reachableText(ruleset)) {
      if (consistsOf(transaction, /^add-/)) {
        this.#prepared = text;
        return;
      }
      if (this.#hand === "ours" && consistsOf(transaction, /^(flush|delete)-/)) return;
    }
    this.#prepared = "";
    const change = { text, ruleset, isOurs: this.#hand === "ours" };
    this.changes.push(change);
    this.onChange?.(change);
  }

  async #happen(fault: KernelFault): Promise<never> {
    if (fault.kind === "hang") {
      this.hangingCalls++;
      await this.#healed.promise;
      this.hangingCalls--;
    }
    if (fault.kind === "refuse") throw new BackendError("refused", "refused, as the test wants it");
    throw new BackendError("broken", fault.kind === "hang" ? "nft hung" : "nft died");
  }
}

function consistsOf({ operations }: Transaction, kinds: RegExp): boolean {
  return operations.every(({ kind }) => kinds.test(kind));
}

function withoutObjects({ table }: Ruleset): Ruleset {
  return { table, counters: new Set(), sets: new Map(), chains: new Map() };
}

/** Equal texts: equal tables. */
export function tableText(ruleset: Ruleset): string {
  return renderText(ruleset).replace(/^ *size \d+\n/gm, "");
}

function foundText(found: FoundTable): string {
  if (found.kind !== "table") return `${found.kind}\n`;
  return tableText(found.ruleset) + found.unknown.map(({ where, json }) => `${where}: ${json}\n`).join("");
}
