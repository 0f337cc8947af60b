// The Admin and Baseline tiers by packets: what a pod sends to nodes, its own too (the input hook); itself through a service; ICMP; and
// whole random clusters that mix all dialects.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTraffic, type TrafficQuestion } from "../../src/cli/traffic-text.ts";
import { TOPOLOGIES } from "../../src/lab/topology.ts";
import { describeKernel } from "../support/kernel.ts";
import { blocks, clusterPolicyObject, policyObject, tierPods, tierRule } from "../support/lab-manifests.ts";
import { type Scene, type SceneFlow, withScene } from "../support/lab-scene.ts";
import {
  acceptOwnSource,
  serviceAddresses,
  serviceFor,
  translatorsHere,
  withServicesOn,
} from "../support/lab-services.ts";
import { differencesOf, withTestLab } from "../support/packet-lab.ts";
import { cluster, storeOf, toYaml } from "../support/random-cluster.ts";

const PODS = { web: "node-a", open: "node-a", closed: "node-a", far: "node-b" };
const ALL_NODES = { nodes: {} };
const ALL_PODS = { namespaces: {} };
const TCP_8080 = [{ tcp: { destinationPort: { number: 8080 } } }];

/** Who, to whom, and the protocols that arrive. */
type Row = readonly [from: string, to: string, arriving: readonly Protocol[]];
type Protocol = "TCP" | "UDP" | "ICMP";
const EVERYTHING: readonly Protocol[] = ["TCP", "UDP", "ICMP"];

function flowsOf(scene: Scene, rows: readonly Row[]): SceneFlow[] {
  return rows.flatMap(([from, to, arriving]) =>
    EVERYTHING.map((protocol) => ({
      from: scene.at(from),
      to: scene.at(to),
      protocol,
      allowed: arriving.includes(protocol),
    })),
  );
}

/** What must hold whatever the policies here are: nodes reach their pods. */
const PROBES: readonly Row[] = [
  ["node-a", "web", EVERYTHING],
  ["node-a", "closed", EVERYTHING],
];

