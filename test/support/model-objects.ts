// Model objects as small as tests allow.

import { decodeClusterNetworkPolicy } from "../../src/dialects/cluster-network-policy-v1alpha2.ts";
import { decodeNetworkPolicy } from "../../src/dialects/network-policy-v1.ts";
import { textlessSource } from "../../src/dialects/object-source.ts";
import type { ContainerPort, Namespace, Pod } from "../../src/model/cluster.ts";
import { namespaceLabels, podKey } from "../../src/model/cluster.ts";
import type { Labels } from "../../src/model/labels.ts";
import type { Policy } from "../../src/model/policy.ts";
import type { Address } from "../../src/net/address.ts";
import type { ClusterEvent } from "../../src/state/change.ts";

const position = { file: "test" };

export interface PodFields {
  readonly namespace?: string;
  readonly node?: string | undefined;
  readonly labels?: Labels;
  readonly ports?: readonly ContainerPort[];
  readonly hostNetwork?: boolean;
  readonly finished?: boolean;
}

/** `addresses` separated by blanks. */
export function makePod(name: string, addresses: string, fields: PodFields = {}): Pod {
  const namespace = fields.namespace ?? "a";
  return {
    key: podKey(namespace, name),
    namespace,
    name,
    labels: fields.labels ?? { app: name },
    nodeName: "node" in fields ? fields.node : "node-1",
    hostNetwork: fields.hostNetwork ?? false,
    finished: fields.finished ?? false,
    addresses: addresses.split(" ").filter((address) => address !== "") as Address[],
    hostAddresses: [],
    ports: fields.ports ?? [],
    startedAt: "2026-01-01T00:00:00Z",
    createdAt: "2026-01-01T00:00:00Z",
    workload: `Pod/${name}`,
    position,
  };
}

export function makeNamespace(name: string, labels: Labels = {}): Namespace {
  return { name, labels: namespaceLabels(name, labels), position };
}

/** A NetworkPolicy from its spec, as the API server has it. */
export function makePolicy(name: string, spec: Readonly<Record<string, unknown>>, namespace = "a"): Policy {
  const object = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec };
  const { policy, diagnostics } = decodeNetworkPolicy(object, textlessSource("test"));
  if (policy === undefined || diagnostics.length > 0) throw new Error(`a bad policy: ${JSON.stringify(diagnostics)}`);
  return policy;
}

/** A ClusterNetworkPolicy from its spec. */
export function makeClusterPolicy(name: string, spec: Readonly<Record<string, unknown>>): Policy {
  const object = {
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name },
    spec,
  };
  const { policy, diagnostics } = decodeClusterNetworkPolicy(object, textlessSource("test"));
  if (policy === undefined || diagnostics.length > 0) throw new Error(`a bad policy: ${JSON.stringify(diagnostics)}`);
  return policy;
}

export function setPod(pod: Pod): ClusterEvent {
  return { kind: "pod", key: pod.key, pod };
}

export function removePod(pod: Pod): ClusterEvent {
  return { kind: "pod", key: pod.key, pod: undefined };
}

export function setPolicy(policy: Policy): ClusterEvent {
  return { kind: "policy", key: policy.key, policy };
}

export function removePolicy(policy: Policy): ClusterEvent {
  return { kind: "policy", key: policy.key, policy: undefined };
}

export function setNamespace(namespace: Namespace): ClusterEvent {
  return { kind: "namespace", name: namespace.name, namespace };
}
