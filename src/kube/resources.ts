// The API resources that nftpol reads: where they are served and how one item is decoded.
// A new resource is one entry here; snapshot and reflector take everything else from it.

import {
  decodeAdminNetworkPolicy,
  decodeBaselineAdminNetworkPolicy,
} from "../dialects/admin-network-policy-v1alpha1.ts";
import { decodeClusterNetworkPolicy } from "../dialects/cluster-network-policy-v1alpha2.ts";
import { decodeNamespace, decodeNode, decodePod } from "../dialects/core-v1.ts";
import type { DecodedPolicy } from "../dialects/decoded-policy.ts";
import { decodeNetworkPolicy } from "../dialects/network-policy-v1.ts";
import type { ObjectSource } from "../dialects/object-source.ts";
import type { Namespace, Node, Pod } from "../model/cluster.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Policy } from "../model/policy.ts";

/** Where a resource is served, for all namespaces. */
export interface Resource {
  /** kubectl's name for it: `networkpolicies.networking.k8s.io`. */
  readonly name: string;
  /** `/apis/networking.k8s.io/v1/networkpolicies`. */
  readonly path: string;
}

/** A resource that is not part of every cluster: its CRD may come and go. */
export interface DiscoverableResource extends Resource {
  /** `policy.networking.k8s.io`. */
  readonly group: string;
  readonly version: string;
}

/** A resource together with its trimming decoder; `object` is missing when it is too broken to use (an error says why). */
export interface DecodedResource<T> extends Resource {
  readonly decode: (
    item: unknown,
    source: ObjectSource,
    /** `namespace/name`, where it is known already: to be shared. */
    key?: string,
  ) => { readonly object?: T; readonly diagnostics: readonly Diagnostic[] };
}

/** Cluster-scoped policies of one kind. */
export interface TierResource extends DecodedResource<Policy>, DiscoverableResource {
  /** `ClusterNetworkPolicy`. */
  readonly kind: string;
}

export const NAMESPACES: DecodedResource<Namespace> = {
  name: "namespaces",
  path: "/api/v1/namespaces",
  decode: decodeNamespace,
};

export const PODS: DecodedResource<Pod> = { name: "pods", path: "/api/v1/pods", decode: decodePod };

export const NODES: DecodedResource<Node> = { name: "nodes", path: "/api/v1/nodes", decode: decodeNode };

export const NETWORK_POLICIES: DecodedResource<Policy> = {
  name: "networkpolicies.networking.k8s.io",
  path: "/apis/networking.k8s.io/v1/networkpolicies",
  decode: policyDecoder(decodeNetworkPolicy),
};

/** The policies of the ordered tiers (network-policy-api); each kind has its own CRD. */
export const CLUSTER_NETWORK_POLICIES = tierResource(
  "ClusterNetworkPolicy",
  "clusternetworkpolicies",
  "v1alpha2",
  decodeClusterNetworkPolicy,
);

export const ADMIN_NETWORK_POLICIES = tierResource(
  "AdminNetworkPolicy",
  "adminnetworkpolicies",
  "v1alpha1",
  decodeAdminNetworkPolicy,
);

export const BASELINE_ADMIN_NETWORK_POLICIES = tierResource(
  "BaselineAdminNetworkPolicy",
  "baselineadminnetworkpolicies",
  "v1alpha1",
  decodeBaselineAdminNetworkPolicy,
);

/** All of them; of one group. */
export const TIER_POLICIES: readonly TierResource[] = [
  CLUSTER_NETWORK_POLICIES,
  ADMIN_NETWORK_POLICIES,
  BASELINE_ADMIN_NETWORK_POLICIES,
];

type PolicyDecoder = (item: unknown, source: ObjectSource) => DecodedPolicy;

function tierResource(kind: string, plural: string, version: string, decode: PolicyDecoder): TierResource {
  const group = "policy.networking.k8s.io";
  return {
    kind,
    name: `${plural}.${group}`,
    path: `/apis/${group}/${version}/${plural}`,
    group,
    version,
    decode: policyDecoder(decode),
  };
}

function policyDecoder(decode: PolicyDecoder): DecodedResource<Policy>["decode"] {
  return (item, source) => {
    const { policy, diagnostics } = decode(item, source);
    return policy === undefined ? { diagnostics } : { object: policy, diagnostics };
  };
}
