// Packets between pods and nodes: a node always reaches its own pods, and they answer; what else comes from a node or goes to one is
// judged as an address, and a pod's way to its own node only where the operator asks for that.

import { describe, expect, it } from "vitest";
import { TOPOLOGIES } from "../../src/lab/topology.ts";
import { FAMILIES } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import { withConnections } from "../support/lab-connections.ts";
import { blocks, policyObject } from "../support/lab-manifests.ts";
import { type Place, type Scene, type SceneFlow, withScene } from "../support/lab-scene.ts";

const PODS = { closed: "node-a", guarded: "node-a", open: "node-a", far: "node-b", remote: "node-b" };
const PROTOCOLS = ["TCP", "UDP", "ICMP"] as const;

/** Who, to whom, and whether that arrives. */
type Row = readonly [string, string, boolean];

const INGRESS: readonly Row[] = [
  ["node-a", "closed", true],
  ["node-a", "guarded", true],
  ["node-b", "closed", false],
  ["node-b", "guarded", true],
  ["node-a", "far", false],
  ["node-b", "far", true],
  ["open", "closed", false],
  ["open", "guarded", false],
  ["node-b", "open", true],
];

const EGRESS: readonly Row[] = [
  ["open", "node-a", true],
  ["open", "node-b", true],
  ["closed", "node-b", false],
  ["guarded", "node-b", true],
  ["remote", "node-a", false],
];

/** Of the pods whose sending is restricted, to their own node. */
const TO_OWN_NODE = [
  ["closed", "node-a"],
  ["guarded", "node-a"],
  ["remote", "node-b"],
] as const;

describeKernel("nodes", () => {
  describe.each(TOPOLOGIES)("%s", (topology) => {
    it.each([
      { podToOwnNode: "allow", closedReachIt: true },
      { podToOwnNode: "enforce", closedReachIt: false },
    ] as const)("pod to own node: $podToOwnNode", ({ podToOwnNode, closedReachIt }) =>
      withScene({ pods: PODS, topology, program: { podToOwnNode } }, async (scene) => {
        const nodeB = scene.at("node-b");
        const rows: readonly Row[] = [
          ...INGRESS,
          ...EGRESS,
          ...TO_OWN_NODE.map(([pod, node]): Row => [pod, node, closedReachIt]),
        ];
        const flows = rows.flatMap((row) => flowsOf(scene, row));
        expect(await scene.wrongWithoutPolicies(flows)).toEqual([]);
        await scene.enforce(...policiesFor(nodeB));
        expect(await scene.wrong(flows)).toEqual([]);
        await withConnections(async (connections) => {
          const [from, to] = [scene.at("node-a"), scene.at("closed")];
          for (const family of FAMILIES) await connections.open({ from, to, family });
        });
      }),
    );
  });
});

/** `guarded` knows the other node, both ways; `closed` and those of the other node nobody. */
function policiesFor(nodeB: Place): readonly unknown[] {
  const peers = blocks(nodeB.addresses);
  return [
    policyObject("closed", { ingress: [], egress: [] }),
    policyObject("guarded", { ingress: [{ from: peers }], egress: [{ to: peers }] }),
    policyObject("far", { ingress: [] }),
    policyObject("remote", { egress: [] }),
  ];
}

function flowsOf(scene: Scene, [from, to, allowed]: Row): SceneFlow[] {
  return PROTOCOLS.map((protocol) => ({ from: scene.at(from), to: scene.at(to), protocol, allowed }));
}
