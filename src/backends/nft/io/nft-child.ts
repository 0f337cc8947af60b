// Writes each transaction with a child of its own: `nft -f -`. Slower than the session (after a deletion the kernel lets the child
// end only when it has freed the memory, 16 ms), and without anything that could get stuck.

import { renderTransaction, type Transaction } from "../transaction.ts";
import { failureOf, type NftProgram, runNft } from "./nft-process.ts";
import type { TransactionWriter } from "./transaction-writer.ts";

export class NftChild implements TransactionWriter {
  readonly name = "nft -f";
  readonly #program: NftProgram;

  constructor(program: NftProgram) {
    this.#program = program;
  }

  async write(transaction: Transaction): Promise<void> {
    const outcome = await runNft(this.#program, ["-f", "-"], renderTransaction(transaction));
    if (outcome.code !== 0) throw failureOf(outcome);
  }

  async close(): Promise<void> {}
}
