// A table as the kernel has it now: asked of the nft program, read by `read-back.ts`. Owns what is said when that cannot be read.

import { BackendError } from "../../backend.ts";
import { excerpt, saysNotThere } from "../nft-output.ts";
import { type ReadBack, readTable } from "../read-back.ts";
import { DEFAULT_NFT, failureOf, type NftProgram, runNft } from "./nft-process.ts";

/**
 * The table `inet NAME` of the current network namespace; undefined: there is no such table. Throws BackendError.
 * Cost: one child process; the kernel lists the whole table.
 */
export async function listTable(table: string, program: NftProgram = DEFAULT_NFT): Promise<ReadBack | undefined> {
  const outcome = await runNft(program, listTableArguments(table));
  if (outcome.code === 0) return readListing(table, outcome.stdout);
  if (saysNotThere(outcome.stderr)) return undefined;
  throw failureOf(outcome);
}

export function listTableArguments(table: string): readonly string[] {
  return ["-j", "list", "table", "inet", table];
}

/** Throws BackendError where nft wrote what is no JSON (1.0.6 does for flags that it does not know), or JSON of another shape. */
export function readListing(table: string, text: string): ReadBack {
  try {
    return readTable(table, text);
  } catch (cause) {
    throw new BackendError("broken", `nft does not list table inet ${table} in words that can be read`, {
      hint: `another process may own it (nft list table inet ${table} shows its flag owner): end that process, or use nft >= 1.1.3`,
      output: excerpt(text.slice(0, 1_000)),
      cause,
    });
  }
}
