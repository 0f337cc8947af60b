// A small shop for scenarios: nodes n1 (ours) and n2, pods with addresses that tell where they run, policies in short.

import type { ApiObject } from "../support/random-cluster.ts";

export const SHOP: ApiObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };

export const NODES: readonly ApiObject[] = (["n1", "n2"] as const).map((name, index) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name },
  spec: { podCIDRs: [`10.1.${index + 1}.0/24`] },
  status: { addresses: [{ type: "InternalIP", address: `10.9.0.${index + 1}` }] },
}));

export interface PodFields {
  /** 10.1.1.x is on n1, 10.1.2.x and 10.9.0.2 are on n2; undefined: none yet, on n1. */
  readonly address?: string | undefined;
  readonly labels?: Readonly<Record<string, string>>;
  readonly phase?: string;
  readonly hostNetwork?: boolean;
  readonly uid?: string;
  readonly startTime?: string;
}

/** In the namespace shop; labelled `app: name` where nothing else is said. */
export function pod(name: string, fields: PodFields = {}): ApiObject {
  const { address, labels = { app: name }, phase = "Running", hostNetwork = false, uid = `uid-${name}` } = fields;
  const { startTime = "2026-01-01T00:00:00Z" } = fields;
  const metadata = { name, namespace: "shop", labels, uid, creationTimestamp: startTime };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { nodeName: /^10\.(1\.2\.|9\.0\.2$)/.test(address ?? "") ? "n2" : "n1", hostNetwork, containers: [] },
    status: { phase, startTime, podIPs: address === undefined ? [] : [{ ip: address }] },
  };
}

export function policy(name: string, spec: Readonly<Record<string, unknown>>): ApiObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "shop" },
    spec,
  };
}

/** Pods `app: to` take TCP connections to the port from pods `app: from` only; from nobody without `from`. */
export function allowOnly(to: string, from?: string, port = 80): ApiObject {
  const ingress =
    from === undefined ? [] : [{ from: [{ podSelector: { matchLabels: { app: from } } }], ports: [{ port }] }];
  return policy(`only-${to}`, { podSelector: { matchLabels: { app: to } }, policyTypes: ["Ingress"], ingress });
}

/** web on our node, allowed from client on the other one; other, on the other node, is not. */
export const WEB = pod("web", { address: "10.1.1.10" });
export const CLIENT = pod("client", { address: "10.1.2.20" });
export const OTHER = pod("other", { address: "10.1.2.30" });
export const BASE: readonly ApiObject[] = [SHOP, ...NODES, WEB, CLIENT, OTHER, allowOnly("web", "client")];

/** From pods of this label, in all namespaces. */
function denyFrom(app: string) {
  return [{ action: "Deny", from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app } } } }] }];
}

const EVERYBODY = { namespaces: {} };

/** Pods of all namespaces take nothing from pods `app: from`, whatever NetworkPolicies allow. */
export function clusterDeny(from: string, name = "deny"): ApiObject {
  return {
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name },
    spec: { tier: "Admin", priority: 10, subject: EVERYBODY, ingress: denyFrom(from) },
  };
}

/** The same, in the version before. */
export function adminDeny(from: string, name = "deny"): ApiObject {
  return {
    apiVersion: "policy.networking.k8s.io/v1alpha1",
    kind: "AdminNetworkPolicy",
    metadata: { name },
    spec: { priority: 10, subject: EVERYBODY, ingress: denyFrom(from) },
  };
}

/** What no NetworkPolicy judges is denied from pods `app: from`. */
export function baselineDeny(from: string): ApiObject {
  return {
    apiVersion: "policy.networking.k8s.io/v1alpha1",
    kind: "BaselineAdminNetworkPolicy",
    metadata: { name: "default" },
    spec: { subject: EVERYBODY, ingress: denyFrom(from) },
  };
}
