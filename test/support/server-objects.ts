// The objects of a fake API server, written by kind and read back through the decoders that the agent uses.

import { textlessSource } from "../../src/dialects/object-source.ts";
import {
  ADMIN_NETWORK_POLICIES,
  BASELINE_ADMIN_NETWORK_POLICIES,
  CLUSTER_NETWORK_POLICIES,
  type DecodedResource,
  NAMESPACES,
  NETWORK_POLICIES,
  NODES,
  PODS,
  type TierResource,
} from "../../src/kube/resources.ts";
import { type PodKey, podKey } from "../../src/model/cluster.ts";
import { policyKey } from "../../src/model/policy.ts";
import type { ClusterEvent } from "../../src/state/change.ts";
import { ClusterStore } from "../../src/state/store.ts";
import type { ObjectStore } from "../api-server/object-store.ts";
import type { ApiObject } from "./random-cluster.ts";

/** Those that a cluster need not have. */
export const TIER_KINDS = ["ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"] as const;
export type TierKind = (typeof TIER_KINDS)[number];
export const KINDS = ["Namespace", "Node", "NetworkPolicy", ...TIER_KINDS, "Pod"] as const;
export type Kind = (typeof KINDS)[number];

const TIER_RESOURCES: Readonly<Record<TierKind, TierResource>> = {
  ClusterNetworkPolicy: CLUSTER_NETWORK_POLICIES,
  AdminNetworkPolicy: ADMIN_NETWORK_POLICIES,
  BaselineAdminNetworkPolicy: BASELINE_ADMIN_NETWORK_POLICIES,
};

const RESOURCES: Readonly<Record<Kind, DecodedResource<unknown>>> = {
  ...TIER_RESOURCES,
  Namespace: NAMESPACES,
  Node: NODES,
  NetworkPolicy: NETWORK_POLICIES,
  Pod: PODS,
};

export function pathOf(kind: Kind): string {
  return RESOURCES[kind].path;
}

export function isTierKind(kind: Kind): kind is TierKind {
  return TIER_KINDS.some((each) => each === kind);
}

/** As `kubectl apply` of the CRD, and some seconds more. */
export function installKind(store: ObjectStore, kind: TierKind): void {
  const { path, group, version } = TIER_RESOURCES[kind];
  store.addResource(path, `${kind}List`, `${group}/${version}`);
}

export function kindOf({ kind }: ApiObject): Kind {
  const known = KINDS.find((each) => each === kind);
  if (known === undefined) throw new Error(`the agent does not read ${kind}`);
  return known;
}

/** `namespace/name` or `name`. */
export function storeKey({ metadata }: ApiObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

export function putObject(store: ObjectStore, object: ApiObject): void {
  store.put(pathOf(kindOf(object)), { ...object });
}

export function deleteObject(store: ObjectStore, object: ApiObject): void {
  store.delete(pathOf(kindOf(object)), storeKey(object));
}

/** The event that sets the object; undefined when the decoder can make nothing of it. Invalid ones are closed, as for the agent. */
export function decodedEvent(object: ApiObject): ClusterEvent | undefined {
  const { object: decoded } = RESOURCES[kindOf(object)].decode(object, textlessSource("test"));
  if (decoded === undefined) return undefined;
  const { name, namespace = "" } = object.metadata;
  switch (kindOf(object)) {
    case "Namespace":
      return { kind: "namespace", name, namespace: decoded } as ClusterEvent;
    case "Node":
      return { kind: "node", name, node: decoded } as ClusterEvent;
    case "NetworkPolicy":
      return { kind: "policy", key: policyKey("NetworkPolicy", namespace, name), policy: decoded } as ClusterEvent;
    case "ClusterNetworkPolicy":
    case "AdminNetworkPolicy":
    case "BaselineAdminNetworkPolicy":
      return { kind: "policy", key: policyKey(object.kind, undefined, name), policy: decoded } as ClusterEvent;
    case "Pod":
      return { kind: "pod", key: podKey(namespace, name) as PodKey, pod: decoded } as ClusterEvent;
  }
}

/** The state that an agent has when it has read everything. */
export function clusterOfServer(store: ObjectStore): ClusterStore {
  const cluster = new ClusterStore();
  for (const kind of KINDS) {
    for (const object of store.collection(pathOf(kind))?.objects.values() ?? []) {
      const event = decodedEvent({ ...object, kind } as unknown as ApiObject);
      if (event !== undefined) cluster.apply(event);
    }
  }
  return cluster;
}

/** Of the resource that the event comes from. */
export function kindOfEvent(event: ClusterEvent): Kind {
  switch (event.kind) {
    case "namespace":
      return "Namespace";
    case "node":
      return "Node";
    case "pod":
      return "Pod";
    case "policy":
      return event.key.slice(0, event.key.indexOf("/")) as Kind;
  }
}

/** Of the object that the event is about. */
export function eventKey(event: ClusterEvent): string {
  return event.kind === "pod" || event.kind === "policy" ? event.key : event.name;
}
