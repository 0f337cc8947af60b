// Workloads become pods only where no real pods exist, and addresses are stable and out of the way.

import { describe, expect, it } from "vitest";
import { findingLine, loadTexts } from "../../test/support/manifests.ts";
import type { LoadedManifests } from "./load-manifests.ts";

function workload(kind: string, spec: string, name = "web"): string {
  const apiVersion = kind.endsWith("Job") ? "batch/v1" : kind === "ReplicationController" ? "v1" : "apps/v1";
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;
}

const template =
  "template: {metadata: {labels: {app: web}}, spec: {containers: [{ports: [{containerPort: 80, name: http}]}]}}";
const nodes = ["n2", "n1"].map(
  (name, index) =>
    `apiVersion: v1\nkind: Node\nmetadata: {name: ${name}, labels: {disk: d${index}}}\nstatus: {addresses: [{address: 10.9.0.${index + 1}}]}\n`,
);

async function load(...documents: string[]): Promise<LoadedManifests> {
  return loadTexts({ "a.yaml": documents.join("---\n") });
}

function ownedPod(owner: string, labels = "{}"): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: real, namespace: shop, uid: u, labels: ${labels}, ownerReferences: [${owner}]}\nstatus: {podIP: 10.0.0.1}\n`;
}

const names = (loaded: LoadedManifests) => loaded.pods.map((pod) => pod.name);

describe("workloads", () => {
  const cases: readonly [string, string, string[]][] = [
    ["a Deployment has one pod by default", workload("Deployment", `{${template}}`), ["web-0"]],
    ["replicas are counted", workload("StatefulSet", `{replicas: 3, ${template}}`), ["web-0", "web-1", "web-2"]],
    ["no replicas, no pods", workload("ReplicaSet", `{replicas: 0, ${template}}`), []],
    [
      "a ReplicationController counts too",
      workload("ReplicationController", `{replicas: 2, ${template}}`),
      ["web-0", "web-1"],
    ],
    ["a Job runs in parallel", workload("Job", `{parallelism: 2, ${template}}`), ["web-0", "web-1"]],
    ["a suspended Job does not run", workload("Job", `{suspend: true, ${template}}`), []],
    ["a CronJob has its Job's template", workload("CronJob", `{jobTemplate: {spec: {${template}}}}`), ["web-0"]],
    ["a DaemonSet without known nodes has one pod", workload("DaemonSet", `{${template}}`), ["web-0"]],
  ];
  it.each(cases)("%s", async (_, text, expected) => {
    const loaded = await load(text);
    expect(names(loaded)).toEqual(expected);
    expect(loaded.diagnostics).toEqual([]);
    for (const pod of loaded.pods) {
      expect(pod.labels.app).toBe("web");
      expect(pod.ports).toEqual([{ name: "http", protocol: "TCP", port: 80 }]);
      expect(pod.workload).toMatch(/\/web$/);
      expect(pod.addresses).toHaveLength(1);
    }
  });

  it("a DaemonSet has a pod on each node that its nodeSelector matches", async () => {
    const all = await load(workload("DaemonSet", `{${template}}`), ...nodes);
    expect(all.pods.map((pod) => [pod.name, pod.nodeName])).toEqual([
      ["web-0", "n1"],
      ["web-1", "n2"],
    ]);
    const some = await load(
      workload("DaemonSet", `{${template.replace("spec: {", "spec: {nodeSelector: {disk: d0}, ")}}`),
      ...nodes,
    );
    expect(some.pods.map((pod) => pod.nodeName)).toEqual(["n2"]);
  });

  it("a StatefulSet's pods carry their name as a label", async () => {
    const loaded = await load(workload("StatefulSet", `{${template}}`));
    expect(loaded.pods[0]?.labels["statefulset.kubernetes.io/pod-name"]).toBe("web-0");
  });

  const populated: readonly [string, string[]][] = [
    [
      "directly",
      [workload("StatefulSet", `{${template}}`), ownedPod("{kind: StatefulSet, name: web, controller: true}")],
    ],
    [
      "through the template hash",
      [
        workload("Deployment", `{${template}}`),
        ownedPod("{kind: ReplicaSet, name: web-5d, controller: true}", "{pod-template-hash: 5d}"),
      ],
    ],
    [
      "through a ReplicaSet in the input",
      [
        workload("Deployment", `{${template}}`),
        workload("ReplicaSet", `{${template}}`, "rs").replace(
          "namespace: shop",
          "namespace: shop, ownerReferences: [{kind: Deployment, name: web, controller: true}]",
        ),
        ownedPod("{kind: ReplicaSet, name: rs, controller: true}"),
      ],
    ],
    [
      "through a CronJob's Job",
      [
        workload("CronJob", `{jobTemplate: {spec: {${template}}}}`),
        ownedPod("{kind: Job, name: web-123, controller: true}"),
      ],
    ],
  ];
  it.each(populated)("nothing is made up for a workload that owns real pods %s", async (_, documents) => {
    expect(names(await load(...documents))).toEqual(["real"]);
  });

  it("a ReplicaSet of a Deployment in the input is not expanded a second time", async () => {
    const owner = "namespace: shop, ownerReferences: [{kind: Deployment, name: web, controller: true}]";
    const replicaSet = workload("ReplicaSet", `{replicas: 3, ${template}}`, "rs").replace("namespace: shop", owner);
    expect(names(await load(workload("Deployment", `{${template}}`), replicaSet))).toEqual(["web-0"]);
  });

  it("two workloads of one name get pods of different names", async () => {
    const loaded = await load(workload("StatefulSet", `{${template}}`), workload("Deployment", `{${template}}`));
    expect(names(loaded).sort()).toEqual(["web-0", "web-statefulset-0"]);
  });

  it("makes 1000 pods at most and says so", async () => {
    const loaded = await load(workload("Deployment", `{replicas: 2000000000, ${template}}`));
    expect(loaded.pods).toHaveLength(1000);
    expect(loaded.diagnostics.map(findingLine)).toEqual(["a.yaml:1:1 warning too-many-replicas"]);
  });
});

function barePod(name: string, spec = "{}"): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
}

function allow(block: string): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}, ingress: [{from: [{ipBlock: ${block}}]}]}\n`;
}

