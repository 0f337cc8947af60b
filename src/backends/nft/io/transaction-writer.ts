// The way of a transaction into the kernel. A writer gets the operations, not their text: one that speaks netlink itself stands beside
// those that talk to nft.

import type { Transaction } from "../transaction.ts";

export interface TransactionWriter {
  /** `nft -i`, `nft -f`, `netlink, nft -i`. */
  readonly name: string;

  /**
   * One atomic transaction, with at least one operation. Throws BackendError: "refused" (nothing of it was applied) or "broken" (not known).
   * When it returns or throws, no process of ours is still at work on it. Calls must not overlap.
   */
  write(transaction: Transaction): Promise<void>;

  /** Ends helper processes. */
  close(): Promise<void>;
}
