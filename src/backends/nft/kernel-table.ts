// Our table, where it takes effect: what the backend asks of the kernel. Two implementations: `io/nft-kernel-table.ts`
// (the nft program) and `memory-kernel-table.ts` (tests and dry runs); `watched-kernel-table.ts` adds to the first what
// others do.

import type { BackendFacts } from "../backend.ts";
import type { ReadBack } from "./read-back.ts";
import type { Transaction } from "./transaction.ts";

/** All throw BackendError. `read`, `write` and `remove` must not overlap. */
export interface KernelTable {
  /** Whether this kernel and nft can hold our rules. Changes nothing. */
  probe(): Promise<BackendFacts>;

  /** Cost: the whole table. */
  read(): Promise<FoundTable>;

  /**
   * All or nothing. "refused": nothing of it was applied; "broken": not known. A transaction without operations does nothing.
   */
  write(transaction: Transaction): Promise<void>;

  /** Packets of each named counter; undefined: there is no table. */
  counters(): Promise<ReadonlyMap<string, number> | undefined>;

  /** Removes the table; false where there was none. */
  remove(): Promise<boolean>;

  /**
   * Whether somebody else has changed the table since the last call, as far as it is noticed: false proves nothing. At any
   * time, also during other calls. Cost: a microsecond.
   */
  changedByOthers(): boolean;

  /** Ends helper processes. The table stays. */
  close(): Promise<void>;
}

export type FoundTable =
  | { readonly kind: "none" }
  | ({ readonly kind: "table" } & ReadBack)
  /** There is something, and nft cannot tell what in words that we understand. */
  | { readonly kind: "unreadable"; readonly reason: string };
