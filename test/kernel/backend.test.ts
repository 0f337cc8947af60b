// The backend over a real kernel, with every nft at hand and both ways to write: what every backend has to do, what others may do
// to our table, and what may happen to nft. Other tables are the same before and after each test, to the letter.
import { describe, expect, it } from "vitest";
import { NftKernelTable } from "../../src/backends/nft/io/nft-kernel-table.ts";
import type { NftBackend } from "../../src/backends/nft/nft-backend.ts";
import { openNftBackend } from "../../src/backends/nft/open-backend.ts";
import { renderTransaction } from "../../src/backends/nft/transaction.ts";
import { type BackendBench, backendSuite, expectedText, graphOf, SUITE_OPTIONS } from "../support/backend-suite.ts";
import { foundText } from "../support/comparable-ruleset.ts";
import { describeKernel } from "../support/kernel.ts";
import { withNetns } from "../support/netns.ts";
import { nftBinaries } from "../support/nft-binaries.ts";
import { type NftInNetns, withNftIn } from "../support/nft-in-netns.ts";
import { allowingPolicy, numberedPod } from "../support/policy-cluster.ts";
import { eventOf, removalOf } from "../support/random-cluster.ts";

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

interface KernelBench extends BackendBench {
  readonly nft: NftInNetns;
  open(onTransaction?: (text: string) => void, timeoutMs?: number): NftBackend;
}

type Writer = "session" | "child";

async function withKernelBench(
  path: string,
  writer: Writer,
  body: (bench: KernelBench) => Promise<void>,
): Promise<void> {
  await withNetns((ns) =>
    withNftIn(ns, path, async (nft) => {
      await nft.load(OTHERS);
      const before = await nft.list("-a", "list", "ruleset");
      const backends: NftBackend[] = [];
      const program = { binary: nft.launcher, timeoutMs: 30_000 };
      const reader = new NftKernelTable({ program, options: SUITE_OPTIONS, writer: "child" });
      try {
        await body({
          nft,
          open: (onTransaction, timeoutMs) => {
            const settings = { options: SUITE_OPTIONS, nftBinary: nft.launcher, writer, onTransaction, timeoutMs };
            const backend = openNftBackend(settings);
            backends.push(backend);
            return backend;
          },
          found: () => reader.read(),
          foreign: (transaction) => nft.load(renderTransaction(transaction)),
          fingerprint: () => nft.list("-a", "list", "table", "inet", "nftpol"),
        });
      } finally {
        for (const backend of backends) await backend.close();
      }
      await nft.load("add table inet nftpol\ndelete table inet nftpol\n");
      expect(await nft.list("-a", "list", "ruleset")).toBe(before);
      expect(await nft.pids()).toEqual([]);
    }),
  );
}

const objects = [
  numberedPod(0, { app: "web" }, "n1"),
  ...[1, 2, 3].map((index) => numberedPod(index, { app: "client" })),
  allowingPolicy("web", "web", "client", 8080),
];

const binaries = nftBinaries();
const ways = binaries.flatMap(({ origin, path }) =>
  (["session", "child"] as const).map((writer) => ({ name: `${origin}, ${writer}`, path, writer })),
);

