// What the agents of a lab read: the objects are written, decoded again, and mean the same cluster.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeNamespace, makePod } from "../../test/support/model-objects.ts";
import { type ApiObject, cluster, eventOf, policyObject, toYaml } from "../../test/support/random-cluster.ts";
import { type LoadedManifests, loadManifests } from "../manifests/load-manifests.ts";
import { memoryManifestFiles } from "../manifests/manifest-files.ts";
import type { Node, Pod } from "../model/cluster.ts";
import type { Address } from "../net/address.ts";
import { parseCidr } from "../net/cidr.ts";
import { clusterList, type LabCluster, labNodes, policyList } from "./cluster-objects.ts";
import { placeOnNodes, planLab } from "./plan.ts";

/** What a lab makes of these objects, written as a file and read again. */
async function readAgain(lab: LabCluster, plan: ReturnType<typeof planLab>): Promise<LoadedManifests> {
  const text = JSON.stringify(clusterList({ ...lab, nodes: labNodes(plan, lab.nodes, "with-others") }));
  const loaded = await loadManifests(["cluster.json"], {
    recursive: false,
    files: memoryManifestFiles({ "cluster.json": text }),
  });
  expect(loaded.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return loaded;
}

function planOf(lab: LabCluster, nodeAddresses: (name: string) => readonly Address[]) {
  const nodeNames = [...new Set(lab.pods.map(({ nodeName }) => nodeName ?? ""))].sort();
  return planLab({ topology: "routed", nodeNames, pods: [], nodeAddresses, outside: [] });
}

/** Everything of a pod that rules depend on. */
function meaningOf(pod: Pod) {
  const { key, labels, nodeName, hostNetwork, finished, addresses, ports, startedAt, createdAt } = pod;
  return { key, labels, nodeName, hostNetwork, finished, addresses, ports, startedAt, createdAt };
}

function byKey(pods: readonly Pod[]) {
  return pods.map(meaningOf).sort((a, b) => (a.key < b.key ? -1 : 1));
}

function modelOf(objects: readonly ApiObject[]) {
  const events = objects.map(eventOf);
  return {
    pods: events.flatMap((event) => (event.kind === "pod" && event.pod !== undefined ? [event.pod] : [])),
    nodes: events.flatMap((event) => (event.kind === "node" && event.node !== undefined ? [event.node] : [])),
    namespaces: events.flatMap((event) =>
      event.kind === "namespace" && event.namespace !== undefined ? [event.namespace] : [],
    ),
  };
}

describe("clusterList", () => {
  it("of any cluster gives the same pods, namespaces and nodes when it is read again", async () => {
    const samples = fc.sample(cluster, { numRuns: 150, seed: Number(process.env.NFTPOL_SEED ?? 20261121) });
    for (const objects of samples) {
      const { pods, nodes, namespaces } = modelOf(objects);
      const lab: LabCluster = { pods: placeOnNodes(pods, nodes, "as-is").pods, nodes, namespaces, policies: [] };
      const plan = planOf(lab, (name) => nodes.find((node) => node.name === name)?.addresses ?? []);
      const again = await readAgain(lab, plan);
      const shown = toYaml(objects);
      expect(byKey(again.pods), shown).toEqual(byKey(lab.pods));
      expect(
        again.namespaces.map(({ name, labels }) => ({ name, labels })),
        shown,
      ).toEqual(namespaces.map(({ name, labels }) => ({ name, labels })));
      const names = [...new Set([...plan.nodes, ...nodes].map(({ name }) => name))].sort();
      expect(again.nodes.map(({ name }) => name).sort(), shown).toEqual(names);
      for (const node of nodes) {
        const found = again.nodes.find(({ name }) => name === node.name);
        expect(found?.addresses.slice(0, node.addresses.length), shown).toEqual(node.addresses);
        expect(found?.podCidrs, shown).toEqual(node.podCidrs);
        expect(found?.labels, shown).toEqual(node.labels);
      }
    }
  });

  const host: Pod = {
    ...makePod("host", "192.168.0.1", { hostNetwork: true }),
    hostAddresses: ["192.168.0.1", "192.168.0.2", "fd00::a"] as Address[],
  };
  const lab = (fields: Partial<LabCluster>): LabCluster => ({
    pods: [],
    nodes: [],
    namespaces: [],
    policies: [],
    ...fields,
  });

  it("keeps ports with their names and protocols, and what has no name", async () => {
    const ports = [
      { name: "http", protocol: "TCP", port: 8080 },
      { name: "", protocol: "SCTP", port: 36412 },
    ] as const;
    const cluster = lab({ pods: [makePod("a", "10.0.0.1", { ports })] });
    expect(
      (
        await readAgain(
          cluster,
          planOf(cluster, () => []),
        )
      ).pods[0]?.ports,
    ).toEqual(ports);
  });

  it("keeps that a pod has finished: its address may be another's", async () => {
    const cluster = lab({ pods: [makePod("done", "10.0.0.1", { finished: true })] });
    expect(
      (
        await readAgain(
          cluster,
          planOf(cluster, () => []),
        )
      ).pods[0],
    ).toMatchObject({ finished: true, addresses: ["10.0.0.1"] });
  });

  it("tells a pod's node as a kubelet does: one address of each family", async () => {
    const cluster = lab({ pods: [host] });
    expect(
      (
        await readAgain(
          cluster,
          planOf(cluster, () => []),
        )
      ).pods[0]?.hostAddresses,
    ).toEqual(["192.168.0.1", "fd00::a"]);
  });

  it("gives nodes the addresses of the plan, and what else is known of them", async () => {
    const worker: Node = {
      ...{ name: "node-1", addresses: [], position: { file: "test" } },
      labels: { zone: "a" },
      podCidrs: [(parseCidr("10.0.0.0/24") as NonNullable<ReturnType<typeof parseCidr>>).block],
    };
    const cluster = lab({ pods: [makePod("a", "10.0.0.1")], nodes: [worker] });
    const [node] = (
      await readAgain(
        cluster,
        planOf(cluster, () => []),
      )
    ).nodes;
    expect(node).toMatchObject({
      name: "node-1",
      labels: { zone: "a" },
      addresses: ["198.19.250.1", "2001:db8:6e66::1"],
    });
    expect(node?.podCidrs.map(({ text }) => text)).toEqual(["10.0.0.0/24"]);
  });

  it("has the labels of namespaces", async () => {
    const cluster = lab({ namespaces: [makeNamespace("shop", { team: "red" })], pods: [makePod("a", "10.0.0.1")] });
    const [namespace] = (
      await readAgain(
        cluster,
        planOf(cluster, () => []),
      )
    ).namespaces;
    expect(namespace?.labels).toEqual({ team: "red", "kubernetes.io/metadata.name": "shop" });
  });
});

it("policyList gives policies as they were written, wrong ones included", () => {
  const [object] = fc.sample(policyObject, { numRuns: 1, seed: 1 });
  const wrong = { kind: "NetworkPolicy", spec: 7 };
  expect(policyList([object, wrong])).toEqual({ apiVersion: "v1", kind: "List", items: [object, wrong] });
});
