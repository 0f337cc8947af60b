// Owns the nft backend's place in a namespace: our backend with one nft and one way to write, beside tables of other software that
// must stay what they are.
import { expect } from "vitest";
import { NftKernelTable } from "../../src/backends/nft/io/nft-kernel-table.ts";
import type { NftBackend } from "../../src/backends/nft/nft-backend.ts";
import { openNftBackend } from "../../src/backends/nft/open-backend.ts";
import { renderTransaction } from "../../src/backends/nft/transaction.ts";
import { loadInsideNetns } from "../../src/lab/netns.ts";
import { loadSetElements, type OpenSetElements } from "../../src/netlink/set-elements.ts";
import type { BackendBench } from "./backend-suite.ts";
import { type Netns, withNetns } from "./netns.ts";
import { nftBench } from "./nft-bench.ts";
import { nftBinaries } from "./nft-binaries.ts";
import { type NftInNetns, withNftIn } from "./nft-in-netns.ts";
import { SUITE_OPTIONS } from "./policy-cluster.ts";

/** Tables of other software, with names like ours. */
const OTHERS = `
table inet nftpolicy {
  set isolated4 { typeof ip saddr; size 64; elements = { 10.1.0.0 } }
  map egress4 { typeof ip saddr : verdict; elements = { 10.1.0.0 : jump forward } }
  counter drop_ingress { packets 3 bytes 99 }
  chain forward { ip saddr @isolated4 counter name drop_ingress drop comment "not nftpol's"; }
  chain input { type filter hook input priority -5; policy accept; jump forward; }
}
table ip nftpol { chain forward { type filter hook forward priority 0; policy accept; }; }
table ip6 nat { chain x { masquerade; }; }
`;

export interface KernelBench extends BackendBench {
  readonly nft: NftInNetns;
  open(onTransaction?: (text: string) => void, timeoutMs?: number): NftBackend;
}

/** `netlink`: changes of elements without nft, everything else through a session. */
export type Writer = "session" | "child" | "netlink";

export function nftWriterOf(writer: Writer): "session" | "child" {
  return writer === "netlink" ? "session" : writer;
}

/** Opens sockets for this writer in that namespace; undefined: it does without. */
export async function elementSocketsOf(writer: Writer, ns: Netns): Promise<OpenSetElements | undefined> {
  if (writer !== "netlink") return undefined;
  const [inside, open] = await Promise.all([loadInsideNetns(), loadSetElements()]);
  return () => inside(ns.name, open);
}

export async function withKernelBench(
  path: string,
  writer: Writer,
  body: (bench: KernelBench) => Promise<void>,
): Promise<void> {
  await withNetns((ns) =>
    withNftIn(ns, path, async (nft) => {
      await nft.load(OTHERS);
      const before = await nft.list("-a", "list", "ruleset");
      const backends: NftBackend[] = [];
      const openElements = await elementSocketsOf(writer, ns);
      const program = { binary: nft.launcher, timeoutMs: 30_000 };
      const reader = new NftKernelTable({ program, options: SUITE_OPTIONS, writer: "child" });
      try {
        const open = (onTransaction?: (text: string) => void, timeoutMs?: number) => {
          const backend = openNftBackend({
            options: SUITE_OPTIONS,
            nftBinary: nft.launcher,
            writer: nftWriterOf(writer),
            elements: openElements?.(),
            onTransaction,
            timeoutMs,
          });
          backends.push(backend);
          return backend;
        };
        const bench = nftBench({
          open,
          table: () => reader.read(),
          foreign: (transaction) => nft.load(renderTransaction(transaction)),
          fingerprint: () => nft.list("-a", "list", "table", "inet", "nftpol"),
        });
        await body({ ...bench, open, nft });
      } finally {
        for (const backend of backends) await backend.close();
      }
      await nft.load("add table inet nftpol\ndelete table inet nftpol\n");
      expect(await nft.list("-a", "list", "ruleset")).toBe(before);
      expect(await nft.pids()).toEqual([]);
    }),
  );
}

/**
 * Every nft at hand with a session; the oldest with children, too, which are given the same text, and the oldest and the newest
 * beside a netlink socket.
 */
export function waysToWrite(): readonly { readonly name: string; readonly path: string; readonly writer: Writer }[] {
  return nftBinaries().flatMap(({ origin, path }, index, all) => {
    const oldest: Writer[] = ["session", "child", "netlink"];
    // Through netlink go elements only; all else goes through a session there, too.
    const writers: Writer[] = index === 0 ? oldest : [index === all.length - 1 ? "netlink" : "session"];
    return writers.map((writer) => ({ name: `${origin}, ${writer}`, path, writer }));
  });
}
