// How deep our chains of iptables are and in how many ways they are reached, at their worst: the kernel refuses what is too deep for the
// variant nft, and follows every way.

import { describe, expect, it } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { MAX_STEPS } from "../../src/backends/iptables/memory-family.ts";
import { type ChainsOfFamily, chainOfRule, isBuiltIn } from "../../src/backends/iptables/ruleset.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { makeClusterPolicy, makePod, makePolicy, setPod, setPolicy } from "../support/model-objects.ts";

interface Ways {
  /** Chains from a hook to the farthest one; jump and goto count alike. */
  readonly steps: number;
  /** In how many ways chains are reached, each chain counted once for each way. */
  readonly visits: number;
}

function waysOf(chains: ChainsOfFamily): Ways {
  const known = new Map<string, Ways>();
  const waysFrom = (name: string): Ways => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const targets = (chains.get(name)?.rules ?? []).flatMap((rule) => chainOfRule(rule) ?? []).map(waysFrom);
    const ways = {
      steps: Math.max(0, ...targets.map(({ steps }) => 1 + steps)),
      visits: targets.reduce((sum, { visits }) => sum + visits, 1),
    };
    known.set(name, ways);
    return ways;
  };
  const all = [...chains.keys()].filter(isBuiltIn).map(waysFrom);
  return {
    steps: Math.max(...all.map(({ steps }) => steps)),
    visits: all.reduce((sum, { visits }) => sum + visits, 0),
  };
}

const peer = (label: string) => ({ matchLabels: { peer: label } });
const pods = (label: string) => ({ pods: { namespaceSelector: {}, podSelector: peer(label) } });
const port = (number: number) => ({ tcp: { destinationPort: { number } } });

/** Policies of alternating actions, each run with five groups of ports. */
function ladder(tier: "Admin" | "Baseline", policies: number, peers = 1) {
  return Array.from({ length: policies }, (_, index) =>
    makeClusterPolicy(`${tier.toLowerCase()}-${index}`, {
      tier,
      priority: index,
      subject: { namespaces: {} },
      ingress: Array.from({ length: 25 }, (__, rule) => ({
        action: ["Accept", "Deny", "Pass"][Math.floor(rule / 5) % 3],
        from: Array.from({ length: peers }, (___, at) => pods(`${index}-${rule}-${at}`)),
        protocols: [
          port(1000 + rule),
          { udp: { destinationPort: { range: { start: 2000 + 10 * rule, end: 2005 + 10 * rule } } } },
        ],
      })),
    }),
  );
}

/** Ten groups of ports with two peers each; one port is of these pods alone. */
const manyPorts = (index: number) =>
  makePolicy(`many-${index}`, {
    podSelector: { matchLabels: { number: String(index) } },
    ingress: Array.from({ length: 10 }, (_, rule) => ({
      from: [{ podSelector: peer(`np-${rule}`) }, { ipBlock: { cidr: `192.0.${rule}.0/24` } }],
      ports: [{ port: 3000 + rule + (rule === 0 ? index : 0) }],
    })),
  });

describe("the chains of a node", () => {
  it.each([
    { with: "one class of a long Admin tier", pods: 1, policies: ladder("Admin", 12) },
    {
      with: "a long Admin tier before a long Baseline tier",
      pods: 1,
      policies: [...ladder("Admin", 12), ...ladder("Baseline", 12)],
    },
    {
      with: "250 pods, each with policies of its own behind an Admin tier",
      pods: 250,
      policies: [...ladder("Admin", 1, 2), ...Array.from({ length: 250 }, (_, index) => manyPorts(index))],
    },
  ])("with $with stay within what the kernel takes", ({ pods, policies }) => {
    const graph = new RuleGraph(new ClusterStore(), "node-1", { ...DEFAULT_PROGRAM_OPTIONS, unknownLocalPods: "drop" });
    for (let index = 0; index < pods; index++)
      graph.apply(
        setPod(makePod(`web-${index}`, `10.0.1.${index} fd00::${index + 1}`, { labels: { number: String(index) } })),
      );
    for (const policy of policies) graph.apply(setPolicy(policy));
    const { chains } = compileRuleset(graph.program());
    for (const family of [4, 6] as const) {
      const { steps, visits } = waysOf(chains[family]);
      expect(steps).toBeLessThan(MAX_STEPS);
      // At worst the rules of one section times those of the next; with one look-up by port for each run it would grow with each run.
      expect(visits).toBeLessThan(10_000_000);
    }
  });
});
