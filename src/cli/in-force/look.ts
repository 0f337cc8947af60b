// What of nftpol's rules this kernel holds, whichever backend has written them: what `status`, `cleanup` and `prove --live` go by.
// Looks only. A program that is not installed is a problem only where something of it may be there.

import { BackendError } from "../../backends/backend.ts";
import { type FoundOurs, findOurs } from "../../backends/iptables/io/find-ours.ts";
import { listTable } from "../../backends/nft/io/table-listing.ts";
import type { ReadBack } from "../../backends/nft/read-back.ts";
import { TABLE } from "../../backends/nft/ruleset.ts";
import { hasOurTable, KERNEL_NAMES } from "./kernel-names.ts";

export interface HeldRules {
  /** undefined: there is no table of ours. */
  readonly table: ReadBack | undefined;
  readonly iptables: FoundOurs;
  /** Why it was not possible to look where something of ours may be; those of `iptables` among them. */
  readonly problems: readonly BackendError[];
}

/** Throws BackendError where none of the programs is installed. Cost: about twenty short children. */
export async function lookForRules(): Promise<HeldRules> {
  const asked = await askNft(() => listTable(TABLE));
  const iptables = await lookForIptables();
  if (asked.missing !== undefined && !iptables.isInstalled) throw asked.missing;
  return { table: asked.answer, iptables, problems: [...asked.problems, ...iptables.problems] };
}

export interface NftAnswer<T> {
  readonly answer: T | undefined;
  readonly problems: readonly BackendError[];
  /** nft is not installed: nothing is there, or `problems` say that there is. */
  readonly missing: BackendError | undefined;
}

/** What comes of asking nft, or why nothing does. */
export async function askNft<T>(ask: () => Promise<T>): Promise<NftAnswer<T>> {
  try {
    return { answer: await ask(), problems: [], missing: undefined };
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    if (error.kind !== "not-installed") return { answer: undefined, problems: [error], missing: undefined };
    return { answer: undefined, problems: await problemsOfMissingNft(error), missing: error };
  }
}

async function problemsOfMissingNft(missing: BackendError): Promise<readonly BackendError[]> {
  try {
    if (!(await hasOurTable())) return [];
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return [error];
  }
  const message = `table inet ${TABLE} is in this kernel, and ${missing.message}`;
  return [new BackendError("not-installed", message, { hint: missing.hint, cause: missing })];
}

export function lookForIptables(): Promise<FoundOurs> {
  return findOurs({ kernel: KERNEL_NAMES });
}
