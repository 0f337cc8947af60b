// How an agent writes whose packets are tested: with the oldest and the newest nft at hand, through a session and with a child for
// each transaction; and with both variants of iptables. Owns the choice, and how the agent is told.

import { dirname } from "node:path";
import { expect } from "vitest";
import { findProgram } from "../../scripts/system-tools.ts";
import { nftBinaries } from "./nft-binaries.ts";

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

/** Two for each nft, the oldest's first; empty where there is no nft. The nft between them are test/kernel's. */
export function nftWays(): readonly WayToWrite[] {
  const known = nftBinaries();
  const ends = known.filter((_, index) => index === 0 || index === known.length - 1);
  return ends.flatMap(({ origin, path, version }) =>
    (["session", "child"] as const).map((writer) => ({
      name: `nft of ${origin}, ${writer}`,
      args: ["--backend", "nft", "--nft-writer", writer],
      logged: {
        backend: expect.stringContaining(`v${version.join(".")} `),
        writer: writer === "session" ? "nft -i" : "nft -f",
      },
      path: `${dirname(path)}:${process.env.PATH}`,
    })),
  );
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
