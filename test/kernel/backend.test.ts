// The nft backend over a real kernel, with every nft at hand and both ways to write: what every backend has to do, and what others may
// do to our table. Other tables are the same before and after each test, to the letter.
import { describe, expect, it } from "vitest";
import { backendSuite } from "../support/backend-suite.ts";
import { expectedText } from "../support/comparable-ruleset.ts";
import { describeKernel } from "../support/kernel.ts";
import { type KernelBench, waysToWrite, withKernelBench } from "../support/nft-kernel-bench.ts";
import { allowingPolicy, graphOf, numberedPod, webAndClients } from "../support/policy-cluster.ts";
import { eventOf } from "../support/random-cluster.ts";

describeKernel("the nft backend over the kernel", () => {
  describe.each(waysToWrite())("with nft of $name", ({ path, writer }) => {
    const withBench = (body: (bench: KernelBench) => Promise<void>) => withKernelBench(path, writer, body);

    backendSuite(withBench);

    it("has what it needs, and probing leaves nothing behind", () =>
      withBench(async ({ open, nft }) => {
        const before = await nft.list("list", "ruleset");
        const facts = await open().probe();
        expect(facts).toMatchObject({
          version: expect.stringMatching(/^nftables v\d/),
          writer: { session: "nft -i", child: "nft -f", netlink: "netlink, nft -i" }[writer],
        });
        expect(await nft.list("list", "ruleset")).toBe(before);
      }));

    it("a base chain stays what it is while everything behind it changes", () =>
      withBench(async ({ open, nft }) => {
        await open().install(graphOf(...webAndClients).program());
        const handle = async () =>
          /chain forward \{ # handle (\d+)/.exec(await nft.list("-a", "list", "table", "inet", "nftpol"))?.[1];
        const before = await handle();
        expect(before).toMatch(/^\d+$/);
        const graph = graphOf(numberedPod(9, { app: "other" }, "n1"), allowingPolicy("other", "other", "more"));
        const backend = open();
        expect(await backend.install(graph.program())).toMatchObject({ how: "adopted" });
        for (const object of webAndClients) graph.apply(eventOf(object));
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
      ["a counter of somebody else", /^counter foreign is not ours$/, "repaired", "add counter inet nftpol foreign"],
      ["a quota object", /^quota is not ours/, "replaced", "add quota inet nftpol q { over 1 mbytes }"],
      [
        "a map that jumps into our chains",
        /^map foreign is not ours/,
        "repaired",
        "add map inet nftpol foreign { typeof ip saddr : verdict; }; add element inet nftpol foreign { 10.0.0.1 : jump midstream }",
      ],
    ])("sees and repairs %s", (_, sentence, how, commands) =>
      withBench(async ({ open, found, nft }) => {
        const graph = graphOf(...webAndClients);
        const backend = open();
        await backend.install(graph.program());
        await nft.load(`${commands}\n`);
        const { differences, repair } = await backend.verify();
        expect(differences).toEqual(expect.arrayContaining([expect.stringMatching(sentence)]));
        expect(repair).toMatchObject({ how });
        expect(await found()).toBe(expectedText(graph));
        expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
        // The next start would find the same, and put it right before anything else.
        await nft.load(`${commands}\n`);
        await open().install(graph.program());
        expect(await found()).toBe(expectedText(graph));
      }),
    );

    it("counts the packets of the named counters", () =>
      withBench(async ({ open, nft }) => {
        const backend = open();
        await backend.install(graphOf(...webAndClients).program());
        await nft.load(
          "flush table inet nftpol\ndelete counter inet nftpol drop_egress\nadd counter inet nftpol drop_egress { packets 5 bytes 7 }\n",
        );
        expect(await backend.dropped()).toEqual({ ingress: 0, egress: 5, midstream: 0, unknown: 0 });
      }));
  });
});
