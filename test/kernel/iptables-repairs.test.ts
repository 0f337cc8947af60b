// What others may do to our chains, jumps and sets with the programs of iptables and ipset: it is named, and repaired by the difference,
// now and at the next start. Their own chains and sets are the same afterwards, to the letter.
import { beforeAll, describe, expect, it } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { splitName } from "../../src/backends/iptables/set-tags.ts";
import { VARIANTS, type Variant } from "../../src/backends/iptables/xtables-version.ts";
import { programName, sharedIptablesBench } from "../support/iptables-kernel-bench.ts";
import { describeKernel } from "../support/kernel.ts";
import { graphOf, webAndClients } from "../support/policy-cluster.ts";
import { XTABLES_PROGRAMS } from "../support/xtables-in-netns.ts";

/** What commands need to know. */
interface Names {
  readonly ipt: string;
  readonly ip6t: string;
  /** A set's name in the kernel, by the beginning of its own. */
  set(start: string): string;
  element(start: string): string;
}

interface Case {
  readonly name: string;
  readonly sentence: RegExp;
  readonly commands: (names: Names) => string;
  /** Takes back what others have put among their own. */
  readonly undo?: (names: Names) => string;
}

/** The set that packets to pods are looked up in, as one that it cannot be. */
const remade =
  (declaration: string) =>
  ({ ipt, set }: Names) =>
    `${ipt} -F NFTPOL-FORWARD; ${ipt} -F NFTPOL-OUTPUT; ipset destroy ${set("NFTPOL-ingress4")}; ipset create ${set("NFTPOL-ingress4")} ${declaration}`;

const CASES: readonly Case[] = [
  {
    name: "a rule with a match that we do not use",
    sentence: /^chain NFTPOL-FORWARD of IPv4, rule 1 is not ours: -A NFTPOL-FORWARD -m mark --mark 0x7 -j RETURN$/,
    commands: ({ ipt }) => `${ipt} -I NFTPOL-FORWARD 1 -m mark --mark 7 -j RETURN`,
  },
  {
    name: "an accept at the top",
    sentence: /^chain NFTPOL-FORWARD of IPv6, rule 1 is not ours: -A NFTPOL-FORWARD -j ACCEPT$/,
    commands: ({ ip6t }) => `${ip6t} -I NFTPOL-FORWARD 1 -j ACCEPT`,
  },
  {
    name: "another target at the end",
    sentence: /^chain NFTPOL-DROP-EGRESS of IPv4, rule 2 is not ours: -A NFTPOL-DROP-EGRESS -j REJECT/,
    commands: ({ ipt }) => `${ipt} -A NFTPOL-DROP-EGRESS -j REJECT`,
  },
  {
    name: "a rule of ours in the wrong place",
    sentence: /^chain NFTPOL-MIDSTREAM of IPv4 has a rule too many: -g NFTPOL-DROP-EGRESS$/,
    commands: ({ ipt }) => `${ipt} -A NFTPOL-MIDSTREAM -g NFTPOL-DROP-EGRESS`,
  },
  {
    name: "a way into a chain of others",
    sentence: /^chain NFTPOL-FORWARD of IPv4, rule 1 is not ours: -A NFTPOL-FORWARD -j KUBE-FORWARD$/,
    commands: ({ ipt }) => `${ipt} -I NFTPOL-FORWARD -j KUBE-FORWARD`,
  },
  {
    name: "a chain that is gone",
    sentence: /^chain NFTPOL-MIDSTREAM of IPv6 is missing$/,
    commands: ({ ip6t }) =>
      `${ip6t} -F NFTPOL-FORWARD; ${ip6t} -F NFTPOL-OUTPUT; ${ip6t} -F NFTPOL-MIDSTREAM; ${ip6t} -X NFTPOL-MIDSTREAM`,
  },
  {
    name: "chains of an earlier version, and those that a probe has left",
    sentence: /^chain NFTPOL-PROBE of IPv4 is not ours$/,
    commands: ({ ipt }) =>
      `${ipt} -N NFTPOL-OLD; ${ipt} -N NFTPOL-PROBE; ${ipt} -A NFTPOL-OLD -j NFTPOL-PROBE; ipset create NFTPOL-PROBE-hash-ip4 hash:ip; ${ipt} -A NFTPOL-PROBE -m set --match-set NFTPOL-PROBE-hash-ip4 src -j DROP`,
  },
  {
    name: "a jump that is gone",
    sentence: /^chain FORWARD of IPv4 lacks our jump$/,
    commands: ({ ipt }) => `${ipt} -D FORWARD 1`,
  },
  {
    name: "a rule before our jump",
    sentence: /^our jump is rule 2 of chain FORWARD of IPv6, not the first$/,
    commands: ({ ip6t }) => `${ip6t} -I FORWARD 1 -j KUBE-FIREWALL`,
    undo: ({ ip6t }) => `${ip6t} -D FORWARD -j KUBE-FIREWALL`,
  },
  {
    name: "a jump that is there twice",
    sentence: /^chain OUTPUT of IPv4 jumps to us 2 times$/,
    commands: ({ ipt }) => `${ipt} -A OUTPUT -m comment --comment nftpol -j NFTPOL-OUTPUT`,
  },
  {
    name: "a jump with another comment",
    sentence: /^chain FORWARD of IPv4 lacks our jump$/,
    commands: ({ ipt }) => `${ipt} -R FORWARD 1 -m comment --comment 'somebody else'"'"'s' -j NFTPOL-FORWARD`,
  },
  {
    name: "a jump without a comment, too",
    sentence: /^our jump is rule 2 of chain INPUT of IPv4, not the first$/,
    commands: ({ ipt }) => `${ipt} -I INPUT -j NFTPOL-INPUT`,
  },
  {
    name: "a jump with a condition",
    sentence: /^our jump is rule 2 of chain FORWARD of IPv4, not the first$/,
    commands: ({ ipt }) => `${ipt} -I FORWARD -s 10.0.0.0/8 -p tcp --dport 80 -g NFTPOL-FORWARD`,
  },
  {
    name: "a jump to another chain of ours",
    sentence: /^chain INPUT of IPv6 jumps to us 2 times$/,
    commands: ({ ip6t }) => `${ip6t} -A INPUT -j NFTPOL-EGRESS`,
  },
  {
    name: "a jump with a condition that we do not know, which stays others'",
    sentence: /^our jump is rule 2 of chain FORWARD of IPv4, not the first$/,
    commands: ({ ipt }) => `${ipt} -I FORWARD -m mark --mark 7 -j NFTPOL-FORWARD`,
    undo: ({ ipt }) => `${ipt} -D FORWARD -m mark --mark 7 -j NFTPOL-FORWARD`,
  },
  {
    name: "an emptied set",
    sentence: /^set NFTPOL-ingress4\S* lacks 1 element \(10\.1\.0\.0\)$/,
    commands: ({ set }) => `ipset flush ${set("NFTPOL-ingress4")}`,
  },
  {
    name: "a set that is gone",
    sentence: /^set NFTPOL-ingress4\S* is missing$/,
    commands: ({ ipt, set }) =>
      `${ipt} -F NFTPOL-FORWARD; ${ipt} -F NFTPOL-OUTPUT; ipset destroy ${set("NFTPOL-ingress4")}`,
  },
  {
    name: "a set of another type",
    sentence: /^set NFTPOL-ingress4\S* is declared as something else$/,
    commands: remade("hash:net"),
  },
  {
    name: "a set of the other family",
    sentence: /^set NFTPOL-ingress4\S* is declared as something else$/,
    commands: remade("hash:ip family inet6"),
  },
  {
    name: "a set of a type that we do not use",
    sentence: /^set NFTPOL-ingress4\S* is not ours: create \S+ list:set /,
    commands: remade("list:set"),
  },
  {
    name: "a set whose elements count",
    sentence: /^set NFTPOL-ingress4\S* is not ours: create \S+ hash:ip .*counters/,
    commands: remade("hash:ip counters"),
  },
  {
    name: "a set whose elements expire",
    sentence: /^set NFTPOL-ingress4\S* is not ours: create \S+ hash:ip .*timeout 300/,
    commands: (names) =>
      `${remade("hash:ip timeout 300")(names)}; ipset add ${names.set("NFTPOL-ingress4")} 10.1.0.0; ipset add ${names.set("NFTPOL-ingress4")} 10.1.0.9`,
  },
  {
    name: "an element that stands for its opposite",
    sentence: /^set NFTPOL-c4-\S+ is not ours: add \S+ \S+ nomatch$/,
    commands: ({ set, element }) =>
      `ipset del ${set("NFTPOL-c4-")} ${element("NFTPOL-c4-")}; ipset add ${set("NFTPOL-c4-")} ${element("NFTPOL-c4-")} nomatch`,
  },
  {
    name: "sets that a killed agent has left",
    sentence: /^set NFTPOL-ingress4\.z is left over$/,
    commands: () => "ipset create NFTPOL-ingress4.z hash:ip; ipset create NFTPOL-isolated6.2 hash:ip family inet6",
  },
  {
    name: "an equal set with a name that is almost ours",
    sentence: /^set NFTPOL-ingress4\.0z is not ours$/,
    commands: () => "ipset create NFTPOL-ingress4.0z hash:ip; ipset add NFTPOL-ingress4.0z 10.1.0.0",
  },
];