describeKernel("tiers", () => {
  describe.each(TOPOLOGIES)("%s", (topology) => {
    it.each<{
      readonly title: string;
      readonly policies: (scene: Scene) => readonly unknown[];
      readonly rows: readonly Row[];
    }>([
      {
        title: "an Admin rule keeps a pod from its node and from others, but for what an earlier rule accepts",
        policies: () => [
          clusterPolicyObject("guard", "Admin", 10, ["web", "closed"], {
            egress: [tierRule("Accept", [ALL_NODES], TCP_8080), tierRule("Deny", [ALL_NODES])],
          }),
          policyObject("closed", { ingress: [], egress: [] }),
        ],
        rows: [
          ["web", "node-a", ["TCP"]],
          ["web", "node-b", ["TCP"]],
          ["web", "far", EVERYTHING],
          ["closed", "node-a", ["TCP"]],
          ["closed", "node-b", ["TCP"]],
          ["closed", "open", []],
          ["open", "node-a", EVERYTHING],
          ["far", "node-b", EVERYTHING],
        ],
      },
      {
        title: "an Admin rule for networks that hold the node's address does the same",
        policies: (scene) => [
          clusterPolicyObject("guard", "Admin", 10, ["web"], {
            egress: [tierRule("Deny", [{ networks: hostBlocks(scene, "node-a") }])],
          }),
        ],
        rows: [
          ["web", "node-a", []],
          ["web", "node-b", EVERYTHING],
          ["open", "node-a", EVERYTHING],
        ],
      },
      {
        title: "a Baseline rule keeps a pod from its node, unless a NetworkPolicy isolates the pod",
        policies: (scene) => [
          clusterPolicyObject("default", "Baseline", 10, ["web", "closed"], {
            egress: [tierRule("Deny", [ALL_NODES])],
          }),
          policyObject("closed", { egress: [{ to: blocks(scene.at("node-b").addresses) }] }),
        ],
        rows: [
          ["web", "node-a", []],
          ["web", "node-b", []],
          ["closed", "node-a", EVERYTHING],
          ["closed", "node-b", EVERYTHING],
          ["closed", "far", []],
        ],
      },
      {
        title: "an Admin Pass lets NetworkPolicy decide, an Admin Accept does not ask it",
        policies: () => [
          clusterPolicyObject("delegate", "Admin", 10, ["closed"], {
            ingress: [
              tierRule("Accept", [tierPods("far")]),
              tierRule("Pass", [tierPods("open")]),
              tierRule("Deny", [ALL_PODS], TCP_8080),
            ],
          }),
          policyObject("closed", { ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }] }),
        ],
        rows: [
          ["far", "closed", EVERYTHING],
          ["open", "closed", []],
          ["web", "closed", ["UDP", "ICMP"]],
        ],
      },
    ])("$title", ({ policies, rows }) =>
      withScene({ pods: PODS, topology }, async (scene) => {
        const flows = flowsOf(scene, [...rows, ...PROBES]);
        expect(await scene.wrongWithoutPolicies(flows)).toEqual([]);
        await scene.enforce(...policies(scene));
        expect(await scene.wrong(flows)).toEqual([]);
      }),
    );
  });

  it("a pod that reaches itself through a service is judged by Admin and Baseline, and not by NetworkPolicy", () =>
    withScene({ pods: PODS, topology: "routed" }, async (scene) => {
      const self = (name: string, allowed: boolean): SceneFlow[] =>
        (["TCP", "UDP"] as const).map((protocol) => {
          const pod = scene.at(name);
          return { from: pod, to: pod, dials: serviceAddresses(pod.addresses), protocol, allowed };
        });
      const flows = [...self("web", false), ...self("open", false), ...self("closed", true)];
      for (const name of ["web", "open", "closed"]) await acceptOwnSource(scene.at(name).ns);
      const services = ["web", "open", "closed"].map((name) => serviceFor(scene.at(name).addresses, false));
      for (const translator of translatorsHere()) {
        await withServicesOn([scene.at("node-a").ns, scene.at("node-b").ns], services, translator, async () => {
          expect(await scene.wrongWithoutPolicies(flows), translator).toEqual([]);
          await scene.enforce(
            clusterPolicyObject("admin", "Admin", 10, ["web"], { ingress: [tierRule("Deny", [ALL_PODS])] }),
            clusterPolicyObject("base", "Baseline", 10, ["open", "closed"], {
              ingress: [tierRule("Deny", [ALL_PODS])],
            }),
            policyObject("closed", { ingress: [], egress: [] }),
          );
          expect(await scene.wrong(flows), translator).toEqual([]);
        });
      }
    }));
});

/** Of each topology. */
const EACH = 7;
const SEED = Number(process.env.NFTPOL_SEED ?? 1);
const QUESTIONS = ["80/TCP", "81/TCP", "53/UDP", "443/SCTP", "ICMP", "proto/47"].map(
  (text) => parseTraffic(text) as TrafficQuestion,
);

/** Random clusters that mix dialects and have somebody to ask. */
function samples(count: number) {
  const tiers = ["ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"];
  return fc
    .sample(cluster, { numRuns: 20 * count, seed: SEED })
    .filter(
      (objects) =>
        objects.some(({ kind }) => tiers.includes(kind)) && [...storeOf(objects).selectablePods()].length > 1,
    )
    .slice(0, count);
}

describeKernel(`random clusters of all dialects by packets (seed ${SEED})`, () => {
  it.each(TOPOLOGIES)("%s", { timeout: 300_000 }, async (topology) => {
    const own = samples(EACH * TOPOLOGIES.length).filter(
      (_, index) => index % TOPOLOGIES.length === TOPOLOGIES.indexOf(topology),
    );
    expect(own.length).toBe(EACH);
    for (const objects of own) {
      const yaml = toYaml(objects);
      await withTestLab({ yaml }, { topology }, async ({ measure }) => {
        const result = await measure(QUESTIONS);
        expect({ yaml, differences: differencesOf(result) }).toEqual({ yaml, differences: [] });
        expect(result.measured.flows.length).toBeGreaterThan(0);
      });
    }
  });
});

function hostBlocks(scene: Scene, name: string): string[] {
  const { addresses } = scene.at(name);
  return [`${addresses[4]}/32`, `${addresses[6]}/128`];
}
