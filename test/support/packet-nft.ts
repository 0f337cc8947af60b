// How an agent writes whose packets are tested: with the oldest and the newest nft at hand, through a session and with a child for
// each transaction. Owns the choice, and how the agent is told.

import { dirname } from "node:path";
import { expect } from "vitest";
import { nftBinaries } from "./nft-binaries.ts";

export interface WayToWrite {
  /** For test names: `nft-trixie, child`. */
  readonly name: string;
  /** For `nftpol agent`. */
  readonly args: readonly string[];
  /** What a started agent logs about it. */
  readonly logged: { readonly backend: unknown; readonly writer: string };
  /** The agent takes nft from PATH: this one comes first in it. */
  readonly path: string;
}

/** Two for each nft, the oldest's first; empty where there is no nft. The nft between them are test/kernel's. */
export function waysToWrite(): readonly WayToWrite[] {
  const known = nftBinaries();
  const ends = known.filter((_, index) => index === 0 || index === known.length - 1);
  return ends.flatMap(({ origin, path, version }) =>
    (["session", "child"] as const).map((writer) => ({
      name: `${origin}, ${writer}`,
      args: ["--nft-writer", writer],
      logged: {
        backend: expect.stringContaining(`v${version.join(".")} `),
        writer: writer === "session" ? "nft -i" : "nft -f",
      },
      path: `${dirname(path)}:${process.env.PATH}`,
    })),
  );
}
