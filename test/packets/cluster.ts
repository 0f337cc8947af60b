// The cluster whose packets are tested, as API objects: pods of the packet network's hosts, and policies for them.
// Owns the objects' shape; which policies hold when is the tests'.

import { CLUSTER_NETWORK_POLICIES } from "../../src/kube/resources.ts";
import type { ApiObject, ObjectStore } from "../api-server/object-store.ts";
import { NAMESPACES_PATH, NODES_PATH, PODS_PATH, POLICIES_PATH } from "../api-server/objects.ts";
import { clusterPolicyObject, type TierRule } from "../support/lab-manifests.ts";
import { NODE_NAME } from "../support/packet-agent.ts";
import { type PacketHost, POD_CIDRS } from "../support/packet-network.ts";

export const SHOP = "shop";
export const OTHER_NODE = "node-2";

export type Labels = Readonly<Record<string, string>>;

export function putNamespace(store: ObjectStore, name: string, labels: Labels = {}): void {
  store.put(NAMESPACES_PATH, { metadata: { name, labels: { "kubernetes.io/metadata.name": name, ...labels } } });
}

export function putNodes(store: ObjectStore): void {
  store.put(NODES_PATH, { metadata: { name: NODE_NAME }, spec: { podCIDRs: POD_CIDRS } });
  store.put(NODES_PATH, { metadata: { name: OTHER_NODE }, spec: {} });
}

/** A host of the network as a running pod in the namespace `shop`, on the node or, from outside, on the other one. */
export function putHost(store: ObjectStore, { name, attachment, addresses }: PacketHost, labels: Labels): void {
  const nodeName = attachment === "outside" ? OTHER_NODE : NODE_NAME;
  putPod(store, { name, labels, nodeName, addresses: [addresses[4], addresses[6]] });
}

export interface PodFields {
  readonly namespace?: string;
  readonly name: string;
  readonly labels: Labels;
  readonly nodeName: string;
  /** None: it has just been scheduled. */
  readonly addresses: readonly string[];
}

export function putPod(store: ObjectStore, fields: PodFields): void {
  store.put(PODS_PATH, podObject(fields));
}

export function podObject({ namespace = SHOP, name, labels, nodeName, addresses }: PodFields): ApiObject {
  const [podIP] = addresses;
  return {
    metadata: { namespace, name, uid: `uid-${namespace}-${name}`, creationTimestamp: "2026-01-01T00:00:00Z", labels },
    spec: { nodeName, containers: [{ name: "main" }] },
    status: {
      phase: podIP === undefined ? "Pending" : "Running",
      ...(podIP === undefined ? {} : { podIP, podIPs: addresses.map((ip) => ({ ip })) }),
    },
  };
}

export function deletePod(store: ObjectStore, name: string, namespace = SHOP): void {
  store.delete(PODS_PATH, `${namespace}/${name}`);
}

export function putPolicy(store: ObjectStore, name: string, spec: ApiObject, namespace = SHOP): void {
  store.put(POLICIES_PATH, policyObject(name, spec, namespace));
}

export function policyObject(name: string, spec: ApiObject, namespace = SHOP): ApiObject {
  return { metadata: { namespace, name, uid: `uid-${name}`, generation: 1 }, spec };
}

/** The API server learns of ClusterNetworkPolicies. */
export function installClusterPolicies(store: ObjectStore): void {
  const { group, version, path } = CLUSTER_NETWORK_POLICIES;
  store.addResource(path, "ClusterNetworkPolicyList", `${group}/${version}`);
}

/** For the pods of these apps: these rules in both directions; peers that are no pods in egress only, as the API has it. */
export function putTierPolicy(
  store: ObjectStore,
  name: string,
  tier: "Admin" | "Baseline",
  priority: number,
  apps: readonly string[],
  rules: readonly TierRule[],
): void {
  const podsOnly = rules.map((rule) => ({
    ...rule,
    peers: rule.peers.filter((peer) => !("nodes" in (peer as object))),
  }));
  const object = clusterPolicyObject(name, tier, priority, apps, { ingress: podsOnly, egress: rules });
  const metadata = { name, uid: `uid-tier-${name}`, generation: 1 };
  store.put(CLUSTER_NETWORK_POLICIES.path, { ...(object as ApiObject), metadata });
}

export function deleteTierPolicy(store: ObjectStore, name: string): void {
  store.delete(CLUSTER_NETWORK_POLICIES.path, name);
}

export function deletePolicy(store: ObjectStore, name: string, namespace = SHOP): void {
  store.delete(POLICIES_PATH, `${namespace}/${name}`);
}

export function labelSelector(labels: Labels): ApiObject {
  return { matchLabels: labels };
}

/** Isolates the pods of an app in both directions and allows these peers, both ways, on all ports. */
export function onlyWith(app: string, peers: readonly ApiObject[]): ApiObject {
  return {
    podSelector: labelSelector({ app }),
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: peers }],
    egress: [{ to: peers }],
  };
}
