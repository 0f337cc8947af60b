// Our table in the kernel of this network namespace, through the nft program. Owns the choice of the writer.

import type { ProgramOptions } from "../../../program/program.ts";
import { BackendError, type BackendFacts } from "../../backend.ts";
import type { ElementSocket } from "../element-changes.ts";
import type { FoundTable, KernelTable } from "../kernel-table.ts";
import { isCrash, saysNotThere } from "../nft-output.ts";
import { readCounters } from "../read-back.ts";
import { TABLE } from "../ruleset.ts";
import type { Transaction } from "../transaction.ts";
import { findBatchFolder, removeLeftovers } from "./batch-file.ts";
import { NetlinkWriter } from "./netlink-writer.ts";
import { NftChild } from "./nft-child.ts";
import { probeNft } from "./nft-probe.ts";
import { failureOf, type NftProgram, runNft } from "./nft-process.ts";
import { NftSession } from "./nft-session.ts";
import { listTableArguments, readListing } from "./table-listing.ts";
import type { TransactionWriter } from "./transaction-writer.ts";

/** `auto`: the session where it works, else a child for each transaction. */
export type WriterChoice = "auto" | "session" | "child";

export interface NftKernelTableSettings {
  readonly program: NftProgram;
  readonly options: ProgramOptions;
  readonly writer: WriterChoice;
  /** Where batches lie; left out: the first folder that can be written to; undefined: there is none. */
  readonly batchFolder?: string | undefined;
  /** Takes changes of elements; left out: the writer takes them, too. Closed with the table. */
  readonly elements?: ElementSocket | undefined;
}

export class NftKernelTable implements KernelTable {
  readonly #settings: NftKernelTableSettings;
  #writer: TransactionWriter | undefined;

  constructor(settings: NftKernelTableSettings) {
    this.#settings = { batchFolder: findBatchFolder(), ...settings };
  }

  async probe(): Promise<BackendFacts> {
    const { program, options } = this.#settings;
    const { version, warnings } = await probeNft(program, options);
    const { writer, warnings: ofWriter } = await this.#chooseWriter();
    await this.#writer?.close();
    this.#writer = writer;
    return { version, writer: writer.name, warnings: [...warnings, ...ofWriter] };
  }

  async read(): Promise<FoundTable> {
    // Now and then is enough, and an agent that was started again at once found them too young.
    if (this.#writer !== undefined) this.#removeLeftovers();
    const outcome = await runNft(this.#settings.program, listTableArguments(TABLE));
    // nft that crashes on what is there (and not one that hangs or was ended): a table anew may still be possible.
    if (isCrash(outcome.signal)) return { kind: "unreadable", reason: failureOf(outcome).message };
    if (outcome.code !== 0) {
      if (saysNotThere(outcome.stderr)) return { kind: "none" };
      throw failureOf(outcome);
    }
    try {
      return { kind: "table", ...readListing(TABLE, outcome.stdout) };
    } catch (error) {
      return { kind: "unreadable", reason: error instanceof Error ? error.message : String(error) };
    }
  }

  async write(transaction: Transaction): Promise<void> {
    if (transaction.operations.length === 0) return;
    this.#writer ??= (await this.#chooseWriter()).writer;
    await this.#writer.write(transaction);
  }

  async counters(): Promise<ReadonlyMap<string, number> | undefined> {
    const outcome = await runNft(this.#settings.program, ["-j", "list", "counters", "table", "inet", TABLE]);
    if (outcome.code === 0) return readCounters(outcome.stdout);
    if (saysNotThere(outcome.stderr)) return undefined;
    throw failureOf(outcome);
  }

  async remove(): Promise<boolean> {
    const outcome = await runNft(this.#settings.program, ["delete", "table", "inet", TABLE]);
    if (outcome.code === 0) return true;
    if (saysNotThere(outcome.stderr)) return false;
    throw failureOf(outcome);
  }

  /** Not noticed here: see watched-kernel-table.ts. */
  changedByOthers(): boolean {
    return false;
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    this.#writer = undefined;
    this.#settings.elements?.close();
  }

  #removeLeftovers(): void {
    const { batchFolder } = this.#settings;
    if (batchFolder !== undefined) removeLeftovers(batchFolder);
  }

  async #chooseWriter(): Promise<{ writer: TransactionWriter; warnings: readonly string[] }> {
    const { writer, warning } = await this.#chooseNftWriter();
    const warnings = warning === undefined ? [] : [warning];
    const { elements } = this.#settings;
    if (elements === undefined) return { writer, warnings };
    const refusal = await elements.refusal();
    if (refusal === undefined) return { writer: new NetlinkWriter(elements, writer), warnings };
    return { writer, warnings: [...warnings, `element changes go through nft: ${refusal}`] };
  }

  async #chooseNftWriter(): Promise<{ writer: TransactionWriter; warning?: string }> {
    const { program, writer, batchFolder } = this.#settings;
    this.#removeLeftovers();
    if (writer === "child") return { writer: new NftChild(program) };
    if (batchFolder === undefined) return this.#insteadOfSession("no folder for batches can be written to");
    const session = new NftSession(program, batchFolder);
    try {
      await session.handshake();
      return { writer: session };
    } catch (error) {
      await session.close();
      if (!(error instanceof BackendError)) throw error;
      return this.#insteadOfSession(error.message, error);
    }
  }

  #insteadOfSession(reason: string, cause?: BackendError): { writer: TransactionWriter; warning: string } {
    const { program, writer } = this.#settings;
    if (writer === "session") throw new BackendError("unsupported", `no session with nft: ${reason}`, { cause });
    return {
      writer: new NftChild(program),
      warning: `nft -i cannot be used (${reason}): each change starts a program`,
    };
  }
}
