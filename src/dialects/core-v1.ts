// core/v1 Pod, Namespace and Node -> the trimmed model. Lenient where the API server defaults, strict about the types
// of the fields that are read; all other fields are ignored.

import { type Namespace, type Node, namespaceLabels, type Pod, podKey } from "../model/cluster.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { type Address, parseAddress } from "../net/address.ts";
import type { CidrBlock } from "../net/cidr.ts";
import { readCidr } from "./cidr-field.ts";
import { type Field, rootField } from "./field-reader.ts";
import { type ObjectMeta, readObjectMeta } from "./object-meta.ts";
import type { ObjectSource } from "./object-source.ts";
import { readPodSpec } from "./pod-spec.ts";

export interface DecodedPod {
  readonly object?: Pod;
  /** A manifest of a pod that does not run anywhere yet: no uid, no address, not finished. */
  readonly unborn: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

export function decodePod(value: unknown, source: ObjectSource): DecodedPod {
  const root = rootField(value, source);
  const diagnostics = root.findings.diagnostics;
  const meta = readObjectMeta(root, "Pod", "namespaced");
  const spec = readPodSpec(root.mapping("spec"));
  const status = root.mapping("status");
  const phase = status.string("phase");
  const finished = phase === "Succeeded" || phase === "Failed";
  const addresses = readAddressList(status, "podIPs", "podIP");
  const hostAddresses = readAddressList(status, "hostIPs", "hostIP");
  const startTime = status.string("startTime");
  if (meta === undefined) return { unborn: false, diagnostics };
  const pod: Pod = {
    key: podKey(meta.namespace, meta.name),
    namespace: meta.namespace,
    name: meta.name,
    labels: meta.labels,
    nodeName: spec.nodeName,
    hostNetwork: spec.hostNetwork,
    finished,
    addresses,
    hostAddresses,
    ports: spec.ports,
    startedAt: startTime ?? meta.createdAt,
    createdAt: meta.createdAt,
    workload: workloadOfPod(meta),
    position: source.positionOf([]),
  };
  const unborn = meta.uid === "" && addresses.length === 0 && !finished;
  const addressesAreReadable = root.findings.errorCount === 0;
  if (addressesAreReadable && !unborn && addresses.length === 0 && !finished && !spec.hostNetwork) {
    status.warning({
      code: "pod-without-address",
      message: "the pod has no address yet: policies cannot select it and nothing reaches it",
    });
  }
  return { object: pod, unborn, diagnostics };
}

/** `Kind/name` of what made the pod. A ReplicaSet that carries the pod-template-hash in its name is a Deployment's. */
function workloadOfPod(meta: ObjectMeta): string {
  // Static pods are owned by their node: they have no workload.
  if (meta.owner === undefined || meta.owner.kind === "Node") return `Pod/${meta.name}`;
  const hash = meta.labels["pod-template-hash"];
  if (meta.owner.kind === "ReplicaSet" && hash !== undefined && meta.owner.name.endsWith(`-${hash}`)) {
    return `Deployment/${meta.owner.name.slice(0, -hash.length - 1)}`;
  }
  return `${meta.owner.kind}/${meta.owner.name}`;
}

/** `[{ip}]` under the plural name, else the singular; duplicates removed, order kept. */
function readAddressList(status: Field, plural: string, singular: string): Address[] {
  const addresses: Address[] = [];
  for (const item of status.list(plural)) addAddress(item.asMapping().member("ip"), addresses);
  if (addresses.length === 0) addAddress(status.member(singular), addresses);
  return addresses;
}

function addAddress(field: Field, addresses: Address[]): void {
  const text = field.asString();
  if (text === undefined || text === "") return;
  const parsed = parseAddress(text);
  if (parsed === undefined) {
    field.error({ code: "invalid-address", message: `${JSON.stringify(text)} is not an IP address` });
    return;
  }
  if (parsed.unusual !== undefined) {
    field.warning({
      code: "unusual-address",
      message: `${JSON.stringify(text)} is written with ${parsed.unusual}; it is read as ${parsed.address}`,
      hint: `write ${parsed.address}`,
    });
  }
  if (!addresses.includes(parsed.address)) addresses.push(parsed.address);
}

export interface DecodedNamespace {
  readonly object?: Namespace;
  readonly diagnostics: readonly Diagnostic[];
}

export function decodeNamespace(value: unknown, source: ObjectSource): DecodedNamespace {
  const root = rootField(value, source);
  const diagnostics = root.findings.diagnostics;
  const meta = readObjectMeta(root, "Namespace", "cluster");
  if (meta === undefined) return { diagnostics };
  return {
    object: { name: meta.name, labels: namespaceLabels(meta.name, meta.labels), position: source.positionOf([]) },
    diagnostics,
  };
}

export interface DecodedNode {
  readonly object?: Node;
  readonly diagnostics: readonly Diagnostic[];
}

export function decodeNode(value: unknown, source: ObjectSource): DecodedNode {
  const root = rootField(value, source);
  const diagnostics = root.findings.diagnostics;
  const meta = readObjectMeta(root, "Node", "cluster");
  const addresses: Address[] = [];
  for (const item of root.mapping("status").list("addresses")) {
    // Host names stand in the same list.
    const parsed = parseAddress(item.asMapping().string("address") ?? "");
    if (parsed !== undefined && !addresses.includes(parsed.address)) addresses.push(parsed.address);
  }
  const podCidrs = readPodCidrs(root.mapping("spec"));
  if (meta === undefined) return { diagnostics };
  const { name, labels } = meta;
  return { object: { name, labels, addresses, podCidrs, position: source.positionOf([]) }, diagnostics };
}

/** `podCIDRs`, whose first entry repeats `podCIDR`, else `podCIDR`; duplicates removed. What is no block is reported and left out. */
function readPodCidrs(spec: Field): CidrBlock[] {
  const list = spec.list("podCIDRs");
  const fields = list.length > 0 ? list : [spec.member("podCIDR")];
  const blocks = new Map<string, CidrBlock>();
  for (const field of fields) {
    const block = readCidr(field);
    if (block !== undefined) blocks.set(block.text, block);
  }
  return [...blocks.values()];
}
