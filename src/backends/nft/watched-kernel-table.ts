// A kernel table together with what the kernel tells of its changes. Owns telling others' changes from our own.

import type { BackendFacts } from "../backend.ts";
import type { FoundTable, KernelTable } from "./kernel-table.ts";
import type { Transaction } from "./transaction.ts";

/** What the kernel tells of our table's changes: `src/netlink/table-events.ts`. */
export interface TableEvents {
  /**
   * Senders (netlink ports) of changes since the last call; a sender's own change is told before it has its answer. "overrun":
   * not known. Never waits.
   */
  take(): ReadonlySet<number> | "overrun";
  close(): void;
}

export class WatchedKernelTable implements KernelTable {
  readonly #table: KernelTable;
  readonly #events: TableEvents;
  #isWriting = false;
  #changedByOthers = false;

  /** Closes both with itself. */
  constructor(table: KernelTable, events: TableEvents) {
    this.#table = table;
    this.#events = events;
  }

  probe(): Promise<BackendFacts> {
    return this.#table.probe();
  }

  read(): Promise<FoundTable> {
    return this.#table.read();
  }

  write(transaction: Transaction): Promise<void> {
    return this.#asOurs(() => this.#table.write(transaction));
  }

  counters(): Promise<ReadonlyMap<string, number> | undefined> {
    return this.#table.counters();
  }

  remove(): Promise<boolean> {
    return this.#asOurs(() => this.#table.remove());
  }

  changedByOthers(): boolean {
    // What is told during a write is sorted out after it; what is known already is not to wait for a moment without one.
    if (!this.#isWriting) this.#noteForeign();
    const changed = this.#changedByOthers;
    this.#changedByOthers = false;
    return changed;
  }

  async close(): Promise<void> {
    this.#events.close();
    await this.#table.close();
  }

  async #asOurs<T>(change: () => Promise<T>): Promise<T> {
    this.#noteForeign();
    this.#isWriting = true;
    try {
      return await change();
    } finally {
      this.#isWriting = false;
      // One sender is ours. Of a large transaction not everything is told: then the next verification has to find it.
      const senders = this.#events.take();
      if (senders !== "overrun" && senders.size > 1) this.#changedByOthers = true;
    }
  }

  #noteForeign(): void {
    const senders = this.#events.take();
    if (senders === "overrun" || senders.size > 0) this.#changedByOthers = true;
  }
}
