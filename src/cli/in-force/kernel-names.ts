// Which tables, chains and sets the kernel has by name, where the programs for them are not installed: asked of the kernel itself, and
// of chains, where that is not possible from here, of nft.

import { BackendError } from "../../backends/backend.ts";
import type { KernelNames } from "../../backends/iptables/io/find-ours.ts";
import { DEFAULT_NFT, failureOf, runNft } from "../../backends/nft/io/nft-process.ts";
import { TABLE } from "../../backends/nft/ruleset.ts";
import { listSetNames } from "../../netlink/ip-sets.ts";
import { NetlinkError } from "../../netlink/netlink-error.ts";
import { loadNetlink, type OpenNetlink } from "../../netlink/netlink-socket.ts";
import { listChains, listTables, type NfChain } from "../../netlink/nf-tables.ts";

/** Throws BackendError. */
export async function hasOurTable(): Promise<boolean> {
  const tables = await askKernel(listTables);
  return tables.some(({ family, name }) => family === "inet" && name === TABLE);
}

export const KERNEL_NAMES: KernelNames = {
  hasNftChain: async (family, prefix) => {
    const wanted = family === 4 ? "ip" : "ip6";
    const chains = await askKernel(listChains, () => chainsByNft(wanted));
    return chains.some(
      ({ table, name }) => table.family === wanted && table.name === "filter" && name.startsWith(prefix),
    );
  },
  hasSet: async (prefix) => (await askKernel(listSetNames)).some((name) => name.startsWith(prefix)),
};

/** `otherwise`: where netlink cannot be had. Throws BackendError where nobody says. */
async function askKernel<T>(list: (open: OpenNetlink) => Promise<T>, otherwise?: () => Promise<T>): Promise<T> {
  try {
    return await list(await loadNetlink());
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    if (error.kind === "unavailable" && otherwise !== undefined) return otherwise();
    const kind = error.code === "EPERM" ? "not-permitted" : "unsupported";
    throw new BackendError(kind, `what the kernel holds is not known: ${error.message}`, {
      hint: "run as root (CAP_NET_ADMIN), with nftables and iptables installed",
      cause: error,
    });
  }
}

async function chainsByNft(family: "ip" | "ip6"): Promise<readonly NfChain[]> {
  const outcome = await runNft(DEFAULT_NFT, ["list", "chains", family]);
  if (outcome.code !== 0) throw failureOf(outcome);
  return chainsInListing(outcome.stdout, family);
}

/** Of `nft list chains FAMILY`. */
export function chainsInListing(text: string, family: "ip" | "ip6"): readonly NfChain[] {
  const chains: NfChain[] = [];
  let table = "";
  for (const line of text.split("\n")) {
    table = /^table \S+ (\S+) \{/.exec(line)?.[1] ?? table;
    const name = /^\s+chain (\S+) \{/.exec(line)?.[1];
    if (name !== undefined) chains.push({ table: { family, name: table }, name });
  }
  return chains;
}
