// Small clusters for labs, as text: pods with addresses of both families, nodes, policies. Owns the objects' form and which addresses
// pods and nodes have; what policies say is the test's.

import type { Address, Family } from "../../src/net/address.ts";

export type Addresses = Readonly<Record<Family, Address>>;

/** Pods of all nodes are numbered in one row. */
export function podAddresses(number: number): Addresses {
  return { 4: `10.244.1.${number}` as Address, 6: `fd00:10:244:1::${number.toString(16)}` as Address };
}

export function nodeAddresses(number: number): Addresses {
  return { 4: `172.18.0.${number}` as Address, 6: `fd00:172:18::${number.toString(16)}` as Address };
}

/** A running pod of namespace default with label app=`name`. */
export function podObject(name: string, nodeName: string, { 4: ipv4, 6: ipv6 }: Addresses): unknown {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", uid: `uid-${name}`, labels: { app: name } },
    spec: { nodeName, containers: [{ name: "main" }] },
    status: { phase: "Running", podIP: ipv4, podIPs: [{ ip: ipv4 }, { ip: ipv6 }] },
  };
}

export function nodeObject(name: string, { 4: ipv4, 6: ipv6 }: Addresses): unknown {
  const addresses = [ipv4, ipv6].map((address) => ({ type: "InternalIP", address }));
  return { apiVersion: "v1", kind: "Node", metadata: { name }, status: { addresses } };
}

export interface PolicyText {
  /** undefined: not judged. Empty: closed. */
  readonly ingress?: readonly unknown[];
  readonly egress?: readonly unknown[];
}

/** A policy of namespace default for the pods with label app=`app`. */
export function policyObject(app: string, { ingress, egress }: PolicyText): unknown {
  const policyTypes = [...(ingress === undefined ? [] : ["Ingress"]), ...(egress === undefined ? [] : ["Egress"])];
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: app, namespace: "default" },
    spec: { podSelector: { matchLabels: { app } }, policyTypes, ingress, egress },
  };
}

/** A peer: the pods with this label app. */
export function app(name: string): unknown {
  return { podSelector: { matchLabels: { app: name } } };
}

/** Peers: these addresses. */
export function blocks(addresses: Addresses): readonly unknown[] {
  return [{ ipBlock: { cidr: `${addresses[4]}/32` } }, { ipBlock: { cidr: `${addresses[6]}/128` } }];
}

/** JSON is YAML. */
export function manifestText(objects: readonly unknown[]): string {
  return objects.map((object) => JSON.stringify(object)).join("\n---\n");
}

export interface TierText {
  readonly ingress?: readonly TierRule[];
  readonly egress?: readonly TierRule[];
}

export interface TierRule {
  readonly action: "Accept" | "Deny" | "Pass";
  readonly peers: readonly unknown[];
  readonly protocols?: readonly unknown[] | undefined;
}

export function tierRule(
  action: TierRule["action"],
  peers: readonly unknown[],
  protocols?: readonly unknown[],
): TierRule {
  return { action, peers, protocols };
}

/** A peer: the pods with this label app, of every namespace. */
export function tierPods(name: string): unknown {
  return { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: name } } } };
}

/** A ClusterNetworkPolicy for the pods with one of these labels app. */
export function clusterPolicyObject(
  name: string,
  tier: "Admin" | "Baseline",
  priority: number,
  apps: readonly string[],
  { ingress = [], egress = [] }: TierText,
): unknown {
  const podSelector = { matchExpressions: [{ key: "app", operator: "In", values: apps }] };
  const rules = (all: readonly TierRule[], peerField: "from" | "to") =>
    all.map(({ action, peers, protocols }) => ({
      action,
      [peerField]: peers,
      ...(protocols === undefined ? {} : { protocols }),
    }));
  return {
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name },
    spec: {
      tier,
      priority,
      subject: { pods: { namespaceSelector: {}, podSelector } },
      ingress: rules(ingress, "from"),
      egress: rules(egress, "to"),
    },
  };
}
