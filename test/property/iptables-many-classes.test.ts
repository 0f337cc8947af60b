// A node whose pods all have classes of their own: the tree that leads to them, as the prover sees it, while it grows, shrinks and is
// gone through by pods that change their class; and how deep it may become.

import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { MemoryKernelRules } from "../../src/backends/iptables/memory-kernel-rules.ts";
import { iptablesRules } from "../../src/backends/iptables/provable-rules.ts";
import { differenceTo } from "../../src/backends/iptables/repair.ts";
import type { Stage } from "../../src/backends/iptables/stages.ts";
import { tracePacket } from "../../src/backends/iptables/trace.ts";
import { RulesetTracker } from "../../src/backends/iptables/tracker.ts";
import { firstPacket, type Packet } from "../../src/backends/packet.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import type { Address } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { proveNode } from "../../src/prove/prove.ts";
import { comparableText, foundText } from "../support/comparable-iptables.ts";
import { checkProperty } from "../support/property.ts";
import { type ApiObject, eventOf, removalOf, storeOf } from "../support/random-cluster.ts";

const MOST = 300;

/** Pod number `index` of this node, with the labels of class `of`. */
function pod(index: number, of = index): ApiObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `p${index}`, namespace: "x", labels: { own: `c${of}`, app: "any" } },
    spec: { nodeName: "n1", containers: [] } as unknown,
    status: { phase: "Running", podIPs: [{ ip: address(index) }] },
  };
}

function address(index: number): Address {
  return `10.1.${index >> 8}.${index & 255}` as Address;
}

/** Lets the pods of the next class in, on a port of its own, and out to the one after that. */
function policy(index: number, classes: number): ApiObject {
  const peer = (of: number) => [{ podSelector: { matchLabels: { own: `c${of % classes}` } } }];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `c${index}`, namespace: "x" },
    spec: {
      podSelector: { matchLabels: { own: `c${index}` } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: peer(index + 1), ports: [{ port: 1000 + index }] }],
      egress: [{ to: peer(index + classes - 1) }, { to: peer(index + 2), ports: [{ port: 80 }] }],
    },
  };
}

function clusterOf(classes: number): ApiObject[] {
  return Array.from({ length: classes }, (_, index) => [pod(index), policy(index, classes)]).flat();
}

test.each([1, 4, 5, 16, 17, 60])("%i classes: the rules mean what the policies mean", (classes) => {
  const store = storeOf(clusterOf(classes));
  const ruleset = compileRuleset(new RuleGraph(store, "n1", DEFAULT_PROGRAM_OPTIONS).program());
  const proof = proveNode(store, "n1", iptablesRules(ruleset), { ...DEFAULT_PROGRAM_OPTIONS, maxPackets: 400_000 });
  expect(proof.outcome === "different" ? proof.counterexample : proof.outcome).toBe("equal");
});

/** Two tiers, in each a look-up by port with buckets and groups of several peers, and something behind it. */
function deepest(index: number): ApiObject[] {
  const pods = (of: number) => ({ pods: { namespaceSelector: {}, podSelector: { matchLabels: { own: `c${of}` } } } });
  const accepts = Array.from({ length: 24 }, (_, of) => ({
    action: "Accept",
    from: [pods(of), pods(of + 1)],
    protocols: [{ tcp: { destinationPort: { number: 2000 + of } } }],
  }));
  const tier = (name: string) => ({
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name: `${name.toLowerCase()}-${index}` },
    spec: {
      tier: name,
      priority: 1,
      subject: pods(index),
      ingress: [...accepts, { action: "Deny", from: [pods(index + 2)] }],
    },
  });
  return [tier("Admin"), tier("Baseline")];
}

test(`${MOST} classes with every kind of section are not too deep for the kernel`, () => {
  const objects = Array.from({ length: MOST }, (_, index) => [pod(index), ...deepest(index)]).flat();
  const program = new RuleGraph(storeOf(objects), "n1", DEFAULT_PROGRAM_OPTIONS).program();
  const kernel = new MemoryKernelRules();
  kernel.tamper(differenceTo(kernel.found(), compileRuleset(program)).stages);
  expect(kernel.found().ruleset.chains[4].size).toBeGreaterThan(8 * MOST);
});

const CLASSES = 24;
const step = fc.record({
  index: fc.integer({ min: 0, max: CLASSES - 1 }),
  of: fc.integer({ min: 0, max: CLASSES - 1 }),
  kind: fc.constantFrom("pod", "pod", "remove pod", "policy", "remove policy"),
  flush: fc.boolean(),
});

const PACKETS: readonly Packet[] = Array.from({ length: CLASSES }, (_, source) =>
  [1, 2, CLASSES - 1].flatMap((distance) => {
    const destination = (source + distance) % CLASSES;
    return [80, 1000 + destination].map((port) => {
      const traffic = { kind: "ports", protocol: "TCP", port } as const;
      return firstPacket({ source: address(source), destination: address(destination), traffic }, "forward", false);
    });
  }),
).flat();

test("pods and policies come, go and change places: no verdict between old and new, and the end is a fresh compile", () => {
  checkProperty(
    fc.array(step, { minLength: 5, maxLength: 30 }),
    (steps) => {
      const objects = new Map(clusterOf(CLASSES).map((object) => [`${object.kind} ${object.metadata.name}`, object]));
      const graph = new RuleGraph(storeOf([...objects.values()]), "n1", DEFAULT_PROGRAM_OPTIONS);
      graph.flush();
      const tracker = new RulesetTracker(graph.program());
      const kernel = new MemoryKernelRules();
      kernel.tamper(differenceTo(kernel.found(), tracker.ruleset()).stages);
      const verdicts = () => {
        const { ruleset } = kernel.found();
        return PACKETS.map((packet) => tracePacket(ruleset, packet).verdict);
      };
      for (const { index, of, kind, flush } of steps) {
        const object = kind.endsWith("pod") ? pod(index, of) : policy(index, CLASSES);
        const key = `${object.kind} ${object.metadata.name}`;
        if (kind.startsWith("remove")) objects.delete(key);
        else objects.set(key, object);
        graph.apply(kind.startsWith("remove") ? removalOf(object) : eventOf(object));
        if (!flush) continue;
        const before = verdicts();
        const stages = tracker.update(graph.flush());
        const after = PACKETS.map((packet) => tracePacket(tracker.ruleset(), packet).verdict);
        for (const single of singleSteps(stages)) {
          kernel.tamper([single]);
          for (const [packet, verdict] of verdicts().entries())
            expect([before[packet], after[packet]]).toContain(verdict);
        }
        const fresh = new RuleGraph(storeOf([...objects.values()]), "n1", DEFAULT_PROGRAM_OPTIONS).program();
        expect(foundText(kernel.found())).toBe(comparableText(compileRuleset(fresh)));
      }
    },
    { runs: 15, print: (steps) => JSON.stringify(steps) },
  );
});

/** Line by line, as ipset does it. */
function singleSteps(stages: readonly Stage[]): Stage[] {
  return stages.flatMap((stage): Stage[] => {
    if (stage.kind !== "change-elements") return [stage];
    return stage.changes.flatMap((change) =>
      change.elements.map(
        (element): Stage => ({ kind: "change-elements", changes: [{ ...change, elements: [element] }] }),
      ),
    );
  });
}
