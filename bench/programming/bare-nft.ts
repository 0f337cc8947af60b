// The floor: a network namespace that gets every transaction, too, through the least that an nft that stays can be asked with, without
// time-outs, errors that are understood, or renewal. Owns its nft and its file. It is started as the agent's nft is: where the
// scheduler makes a group of each session of processes, one in the agent's own session gets another share of a busy machine.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { spawnOptions } from "../../src/backends/child-process.ts";
import { findBatchFolder } from "../../src/backends/nft/io/batch-file.ts";
import { DEFAULT_NFT } from "../../src/backends/nft/io/nft-process.ts";
import { listTable } from "../../src/backends/nft/io/table-listing.ts";
import type { ReadBack } from "../../src/backends/nft/read-back.ts";
import { type InsideNetns, loadInsideNetns } from "../../src/lab/netns.ts";

export class BareNft {
  readonly #inside: <T>(body: () => T) => T;
  readonly #file: string;
  readonly #nft: string;
  readonly #session: ChildProcessByStdio<Writable, null, Readable>;
  #said = "";
  #count = 0;
  #answered: (answer: string) => void = () => {};

  private constructor(inside: InsideNetns, netns: string, nft: string, folder: string) {
    this.#nft = nft;
    this.#inside = (body) => inside(netns, body);
    this.#file = join(folder, `nftpol-bench-${process.pid}.nft`);
    this.#session = this.#inside(() => spawn(nft, ["-i"], { stdio: ["pipe", "ignore", "pipe"], ...spawnOptions() }));
    this.#session.stderr.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
  }

  /** In a namespace of that name, without a table so far. */
  static async start(netns: string, nft: string): Promise<BareNft> {
    const folder = findBatchFolder();
    if (folder === undefined) throw new Error("no folder for batches can be written to");
    return new BareNft(await loadInsideNetns(), netns, nft, folder);
  }

  get pid(): number {
    return this.#session.pid as number;
  }

  /** Milliseconds until nft is ready for more. Throws where nft refuses. */
  async include(text: string): Promise<number> {
    const begin = performance.now();
    writeFileSync(this.#file, text);
    const answer = new Promise<string>((resolve) => {
      this.#answered = resolve;
    });
    this.#session.stdin.write(`include "${this.#file}"\nbare_${++this.#count}\n`);
    const said = await answer;
    const took = performance.now() - begin;
    unlinkSync(this.#file);
    if (said.includes(this.#file)) throw new Error(`the floor's nft refused: ${said.slice(0, 500)}`);
    return took;
  }

  /** The same through a program that is started for it: `nft -f -`. */
  async child(text: string): Promise<number> {
    const begin = performance.now();
    const child = this.#inside(() =>
      spawn(this.#nft, ["-f", "-"], { stdio: ["pipe", "ignore", "inherit"], ...spawnOptions() }),
    );
    child.stdin.end(text);
    const code = await new Promise((resolve, reject) => child.on("close", resolve).on("error", reject));
    if (code !== 0) throw new Error(`the floor's nft -f ended with ${code}`);
    return performance.now() - begin;
  }

  read(table: string): Promise<ReadBack | undefined> {
    return this.#inside(() => listTable(table, { ...DEFAULT_NFT, binary: this.#nft }));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#session.on("close", resolve));
    this.#session.stdin.end();
    await closed;
  }

  #hear(text: string): void {
    this.#said += text;
    if (!this.#said.includes(`\nbare_${this.#count}\n`) || !/\^\n$/.test(this.#said)) return;
    const answer = this.#said;
    this.#said = "";
    this.#answered(answer);
  }
}
