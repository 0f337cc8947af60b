// Writes transactions through one long-lived `nft -i`: no process to start, and no waiting for the kernel to free what was
// deleted. Owns when the process is started anew and when a child does the work instead.

import { BackendError } from "../../backend.ts";
import { errorFromOutput, excerpt, isHarmless } from "../nft-output.ts";
import { renderTransaction, type Transaction } from "../transaction.ts";
import { BatchFileError, batchFileName, removeBatchFile, writeBatchFile } from "./batch-file.ts";
import { NftChild } from "./nft-child.ts";
import type { NftProgram } from "./nft-process.ts";
import { SessionProcess } from "./session-process.ts";
import type { TransactionWriter } from "./transaction-writer.ts";

/** nft keeps every line in its history: each batch costs 0.4 kB, and 0.04 to 0.07 us in every later one. */
const BATCHES_PER_PROCESS = 500;

export class NftSession implements TransactionWriter {
  readonly name = "nft -i";
  readonly #program: NftProgram;
  readonly #file: string;
  readonly #child: NftChild;
  #process: SessionProcess | undefined;
  readonly #retired = new Set<Promise<void>>();
  /** The session just failed: the next transaction goes another way, so that a session that never works stops nothing. */
  #avoid = false;

  /** `folder`: where batches lie while nft reads them (`findBatchFolder`). */
  constructor(program: NftProgram, folder: string) {
    this.#program = program;
    this.#file = batchFileName(folder);
    this.#child = new NftChild(program);
  }

  /** Whether this nft can hold a session. Throws BackendError if not. */
  async handshake(): Promise<void> {
    const answer = await this.#running().ask("");
    if (!isHarmless(answer)) throw new BackendError("broken", "nft -i speaks otherwise", { output: excerpt(answer) });
  }

  async write(transaction: Transaction): Promise<void> {
    if (this.#avoid) {
      this.#avoid = false;
      await this.#child.write(transaction);
      return;
    }
    const text = renderTransaction(transaction);
    try {
      writeBatchFile(this.#file, text);
    } catch (error) {
      // No room or no rights for the file (any more). Nothing was asked of nft.
      if (!(error instanceof BatchFileError)) throw error;
      await this.#child.write(transaction);
      return;
    }
    const answer = await this.#include();
    this.#renew();
    if (isHarmless(answer)) return;
    throw /\berror: /i.test(answer)
      ? errorFromOutput(answer)
      : new BackendError("broken", "nft said something that is neither error nor warning", { output: excerpt(answer) });
  }

  async #include(): Promise<string> {
    try {
      return await this.#running().ask(`include "${this.#file}"`);
    } catch (error) {
      this.#avoid = true;
      throw error;
    } finally {
      removeBatchFile(this.#file);
    }
  }

  async close(): Promise<void> {
    if (this.#process !== undefined) this.#retire(this.#process);
    this.#process = undefined;
    await Promise.all(this.#retired);
  }

  #running(): SessionProcess {
    if (this.#process === undefined || !this.#process.alive) this.#process = new SessionProcess(this.#program);
    return this.#process;
  }

  /** Between two batches, so that the next does not wait for the start. */
  #renew(): void {
    if (this.#process === undefined || this.#process.questions < BATCHES_PER_PROCESS) return;
    this.#retire(this.#process);
    this.#process = new SessionProcess(this.#program);
  }

  #retire(process: SessionProcess): void {
    const end = process.close().finally(() => this.#retired.delete(end));
    this.#retired.add(end);
  }
}