const addresses = (loaded: LoadedManifests) =>
  Object.fromEntries(loaded.pods.map((pod) => [pod.name, pod.addresses.join(" ")]));

describe("made-up addresses", () => {
  it("do not depend on the order of the input", async () => {
    const pods = Array.from({ length: 200 }, (_, index) => barePod(`p${index}`));
    const forward = await load(...pods);
    const backward = await load(...pods.toReversed());
    expect(addresses(forward)).toEqual(addresses(backward));
    expect(new Set(Object.values(addresses(forward))).size).toBe(200);
    expect(forward.madeUpAddresses).toBe(200);
  });

  it.each([
    ["{cidr: 0.0.0.0/0}", /^10\.244\./],
    ["{cidr: 10.0.0.0/8}", /^100\.64\./],
    ["{cidr: 10.244.7.0/24}", /^100\.64\./],
    ["{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}", /^100\.64\./],
    ["{cidr: 0.0.0.0/0, except: [10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16]}", /^198\.1[89]\./],
  ])("keep out of %s", async (block, expected) => {
    expect(addresses(await load(barePod("a"), allow(block))).a).toMatch(expected);
  });

  it("come with IPv6 when the input uses IPv6", async () => {
    expect(addresses(await load(barePod("a"), allow('{cidr: "2001:db8::/32"}'))).a).toMatch(
      /^10\.244\.\S+ fd00:10:244::\S+$/,
    );
  });

  it("are the node's on the host network", async () => {
    const loaded = await load(barePod("a", "{hostNetwork: true, nodeName: n1}"), ...nodes);
    expect(addresses(loaded).a).toBe("10.9.0.2");
    expect(loaded.madeUpAddresses).toBe(0);
  });

  it("never collide with an address of the input", async () => {
    const first = addresses(await load(barePod("a"))).a;
    const real = `apiVersion: v1\nkind: Pod\nmetadata: {name: b}\nstatus: {podIP: ${first}}\n`;
    expect(addresses(await load(barePod("a"), real)).a).not.toBe(first);
  });
});
