// Which pod is on which node of a lab, and which addresses its nodes and its outside have.

import { describe, expect, it } from "vitest";
import { makePod } from "../../test/support/model-objects.ts";
import type { Node, Pod } from "../model/cluster.ts";
import type { Address } from "../net/address.ts";
import type { SelectablePod } from "../state/view.ts";
import { type LabPlan, type NodeChoice, placeOnNodes, planLab } from "./plan.ts";

function node(name: string): Node {
  return { name, labels: {}, addresses: [], podCidrs: [], position: { file: "test" } };
}

function placed(pods: readonly Pod[], nodes: readonly Node[], choice: NodeChoice) {
  const placement = placeOnNodes(pods, nodes, choice);
  return {
    nodes: placement.nodeNames,
    pods: placement.pods.map(({ name, nodeName }) => `${name} on ${nodeName}`).sort(),
  };
}

describe("placeOnNodes", () => {
  const a = makePod("a", "10.0.0.1", { node: "worker-2" });
  const b = makePod("b", "10.0.0.2", { node: "worker-1" });
  const lost = makePod("lost", "10.0.0.3", { node: undefined });

  it("leaves pods where they say, as-is, and has only the nodes that pods are on", () => {
    expect(placed([a, b], [node("worker-1"), node("worker-2"), node("worker-3")], "as-is")).toEqual({
      nodes: ["worker-1", "worker-2"],
      pods: ["a on worker-2", "b on worker-1"],
    });
  });

  it("puts pods that name no node on the first node of the others, as-is", () => {
    expect(placed([a, b, lost], [], "as-is").pods).toContain("lost on worker-1");
  });

  it("puts pods of which none names a node on the only node there is, as-is", () => {
    expect(placed([lost], [node("worker-7")], "as-is")).toEqual({ nodes: ["worker-7"], pods: ["lost on worker-7"] });
  });

  it.each([[[]], [[node("x"), node("y")]]])("makes up a node where it cannot be told which, as-is (%#)", (nodes) => {
    expect(placed([lost], nodes, "as-is")).toEqual({ nodes: ["node"], pods: ["lost on node"] });
  });

  it("spreads the pods over N nodes in order of their keys, whatever order they come in", () => {
    const pods = ["d", "b", "e", "a", "c"].map((name, index) => makePod(name, `10.0.0.${index}`));
    const expected = {
      nodes: ["node-1", "node-2"],
      pods: ["a on node-1", "b on node-2", "c on node-1", "d on node-2", "e on node-1"],
    };
    expect(placed(pods, [], 2)).toEqual(expected);
    expect(placed(pods.toReversed(), [], 2)).toEqual(expected);
  });

  it("has as many nodes as asked for, also where there are fewer pods", () => {
    expect(placed([a], [], 3)).toEqual({ nodes: ["node-1", "node-2", "node-3"], pods: ["a on node-1"] });
  });

  it("forgets which addresses the node had that pods are taken from, but for those on its host network", () => {
    const worker = "192.168.0.1" as Address;
    const pods = [a, b, makePod("h", worker, { hostNetwork: true })].map((pod) => ({
      ...pod,
      hostAddresses: [worker],
    }));
    const reported = (choice: NodeChoice) => placeOnNodes(pods, [], choice).pods.map((pod) => pod.hostAddresses);
    expect(reported(2)).toEqual([[], [], [worker]]);
    expect(reported("as-is")).toEqual([[worker], [worker], [worker]]);
  });

  it("keeps pods on one node's host network together, and those of other nodes apart", () => {
    const host = (name: string, on: string) => makePod(name, "192.168.0.1", { node: on, hostNetwork: true });
    const pods = [host("h1", "worker-1"), host("h2", "worker-1"), host("h3", "worker-2"), host("h4", "worker-1"), a, b];
    expect(placed(pods, [], 2).pods).toEqual([
      ...["a on node-1", "b on node-2"],
      ...["h1 on node-1", "h2 on node-1", "h3 on node-2", "h4 on node-1"],
    ]);
  });
});

function selectable(pod: Pod): SelectablePod {
  return { key: pod.key, pod, addresses: pod.addresses } as SelectablePod;
}

const NO_ADDRESSES = (): readonly Address[] => [];

function plan(fields: Partial<Parameters<typeof planLab>[0]>): LabPlan {
  return planLab({
    topology: "routed",
    nodeNames: ["n"],
    pods: [],
    nodeAddresses: NO_ADDRESSES,
    outside: [],
    ...fields,
  });
}

describe("planLab", () => {
  it("has the pods in order of their keys, each with its node and its addresses", () => {
    const pods = [makePod("b", "10.0.0.2 fd00::2", { node: "n2" }), makePod("a", "10.0.0.1", { node: "n1" })];
    expect(plan({ nodeNames: ["n1", "n2"], pods: pods.map(selectable) }).pods).toEqual([
      { key: "a/a", node: "n1", addresses: ["10.0.0.1"] },
      { key: "a/b", node: "n2", addresses: ["10.0.0.2", "fd00::2"] },
    ]);
  });

  it.each([["elsewhere"], [undefined]])("refuses a pod that is on no node of it: %s", (nodeName) => {
    const pods = [selectable(makePod("a", "10.0.0.1", { node: nodeName }))];
    expect(() => plan({ pods })).toThrow("a/a is on no lab node");
  });

  it("gives nodes their own addresses, and one of each family that they lack", () => {
    const addresses: Readonly<Record<string, readonly string[]>> = {
      n1: ["192.168.0.1", "192.168.0.2"],
      n2: ["fd00::a"],
    };
    const nodeAddresses = (name: string) => (addresses[name] ?? []) as readonly Address[];
    expect(plan({ nodeNames: ["n1", "n2", "n3"], nodeAddresses }).nodes).toEqual([
      { name: "n1", addresses: ["192.168.0.1", "192.168.0.2", "2001:db8:6e66::1"] },
      { name: "n2", addresses: ["fd00::a", "198.19.250.1"] },
      { name: "n3", addresses: ["198.19.250.2", "2001:db8:6e66::2"] },
    ]);
  });

  it("gives an address that two nodes claim to one of them", () => {
    const { nodes } = plan({ nodeNames: ["n1", "n2"], nodeAddresses: () => ["192.168.0.1" as Address] });
    expect(nodes.map(({ addresses }) => addresses[0])).toEqual(["192.168.0.1", "198.19.250.1"]);
  });

  it("makes up addresses of nodes that nobody else has: no pod, no host outside", () => {
    const pods = [selectable(makePod("a", "198.19.250.1", { node: "n" }))];
    const [made] = plan({ pods, outside: ["2001:db8:6e66::1" as Address] }).nodes;
    expect(made?.addresses).toHaveLength(2);
    expect(made?.addresses).not.toContain("198.19.250.1");
    expect(made?.addresses).not.toContain("2001:db8:6e66::1");
  });

  it("has 300 nodes with addresses of their own", () => {
    const nodeNames = Array.from({ length: 300 }, (_, index) => `n${index}`);
    expect(new Set(plan({ nodeNames }).nodes.flatMap(({ addresses }) => addresses)).size).toBe(600);
  });

  it("has outside what neither a pod nor a node has, once", () => {
    const pods = [selectable(makePod("a", "10.0.0.1", { node: "n" }))];
    const outside = ["10.0.0.1", "192.168.0.1", "8.8.8.8", "8.8.8.8"] as Address[];
    expect(plan({ pods, nodeAddresses: () => ["192.168.0.1" as Address], outside }).outside).toEqual(["8.8.8.8"]);
  });
});
