// Our rules beside software that works on the same tables: what flushes or replaces them is noticed and repaired, what leaves them alone
// disturbs nothing, and a start touches nothing that is as it should be.
import { describe, expect, it } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { VARIANTS } from "../../src/backends/iptables/xtables-version.ts";
import type { Family } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { reachableText } from "../support/comparable-iptables.ts";
import { type IptablesKernelBench, programName, withIptablesKernelBench } from "../support/iptables-kernel-bench.ts";
import { describeKernel } from "../support/kernel.ts";
import { allowingPolicy, graphOf, numberedPod, webAndClients } from "../support/policy-cluster.ts";
import { eventOf, removalOf } from "../support/random-cluster.ts";
import { XTABLES_PROGRAMS } from "../support/xtables-in-netns.ts";

const NOTICED = { timeout: 10_000, interval: 20 };

const SEND_TO_ITSELF = `
  const socket = require("node:dgram").createSocket("udp4");
  socket.send("x", 9, "127.0.0.1", () => socket.close());
`;

describeKernel(
  "the iptables backend",
  () => {
    describe.each(VARIANTS)("with the variant %s", (variant) => {
      const withBench = (body: (bench: IptablesKernelBench) => Promise<void>) => withIptablesKernelBench(variant, body);
      const program = (family: Family) => programName(variant, family);

      it.each<[string, (bench: IptablesKernelBench) => Promise<unknown>]>([
        ["a flushed FORWARD", ({ xtables }) => xtables.sh(`${program(4)} -F FORWARD`)],
        ["a flushed table", ({ xtables }) => xtables.sh(`${program(6)} -F`)],
        ["tables that were restored without ours", ({ restartOthers }) => restartOthers()],
      ])("%s is noticed soon, also by an agent that had nothing to write, and repaired", (_, act) =>
        withBench(async (bench) => {
          const { open, settings, found, expected, restartOthers } = bench;
          const graph = graphOf(...webAndClients);
          await open().install(graph.program());
          const backend = open(undefined, { ...settings, watchEveryMs: 20 });
          expect(await backend.install(graph.program())).toMatchObject({ how: "adopted", operations: 0 });
          await act(bench);
          await expect.poll(() => backend.changedByOthers(), NOTICED).toBe(true);
          const { differences, repair } = await backend.verify();
          expect(differences).toEqual(
            expect.arrayContaining([expect.stringMatching(/^chain FORWARD of IPv\d lacks our jump$/)]),
          );
          expect(repair).toMatchObject({ how: "repaired" });
          expect(await found()).toBe(expected(graph));
          // Now that it has written, too.
          await act(bench);
          await expect.poll(() => backend.changedByOthers(), NOTICED).toBe(true);
          await backend.verify();
          expect(await found()).toBe(expected(graph));
          await restartOthers();
        }),
      );

      it("neither the tables of others nor their chains in ours disturb", () =>
        withBench(async ({ open, xtables, programs, found, expected, restartOthers }) => {
          const graph = graphOf(...webAndClients);
          const backend = open();
          await backend.install(graph.program());
          // As kube-proxy does it: chains of its own, emptied and filled, and a jump that is there already.
          const sync = [
            "*filter",
            ":KUBE-FORWARD - [0:0]",
            ":KUBE-SERVICES - [0:0]",
            "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP",
            "-A KUBE-SERVICES -m comment --comment nftpol -j RETURN",
            "COMMIT",
            "",
          ].join("\n");
          const replaced =
            "*nat\n:PREROUTING ACCEPT [0:0]\n:OTHER - [0:0]\n-A OTHER -j RETURN\nCOMMIT\n*mangle\nCOMMIT\n";
          const own = async () =>
            [await programs.save(4), await programs.save(6)]
              .join("")
              .split("\n")
              .filter((line) => line.includes("NFTPOL-"));
          const before = await own();
          for (const family of [4, 6] as const) {
            await xtables.sh(`${program(family)}-restore --noflush`, sync);
            await xtables.sh(`${program(family)}-restore`, replaced);
          }
          expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
          expect(await found()).toBe(expected(graph));
          expect(await own()).toEqual(before);
          await restartOthers();
        }));

      it("a start that has something to change leaves the counters of what it does not change", () =>
        withBench(async ({ open, xtables, found, expected, programs }) => {
          await open().install(graphOf(...webAndClients).program());
          // From this node to itself: through OUTPUT and INPUT.
          await xtables.sh(`${process.execPath} -e '${SEND_TO_ITSELF}'`);
          const counted = async () =>
            (await programs.save(4, { counters: true }))
              .split("\n")
              .filter((line) => /^\[[1-9]\d*:\d+\] -A (OUTPUT|INPUT|NFTPOL-)/.test(line));
          const before = await counted();
          expect(before.filter((line) => line.includes("NFTPOL-")).length).toBeGreaterThanOrEqual(3);
          const graph = graphOf(...webAndClients, allowingPolicy("more", "web", "other"));
          expect((await open().install(graph.program())).operations).toBeGreaterThan(0);
          expect(await found()).toBe(expected(graph));
          expect(await counted()).toEqual(before);
        }));

      it("a jump that no option asks for any more goes, and one that somebody puts there is named", () =>
        withBench(async ({ open, settings, rules, xtables }) => {
          const every = graphOf(...webAndClients);
          await open().install(every.program());
          const plain = { ...every.program(), options: DEFAULT_PROGRAM_OPTIONS, closed: undefined };
          const backend = open(undefined, { ...settings, options: DEFAULT_PROGRAM_OPTIONS });
          await backend.install(plain);
          expect((await rules()).jumps[4].map(({ chain }) => chain)).not.toContain("OUTPUT");
          await xtables.sh(`${program(4)} -I OUTPUT -m comment --comment nftpol -j NFTPOL-FORWARD`);
          expect(await backend.verify()).toMatchObject({
            differences: ["chain OUTPUT of IPv4 jumps to us, and should not"],
            repair: { how: "repaired" },
          });
          expect((await rules()).jumps[4].map(({ chain }) => chain)).not.toContain("OUTPUT");
        }));

      it("rules of others that lead to our chains, or look up our sets, keep nothing from being changed", () =>
        withBench(async ({ open, rules, xtables, met, found, expected }) => {
          const graph = graphOf(...webAndClients);
          const more = allowingPolicy("more", "web", "other", 9090);
          graph.apply(eventOf(more));
          graph.flush();
          const backend = open();
          await backend.install(graph.program());
          const { chains, sets } = (await rules()).ruleset;
          const chain = [...chains[4].keys()].find((name) => name.startsWith("NFTPOL-i-"));
          const set = [...sets.keys()].find((name) => name.startsWith("NFTPOL-i4-"));
          const others = [
            `KUBE-FORWARD -s 192.0.2.1 -j ${chain}`,
            `KUBE-FORWARD -m set --match-set ${set} src -j RETURN`,
          ];
          for (const rule of others) await xtables.sh(`${program(4)} -A ${rule}`);
          graph.apply(removalOf(more));
          // The kernel does not delete the chain.
          await expect(backend.apply(graph.flush())).rejects.toMatchObject({ kind: "refused" });
          expect(await backend.apply(graph.flush())).toMatchObject({ how: "replaced", refusal: { kind: "refused" } });
          const fresh = reachableText(compileRuleset(graph.program()));
          expect(await met()).toBe(fresh);
          graph.apply(eventOf(numberedPod(5, { app: "client" })));
          expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
          graph.apply(eventOf(more));
          expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
          for (const rule of others) await xtables.sh(`${program(4)} -D ${rule}`);
          await backend.verify();
          expect(await found()).toBe(expected(graph));
        }));

      it("drops are counted by reason, and counters go on over changes", () =>
        withBench(async ({ open, xtables, restartOthers }) => {
          const graph = graphOf(...webAndClients);
          const backend = open();
          await backend.install(graph.program());
          // Counters as others may restore them. Of IPv6 the variant nft 1.8.9 restores none.
          const counters = "*filter\n:NFTPOL-DROP-EGRESS - [0:0]\n[5:300] -A NFTPOL-DROP-EGRESS -j DROP\nCOMMIT\n";
          for (const family of [4, 6] as const) await xtables.sh(`${program(family)}-restore --noflush -c`, counters);
          const dropped = { ingress: 0, egress: variant === "nft" ? 5 : 10, midstream: 0, unknown: 0 };
          expect(await backend.dropped()).toEqual(dropped);
          graph.apply(eventOf(numberedPod(5, { app: "client" })));
          graph.apply(eventOf(allowingPolicy("more", "web", "other")));
          expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
          expect(await backend.dropped()).toEqual(dropped);
          expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
          await restartOthers();
          expect(await backend.dropped()).toBeUndefined();
        }));
    });
  },
  XTABLES_PROGRAMS,
);
