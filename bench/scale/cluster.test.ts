import { describe, expect, test } from "vitest";
import { decodePod } from "../../src/dialects/core-v1.ts";
import { decodeNetworkPolicy } from "../../src/dialects/network-policy-v1.ts";
import { textlessSource } from "../../src/dialects/object-source.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { type ClusterSize, firstPod, isOfNoConcern, LOCAL_NODE, nodeOf, slotCount } from "./cluster.ts";
import { PodTexts, podAddress, policyObject } from "./objects.ts";

const size: ClusterSize = { remotePods: 3_000, localPods: 110, nodes: 50, policies: 1_000 };
const texts = new PodTexts(size, 6_000);
const source = textlessSource("test");

function podObject(slot: number, pod = firstPod(slot), isPending = false): unknown {
  const target = Buffer.alloc(texts.largestBytes);
  return JSON.parse(target.toString("latin1", 0, texts.write(target, 0, slot, pod, isPending)));
}

function decoded(slot: number, pod = firstPod(slot)) {
  const { object, diagnostics } = decodePod(podObject(slot, pod), source);
  if (object === undefined) throw new Error("no pod");
  return { pod: object, diagnostics };
}

describe("the cluster of the scale benchmark", () => {
  test("its pods and policies are valid, all of them different", () => {
    const keys = new Set<string>();
    const addresses = new Set<string>();
    for (let slot = 0; slot < slotCount(size); slot++) {
      const { pod, diagnostics } = decoded(slot);
      expect(diagnostics).toEqual([]);
      keys.add(pod.key);
      for (const address of pod.addresses) addresses.add(address);
    }
    expect([keys.size, addresses.size]).toEqual([slotCount(size), slotCount(size)]);
    for (let index = 0; index < 20; index++)
      expect(decodeNetworkPolicy(policyObject(index), source).diagnostics).toEqual([]);
  });

  test("a pod has about the bytes that were asked for", () => {
    const target = Buffer.alloc(texts.largestBytes);
    expect(Math.abs(texts.write(target, 0, 1234, firstPod(1234)) - 6_000)).toBeLessThan(300);
  });

  test("a pending pod has neither node nor address", () => {
    const { object } = decodePod(podObject(5, firstPod(5), true), source);
    expect([object?.nodeName, object?.addresses]).toEqual([undefined, []]);
  });

  test("the local pods, and only they, are on the local node", () => {
    const local = Array.from({ length: slotCount(size) }, (_, slot) => slot).filter((slot) => nodeOf(size, slot) === 0);
    expect(local).toEqual(Array.from({ length: size.localPods }, (_, index) => size.remotePods + index));
  });

  test("a pod of no concern is in no set of the local node until it becomes a client", () => {
    const graph = new RuleGraph(new ClusterStore(), LOCAL_NODE, DEFAULT_PROGRAM_OPTIONS);
    for (let index = 0; index < size.policies; index++) {
      const { policy } = decodeNetworkPolicy(policyObject(index), source);
      if (policy !== undefined) graph.apply({ kind: "policy", key: policy.key, policy });
    }
    const put = (slot: number, state = firstPod(slot)) => {
      const { pod } = decoded(slot, state);
      graph.apply({ kind: "pod", key: pod.key, pod });
    };
    const slots = Array.from({ length: slotCount(size) }, (_, slot) => slot);
    for (const slot of slots) put(slot, { ...firstPod(slot), isClient: false });
    const found = () =>
      new Set([...graph.program().sets.values()].flatMap(({ elements }) => [...elements] as string[]));
    const before = found();
    const unconcerned = slots.filter((slot) => isOfNoConcern(size, slot));
    expect(unconcerned.length).toBeGreaterThan(size.remotePods / 2);
    expect(unconcerned.filter((slot) => before.has(podAddress(slot)))).toEqual([]);
    const client = unconcerned[7] as number;
    put(client, { ...firstPod(client), isClient: true });
    expect(found().has(podAddress(client))).toBe(true);
  });
});
