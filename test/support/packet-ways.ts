// How an agent writes whose packets are tested: with the oldest and the newest nft at hand, one with a child for each transaction and one
// through a netlink socket and a session; and with both variants of iptables. Owns the choice, and how the agent is told.

import { dirname } from "node:path";
import { expect } from "vitest";
import { findProgram } from "../../scripts/system-tools.ts";
import { type NftBinary, nftBinaries } from "./nft-binaries.ts";

export interface WayToWrite {
  /** For test names: `nft-trixie, child`. */
  readonly name: string;
  /** For `nftpol agent`. */
  readonly args: readonly string[];
  /** What a started agent logs about it. */
  readonly logged: { readonly backend: unknown; readonly writer: string };
  /** The agent takes its programs from PATH: these come first in it. */
  readonly path: string;
}

/** The oldest nft with a child for each transaction, the newest with a session; empty where there is no nft. The others are test/kernel's. */
export function nftWays(): readonly WayToWrite[] {
  const known = nftBinaries();
  const [oldest, newest] = [known[0], known.at(-1)];
  return [
    ...(oldest === undefined ? [] : [nftWay(oldest, "child")]),
    ...(newest === undefined ? [] : [nftWay(newest, "session")]),
  ];
}

function nftWay({ origin, path, version }: NftBinary, writer: "session" | "child"): WayToWrite {
  return {
    name: `nft of ${origin}, ${writer}`,
    args: ["--backend", "nft", "--nft-writer", writer, "--netlink", writer === "session" ? "auto" : "off"],
    logged: {
      backend: expect.stringContaining(`v${version.join(".")} `),
      writer: writer === "session" ? "netlink, nft -i" : "nft -f",
    },
    path: `${dirname(path)}:${process.env.PATH}`,
  };
}

/** One for each variant of iptables; empty where it is not installed. */
export function iptablesWays(): readonly WayToWrite[] {
  const variants = { nft: "(nf_tables)", legacy: "(legacy)" };
  return Object.entries(variants)
    .filter(
      ([variant]) => findProgram(`iptables-${variant}-restore`) !== undefined && findProgram("ipset") !== undefined,
    )
    .map(([variant, word]) => ({
      name: `iptables-${variant}`,
      args: ["--backend", "iptables", "--iptables-variant", variant],
      logged: { backend: expect.stringContaining(word), writer: `iptables-${variant}-restore` },
      path: process.env.PATH ?? "",
    }));
}

export function waysToWrite(): readonly WayToWrite[] {
  return [...nftWays(), ...iptablesWays()];
}
