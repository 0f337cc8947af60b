// Pods, namespaces, nodes and workloads as the model sees them.

import { describe, expect, it } from "vitest";
import type { Pod } from "../model/cluster.ts";
import { decodeNamespace, decodeNode, decodePod } from "./core-v1.ts";
import { textlessSource } from "./object-source.ts";

const source = textlessSource("test");

function podOf(parts: { metadata?: object; spec?: object; status?: object }): Pod {
  const { object } = decodePod({ ...parts, metadata: { name: "a", ...parts.metadata } }, source);
  if (object === undefined) throw new Error("no pod");
  return object;
}

describe("a pod", () => {
  it("has all its addresses once, in canonical text", () => {
    const pod = podOf({
      status: { podIPs: [{ ip: "10.0.0.1" }, { ip: "FD00::1" }, { ip: "10.0.0.1" }], podIP: "10.0.0.9" },
    });
    expect(pod.addresses).toEqual(["10.0.0.1", "fd00::1"]);
  });

  it("falls back to podIP", () => {
    expect(podOf({ status: { podIP: "10.0.0.1" } }).addresses).toEqual(["10.0.0.1"]);
  });

  it("without namespace is in default", () => {
    expect(podOf({}).key).toBe("default/a");
  });

  it("has the ports of containers and of init containers that keep running", () => {
    const pod = podOf({
      spec: {
        containers: [
          {
            ports: [
              { containerPort: 80, name: "http" },
              { containerPort: 53, protocol: "UDP" },
            ],
          },
        ],
        initContainers: [
          { restartPolicy: "Always", ports: [{ containerPort: 90, name: "side" }] },
          { ports: [{ containerPort: 91, name: "gone" }] },
        ],
      },
    });
    expect(pod.ports).toEqual([
      { name: "http", protocol: "TCP", port: 80 },
      { name: "", protocol: "UDP", port: 53 },
      { name: "side", protocol: "TCP", port: 90 },
    ]);
  });

  it.each([
    ["Running", false],
    ["Pending", false],
    ["Succeeded", true],
    ["Failed", true],
  ])("in phase %s is finished: %s", (phase, finished) => {
    expect(podOf({ status: { phase } }).finished).toBe(finished);
  });

  it.each([
    ["a ReplicaSet that carries the template hash", "ReplicaSet", "web-5d4f", "Deployment/web"],
    ["a ReplicaSet of its own", "ReplicaSet", "web", "ReplicaSet/web"],
    ["a StatefulSet", "StatefulSet", "db", "StatefulSet/db"],
    ["its node (a static pod)", "Node", "n1", "Pod/a"],
  ])("belongs to the workload behind %s", (_, kind, name, workload) => {
    const metadata = { labels: { "pod-template-hash": "5d4f" }, ownerReferences: [{ kind, name, controller: true }] };
    expect(podOf({ metadata }).workload).toBe(workload);
  });

  it("belongs to itself when no owner controls it", () => {
    expect(podOf({ metadata: { ownerReferences: [{ kind: "ReplicaSet", name: "x" }] } }).workload).toBe("Pod/a");
  });

  it("is newer by its start time, else by its creation time", () => {
    const metadata = { creationTimestamp: "2024-01-01T00:00:00Z" };
    expect(podOf({ metadata }).startedAt).toBe("2024-01-01T00:00:00Z");
    expect(podOf({ metadata, status: { startTime: "2024-01-02T00:00:00Z" } }).startedAt).toBe("2024-01-02T00:00:00Z");
  });

  it.each([
    ["no status", {}, true],
    ["a uid", { metadata: { uid: "u" } }, false],
    ["an address", { status: { podIP: "10.0.0.1" } }, false],
    ["a finished phase", { status: { phase: "Failed" } }, false],
  ])("with %s is yet to be born: %s", (_, parts, unborn) => {
    expect(
      decodePod({ ...parts, metadata: { name: "a", ...("metadata" in parts ? parts.metadata : {}) } }, source).unborn,
    ).toBe(unborn);
  });
});

describe("a namespace", () => {
  it("always carries the label with its name", () => {
    const { object } = decodeNamespace({ metadata: { name: "x", labels: { a: "b" } } }, source);
    expect(object?.labels).toEqual({ a: "b", "kubernetes.io/metadata.name": "x" });
  });
});

describe("a node", () => {
  it("has those of its addresses that are IP addresses", () => {
    const addresses = [
      { type: "InternalIP", address: "10.0.0.1" },
      { type: "Hostname", address: "n1" },
      { type: "ExternalIP", address: "2001:db8::1" },
    ];
    const { object } = decodeNode({ metadata: { name: "n1" }, status: { addresses } }, source);
    expect(object?.addresses).toEqual(["10.0.0.1", "2001:db8::1"]);
  });

  it.each<[string, object, string[]]>([
    [
      "both families of podCIDRs",
      { podCIDR: "10.1.0.0/24", podCIDRs: ["10.1.0.0/24", "fd00:1::/64"] },
      ["10.1.0.0/24", "fd00:1::/64"],
    ],
    ["podCIDR where there are no podCIDRs", { podCIDR: "10.1.0.0/24" }, ["10.1.0.0/24"]],
    ["each block once, in canonical text", { podCIDRs: ["FD00:1::/64", "fd00:1::/64"] }, ["fd00:1::/64"]],
    ["no block where something else assigns addresses", {}, []],
    ["no block where podCIDR is empty", { podCIDR: "" }, []],
  ])("has %s", (_, spec, expected) => {
    const { object, diagnostics } = decodeNode({ metadata: { name: "n1" }, spec }, source);
    expect(object?.podCidrs.map((block) => block.text)).toEqual(expected);
    expect(diagnostics).toEqual([]);
  });

  it("keeps its other pod CIDRs when one is wrong, and says which", () => {
    const spec = { podCIDRs: ["10.1.0.0/33", 7, "fd00:1::1/64"] };
    const { object, diagnostics } = decodeNode({ metadata: { name: "n1" }, spec }, source);
    expect(object?.podCidrs.map((block) => block.text)).toEqual(["fd00:1::/64"]);
    expect(diagnostics.map(({ severity, code, field }) => `${severity} ${code} ${field}`)).toEqual([
      "error invalid-cidr spec.podCIDRs[0]",
      "error wrong-type spec.podCIDRs[1]",
      "warning cidr-host-bits spec.podCIDRs[2]",
    ]);
  });
});
