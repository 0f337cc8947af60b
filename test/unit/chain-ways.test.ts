// How deep our chains are and in how many ways they are reached, for rules that alternate and have many ports: the kernel refuses what is
// too deep, and follows every way.

import { describe, expect, it } from "vitest";
import { goto, jump, rule } from "../../src/backends/nft/build.ts";
import { MAX_STEPS, waysOf } from "../../src/backends/nft/chain-ways.ts";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import type { Chain } from "../../src/backends/nft/ruleset.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { makeClusterPolicy, makePod, makePolicy, setPod, setPolicy } from "../support/model-objects.ts";

const chain = (name: string, ...targets: readonly string[]): [string, Chain] => [
  name,
  {
    name,
    hook: name === "base" ? { name: "forward", priority: 0 } : undefined,
    comment: undefined,
    rules: targets.map((target, index) => rule([], index % 2 === 0 ? goto(target) : jump(target))),
  },
];

describe("waysOf", () => {
  it("counts jump and goto as steps, and each rule as a way", () => {
    const chains = new Map([
      chain("base", "a", "b"),
      chain("a", "c", "c"),
      chain("b", "c"),
      chain("c"),
      chain("unused", "c"),
    ]);
    expect(waysOf({ chains, sets: new Map() })).toEqual({ steps: 2, visits: 6 });
  });

  it("has no end where chains lead in a circle", () => {
    const chains = new Map([chain("base", "a"), chain("a", "b"), chain("b", "a")]);
    expect(waysOf({ chains, sets: new Map() }).steps).toBe(Number.POSITIVE_INFINITY);
  });
});

const pods = (label: string) => ({ pods: { namespaceSelector: {}, podSelector: { matchLabels: { peer: label } } } });
const port = (number: number) => ({ tcp: { destinationPort: { number } } });

/** Policies of alternating actions, each run with five groups of ports: one look-up for every run would be too deep. */
function ladder(tier: "Admin" | "Baseline", policies: number) {
  return Array.from({ length: policies }, (_, index) =>
    makeClusterPolicy(`${tier.toLowerCase()}-${index}`, {
      tier,
      priority: index,
      subject: { namespaces: {} },
      ingress: Array.from({ length: 25 }, (__, rule) => ({
        action: ["Accept", "Deny", "Pass"][Math.floor(rule / 5) % 3],
        from: [pods(`${index}-${rule}`)],
        protocols: [
          port(1000 + rule),
          { udp: { destinationPort: { range: { start: 2000 + 10 * rule, end: 2005 + 10 * rule } } } },
        ],
      })),
    }),
  );
}

const manyPorts = makePolicy("many", {
  podSelector: {},
  ingress: Array.from({ length: 10 }, (_, rule) => ({
    from: [{ podSelector: { matchLabels: { peer: `np-${rule}` } } }],
    ports: [{ port: 3000 + rule }],
  })),
});

describe("a class of many runs with many ports", () => {
  it.each([
    { behind: "nothing", policies: ladder("Admin", 12) },
    { behind: "a NetworkPolicy with many ports", policies: [...ladder("Admin", 12), manyPorts] },
    { behind: "a Baseline tier like it", policies: [...ladder("Admin", 12), ...ladder("Baseline", 12)] },
  ])("stays within what the kernel takes, with $behind", ({ policies }) => {
    const graph = new RuleGraph(new ClusterStore(), "node-1", DEFAULT_PROGRAM_OPTIONS);
    graph.apply(setPod(makePod("web", "10.0.0.1 fd00::1")));
    for (const policy of policies) graph.apply(setPolicy(policy));
    const ways = waysOf(compileRuleset(graph.program()));
    expect(ways.steps).toBeLessThanOrEqual(MAX_STEPS / 2);
    // At worst the rules of one section times those of the next; with one look-up for each run it would grow with each run.
    expect(ways.visits).toBeLessThan(10_000_000);
  });
});
