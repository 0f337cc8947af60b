// Rules mean what policies mean: by the prover over all packet classes, and by packets drawn at random, which
// share nothing with the prover's own cutting into classes.

import fc from "fast-check";
import { expect, test } from "vitest";
import * as iptables from "../../src/backends/iptables/compile.ts";
import { iptablesRules } from "../../src/backends/iptables/provable-rules.ts";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { nftRules } from "../../src/backends/nft/provable-rules.ts";
import type { Statement } from "../../src/backends/nft/ruleset.ts";
import type { NodeRules } from "../../src/backends/node-rules.ts";
import { firstPacket, transportOf } from "../../src/backends/packet.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import type { Traffic } from "../../src/model/flow.ts";
import { type Address, parseAddress } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS, type NodeProgram, type ProgramOptions } from "../../src/program/program.ts";
import { expectedVerdict, judgingNode } from "../../src/prove/expected.ts";
import { proveNode } from "../../src/prove/prove.ts";
import { checkProperty } from "../support/property.ts";
import { type ApiObject, cluster, crowdedCluster, NODES, storeOf, toYaml } from "../support/random-cluster.ts";

const options: fc.Arbitrary<ProgramOptions> = fc.record({
  podToOwnNode: fc.constantFrom("allow", "enforce"),
  serviceProxy: fc.constantFrom("netfilter", "ipvs"),
  unknownLocalPods: fc.constantFrom("allow", "drop"),
});

function printInput([objects, settings]: readonly [readonly ApiObject[], unknown, ...unknown[]]): string {
  return `# options: ${JSON.stringify(settings)}\n${toYaml(objects)}`;
}

const BACKENDS: Readonly<Record<"nft" | "iptables", (program: NodeProgram) => NodeRules>> = {
  nft: (program) => nftRules(compileRuleset(program)),
  iptables: (program) => iptablesRules(iptables.compileRuleset(program)),
};

test.each([
  { clusters: "random clusters", objects: cluster, runs: 25, backend: "nft" },
  { clusters: "clusters whose policies meet in the same pods", objects: crowdedCluster, runs: 25, backend: "nft" },
  { clusters: "random clusters", objects: cluster, runs: 25, backend: "iptables" },
  {
    clusters: "clusters whose policies meet in the same pods",
    objects: crowdedCluster,
    runs: 40,
    backend: "iptables",
  },
] as const)(
  "$backend: the prover finds no difference on $clusters, for every node and option",
  ({ objects: someCluster, runs, backend }) => {
    checkProperty(
      fc.tuple(someCluster, options),
      ([objects, settings]) => {
        const store = storeOf(objects);
        for (const node of NODES) {
          const rules = BACKENDS[backend](new RuleGraph(store, node, settings).program());
          const proof = proveNode(store, node, rules, settings);
          expect(proof.outcome === "different" ? proof.counterexample : proof.outcome).toBe("equal");
        }
      },
      { runs, print: printInput },
    );
  },
);

test("no rule has ranges in an anonymous set or map: those are empty for a moment after the rule is made (data-plane.md)", () => {
  let looked = 0;
  checkProperty(
    cluster,
    (objects) => {
      const { chains } = compileRuleset(new RuleGraph(storeOf(objects), NODES[0], DEFAULT_PROGRAM_OPTIONS).program());
      for (const { rules } of chains.values()) {
        for (const elements of rules.flatMap(({ statements }) => statements.map(anonymousElements))) {
          if (elements.length > 1) looked++;
          if (elements.length > 1) for (const element of elements) expect(element).not.toMatch(/\d-\d|\//);
        }
      }
    },
    { runs: 150, print: toYaml },
  );
  expect(looked).toBeGreaterThan(0);
});

function anonymousElements(statement: Statement): readonly string[] {
  if (statement.kind === "match" && statement.right.kind === "values") return statement.right.values;
  if (statement.kind === "vmap" && statement.map.kind === "values")
    return statement.map.entries.map(({ element }) => element);
  return [];
}

const anyAddress = (list: readonly string[]) =>
  fc.constantFrom(...list.map((text) => parseAddress(text)?.address as Address));
const addressPair = fc.oneof(
  fc.tuple(
    anyAddress([
      "10.0.0.1",
      "10.0.0.2",
      "10.0.0.3",
      "10.0.0.4",
      "10.0.1.1",
      "10.0.1.2",
      "10.0.0.0",
      "10.0.2.9",
      "192.0.2.7",
      "192.0.2.200",
      "8.8.8.8",
      "10.9.0.2",
    ]),
    anyAddress([
      "10.0.0.1",
      "10.0.0.2",
      "10.0.0.3",
      "10.0.0.4",
      "10.0.1.1",
      "10.0.1.2",
      "10.0.0.5",
      "192.0.2.7",
      "198.51.100.3",
      "1.1.1.1",
      "10.9.0.2",
    ]),
  ),
  fc.tuple(
    anyAddress(["fd00::1", "fd00::2", "fd00::3", "fd00::1:1", "fd00::9", "2001:db8::1", "fd09::2"]),
    anyAddress(["fd00::1", "fd00::2", "fd00::3", "fd00::1:1", "fd00::ffff", "2001:db8::2", "fd09::2"]),
  ),
);
const port = fc.oneof(
  fc.constantFrom(0, 1, 53, 59, 60, 67, 68, 79, 80, 81, 82, 100, 443, 546, 8080, 65535),
  fc.integer({ min: 0, max: 65535 }),
);
const traffic: fc.Arbitrary<Traffic> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("ports" as const),
      protocol: fc.constantFrom("TCP" as const, "UDP" as const, "SCTP" as const),
      port,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("ports" as const),
      protocol: fc.constant("UDP" as const),
      port,
      sourcePort: fc.constantFrom(67, 547, 53),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("other" as const), protocol: fc.constantFrom(47, 50, 253) }) },
);

test.each([
  { clusters: "random clusters", objects: cluster, runs: 150 },
  { clusters: "clusters whose policies meet in the same pods", objects: crowdedCluster, runs: 250 },
])("packets drawn at random in $clusters get the verdict that the policies mean", ({ objects: someCluster, runs }) => {
  checkProperty(
    fc.tuple(
      someCluster,
      options,
      fc.array(fc.tuple(addressPair, traffic, fc.boolean()), { minLength: 40, maxLength: 40 }),
    ),
    ([objects, settings, packets]) => {
      const store = storeOf(objects);
      for (const node of NODES) {
        const own = store.nodeAddresses(node);
        const program = new RuleGraph(store, node, settings).program();
        const backends = Object.values(BACKENDS).map((rulesOf) => rulesOf(program));
        for (const [[source, destination], what, midstream] of packets) {
          if (own.includes(source) || own.includes(destination)) continue;
          const flow = { source, destination, traffic: what };
          const first = firstPacket(flow, "forward", false);
          const isTcp = what.kind === "ports" && what.protocol === "TCP";
          const packet =
            midstream && isTcp ? { ...first, ...transportOf(what), tcpFlags: new Set(["ack", "psh"]) } : first;
          const expected = expectedVerdict(store, judgingNode(store, node), packet, flow, settings);
          for (const rules of backends) {
            const { verdict } = rules.trace(packet);
            expect({ packet, language: rules.language, verdict }).toEqual({
              packet,
              language: rules.language,
              verdict: expected.verdict,
            });
          }
        }
      }
    },
    { runs, print: printInput },
  );
});
