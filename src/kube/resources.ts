// The API resources that nftpol reads: where they are served and how one item is decoded.
// A new resource is one entry here; snapshot and reflector take everything else from it.

import { decodeNamespace, decodeNode, decodePod } from "../dialects/core-v1.ts";
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

/** A resource together with its trimming decoder; `object` is missing when it is too broken to use (an error says why). */
export interface DecodedResource<T> extends Resource {
  readonly decode: (
    item: unknown,
    source: ObjectSource,
  ) => { readonly object?: T; readonly diagnostics: readonly Diagnostic[] };
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
  decode: (item, source) => {
    const { policy, diagnostics } = decodeNetworkPolicy(item, source);
    return policy === undefined ? { diagnostics } : { object: policy, diagnostics };
  },
};
