// What of nftpol's rules this kernel holds, whichever backend has written them: what `status`, `cleanup` and `prove --live` go by.
// Looks only. A program that is not installed is a problem only where something of it may be there.

import { BackendError } from "../../backends/backend.ts";
import { type FoundOurs, findOurs } from "../../backends/iptables/io/find-ours.ts";
import { listTable } from "../../backends/nft/io/table-listing.ts";
import type { ReadBack } from "../../backends/nft/read-back.ts";
import { TABLE } from "../../backends/nft/ruleset.ts";
import type { Family } from "../../net/address.ts";
import { NetlinkError } from "../../netlink/netlink-error.ts";
import { loadNetlink, type OpenNetlink } from "../../netlink/netlink-socket.ts";
import { listChains, listTables } from "../../netlink/nf-tables.ts";

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
    const tables = await askKernel(listTables);
    if (!tables.some(({ family, name }) => family === "inet" && name === TABLE)) return [];
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return [error];
  }
  const message = `table inet ${TABLE} is in this kernel, and ${missing.message}`;
  return [new BackendError("not-installed", message, { hint: missing.hint, cause: missing })];
}

export function lookForIptables(): Promise<FoundOurs> {
  return findOurs({ hasNftChains });
}

async function hasNftChains(family: Family, prefix: string): Promise<boolean> {
  const wanted = family === 4 ? "ip" : "ip6";
  const chains = await askKernel(listChains);
  return chains.some(
    ({ table, name }) => table.family === wanted && table.name === "filter" && name.startsWith(prefix),
  );
}

/** Throws BackendError where the kernel does not say. */
async function askKernel<T>(list: (open: OpenNetlink) => Promise<T>): Promise<T> {
  try {
    return await list(await loadNetlink());
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    const kind = error.code === "EPERM" ? "not-permitted" : "unsupported";
    throw new BackendError(kind, `what nftables hold is not known: ${error.message}`, {
      hint: "run as root (CAP_NET_ADMIN), with nftables and iptables installed",
      cause: error,
    });
  }
}