function namesFor(variant: Variant, sets: ReadonlyMap<string, { readonly elements: Iterable<string> }>): Names {
  const named = (start: string) => {
    const found = [...sets].find(([name]) => splitName(name).name.startsWith(start));
    if (found === undefined) throw new Error(`no set ${start}`);
    return found;
  };
  return {
    ipt: programName(variant, 4),
    ip6t: programName(variant, 6),
    set: (start) => named(start)[0],
    element: (start) => [...named(start)[1].elements][0] as string,
  };
}

describeKernel(
  "the iptables backend",
  () => {
    describe.each(VARIANTS)("with the variant %s sees and repairs", (variant) => {
      const shared = sharedIptablesBench(variant);
      const graph = graphOf(...webAndClients);
      let backend: Backend;
      beforeAll(() => {
        backend = shared().open();
      });

      it.each(CASES)("$name", async ({ sentence, commands, undo }) => {
        const { found, expected, rules, others, xtables } = shared();
        // As at a start: what was known of the kernel before is forgotten.
        await backend.install(graph.program());
        const before = await others();
        for (const step of variant === "nft" ? ["verification", "start"] : ["verification"]) {
          const names = namesFor(variant, (await rules()).ruleset.sets);
          await xtables.sh(commands(names));
          if (step === "start") expect(await backend.install(graph.program())).toMatchObject({ how: "adopted" });
          else {
            const { differences, repair } = await backend.verify();
            expect(differences).toEqual(expect.arrayContaining([expect.stringMatching(sentence)]));
            expect(repair).toMatchObject({ how: "repaired" });
          }
          expect(await found()).toBe(expected(graph));
          if (undo !== undefined) await xtables.sh(undo(names));
        }
        expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
        expect(await others()).toBe(before);
      });
    });
  },
  XTABLES_PROGRAMS,
);