describeKernel("the backend over the kernel", () => {
  describe.each(ways)("with nft of $name", ({ path, writer }) => {
    const withBench = (body: (bench: KernelBench) => Promise<void>) => withKernelBench(path, writer, body);

    backendSuite(withBench);

    it("has what it needs, and probing leaves nothing behind", () =>
      withBench(async ({ open, nft }) => {
        const before = await nft.list("list", "ruleset");
        const facts = await open().probe();
        expect(facts).toMatchObject({
          version: expect.stringMatching(/^nftables v\d/),
          writer: writer === "session" ? "nft -i" : "nft -f",
        });
        expect(await nft.list("list", "ruleset")).toBe(before);
      }));

    it("a base chain stays what it is while everything behind it changes", () =>
      withBench(async ({ open, nft }) => {
        await open().install(graphOf(...objects).program());
        const handle = async () =>
          /chain forward \{ # handle (\d+)/.exec(await nft.list("-a", "list", "table", "inet", "nftpol"))?.[1];
        const before = await handle();
        expect(before).toMatch(/^\d+$/);
        const graph = graphOf(numberedPod(9, { app: "other" }, "n1"), allowingPolicy("other", "other", "more"));
        const backend = open();
        expect(await backend.install(graph.program())).toMatchObject({ how: "adopted" });
        for (const object of objects) graph.apply(eventOf(object));
        await backend.apply(graph.flush());
        await nft.load("flush chain inet nftpol forward\n");
        expect(await backend.verify()).toMatchObject({ repair: { how: "repaired" } });
        expect(await handle()).toBe(before);
      }));

    it.each<[string, RegExp, "repaired" | "replaced" | "created", string]>([
      [
        "a table that sleeps",
        /^flags of the table is not ours/,
        "replaced",
        "add table inet nftpol { flags dormant; }",
      ],
      ["a flushed table", /^chain forward lacks the rule: ct state/, "repaired", "flush table inet nftpol"],
      ["a deleted table", /^table nftpol is missing$/, "created", "delete table inet nftpol"],
      [
        "a rule that we do not understand",
        /^chain forward, rule 1 is not ours/,
        "repaired",
        "insert rule inet nftpol forward meta mark 7 accept",
      ],
      [
        "an accept at the top",
        /^chain forward has a rule too many: accept$/,
        "repaired",
        "insert rule inet nftpol forward accept",
      ],
      [
        "a chain that drops by default",
        /^chain forward is not ours/,
        "replaced",
        "add chain inet nftpol forward { type filter hook forward priority -5; policy drop; }",
      ],
      [
        "a base chain at another priority",
        /^chain forward is "type filter hook forward priority 7; policy accept;", not "type filter hook forward priority -5; policy accept;"$/,
        "repaired",
        "flush chain inet nftpol forward; delete chain inet nftpol forward; add chain inet nftpol forward { type filter hook forward priority 7; policy accept; }",
      ],
      [
        "a base chain of somebody else",
        /^chain early is not ours/,
        "replaced",
        "add chain inet nftpol early { type filter hook prerouting priority 0; policy accept; }",
      ],
      [
        "a base chain that could be ours",
        /^chain early is not ours$/,
        "repaired",
        "add chain inet nftpol early { type filter hook forward priority -9; policy accept; accept; }",
      ],
      [
        "a set whose elements expire",
        /^set foreign is not ours/,
        "replaced",
        "add set inet nftpol foreign { typeof ip saddr; flags timeout; }",
      ],
      [
        "our set as one with conditions",
        /^set isolated4 is not ours/,
        "replaced",
        "flush table inet nftpol; delete set inet nftpol isolated4; add set inet nftpol isolated4 { typeof ip saddr; size 1024; limit rate 1/second; }",
      ],
      [
        "our set with elements of another type",
        /^set isolated4 is declared as something else$/,
        "repaired",
        "flush table inet nftpol; delete set inet nftpol isolated4; add set inet nftpol isolated4 { typeof ip6 saddr; size 1024; }",
      ],
      ["a quota object", /^quota is not ours/, "replaced", "add quota inet nftpol q { over 1 mbytes }"],
      [
        "a map that jumps into our chains",
        /^map foreign is not ours/,
        "repaired",
        "add map inet nftpol foreign { typeof ip saddr : verdict; }; add element inet nftpol foreign { 10.0.0.1 : jump midstream }",
      ],
    ])("sees and repairs %s", (_, sentence, how, commands) =>
      withBench(async ({ open, found, nft }) => {
        const graph = graphOf(...objects);
        const backend = open();
        await backend.install(graph.program());
        await nft.load(`${commands}\n`);
        const { differences, repair } = await backend.verify();
        expect(differences).toEqual(expect.arrayContaining([expect.stringMatching(sentence)]));
        expect(repair).toMatchObject({ how });
        expect(foundText(await found())).toBe(expectedText(graph));
        expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
        // The next start would find the same, and put it right before anything else.
        await nft.load(`${commands}\n`);
        await open().install(graph.program());
        expect(foundText(await found())).toBe(expectedText(graph));
      }),
    );

    it("counts the packets of the named counters", () =>
      withBench(async ({ open, nft }) => {
        const backend = open();
        await backend.install(graphOf(...objects).program());
        await nft.load(
          "flush table inet nftpol\ndelete counter inet nftpol drop_egress\nadd counter inet nftpol drop_egress { packets 5 bytes 7 }\n",
        );
        expect(await backend.dropped()).toEqual({ ingress: 0, egress: 5, midstream: 0, unknown: 0 });
      }));

    it("an nft that hangs is ended in time; the rules are whole, and the next call goes on", () =>
      withBench(async ({ open, found, nft }) => {
        const graph = graphOf(...objects);
        const backend = open(undefined, 2_000);
        await backend.install(graph.program());
        const before = expectedText(graph);
        graph.apply(eventOf(numberedPod(5, { app: "client" })));
        // Where it is already running, as it is; where it is started for the transaction, as it starts.
        const running = await nft.pids();
        for (const pid of running) process.kill(pid, "SIGSTOP");
        if (running.length === 0) nft.stopNew(true);
        const failed = backend.apply(graph.flush());
        await expect(failed).rejects.toMatchObject({ kind: "broken", message: expect.stringContaining("within 2 s") });
        nft.stopNew(false);
        expect(foundText(await found())).toBe(before);
        for (const pid of running) expect(await nft.pids()).not.toContain(pid);
        expect(await backend.apply(graph.flush())).toMatchObject({ how: "repaired" });
        graph.apply(removalOf(objects[1] as (typeof objects)[number]));
        expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
        expect(foundText(await found())).toBe(expectedText(graph));
      }));

    it("an nft that is killed in the middle of a transaction leaves the old rules or the new ones, never a part", () =>
      withBench(async ({ open, found, nft }) => {
        const crowd = Array.from({ length: 3000 }, (_, index) => numberedPod(256 + index, { app: "crowd" }));
        const graph = graphOf(...objects, ...crowd);
        const backend = open();
        await backend.install(graph.program());
        let before = expectedText(graph);
        let broken = 0;
        for (let round = 0; round < 10; round++) {
          const policy = allowingPolicy("crowd", "web", "crowd", 9090);
          graph.apply(round % 2 === 0 ? eventOf(policy) : removalOf(policy));
          const writing = backend.apply(graph.flush()).then(
            () => "done",
            (error: { kind: string }) => error.kind,
          );
          await killNft(nft, writing, round * 2);
          const outcome = await writing;
          const after = expectedText(graph);
          const now = foundText(await found());
          if (outcome === "done") expect(now).toBe(after);
          else {
            expect(outcome).toBe("broken");
            expect([before, after]).toContain(now);
            broken++;
            expect(["repaired", "unchanged"]).toContain((await backend.apply(graph.flush())).how);
            expect(foundText(await found())).toBe(after);
          }
          before = after;
        }
        expect(broken).toBeGreaterThan(0);
      }));
  });
});

/** Ends all of nft some time after it began to work, or at once if it does not begin. */
async function killNft(nft: NftInNetns, writing: Promise<unknown>, delayMs: number): Promise<void> {
  let ended = false;
  void writing.then(() => {
    ended = true;
  });
  let pids = await nft.pids();
  while (!ended && pids.length === 0) pids = await nft.pids();
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It was faster.
    }
  }
}
