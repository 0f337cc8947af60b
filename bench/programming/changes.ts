// What happens to the cluster, one object at a time: kinds of changes in an order in which each undoes what the ones before it
// did, so that every round finds the same cluster. Owns which object changes in which round.

import {
  type ApiObject,
  addressIn,
  IDLE_PODS,
  idlePod,
  LOCAL_NODE,
  NAMESPACES,
  namespace,
  networkPolicy,
  node,
  PATHS,
  pod,
} from "./cluster.ts";

/** In the order of a round. */
export const CHANGE_KINDS = [
  "remote pod added",
  "remote pod relabelled",
  "remote pod removed",
  "remote pod, no policy's peer",
  "local pod added",
  "local pod relabelled",
  "local pod removed",
  "namespace of 1,000 pods relabelled",
  "policy added",
  "policy changed",
  "policy removed",
  "policy with many peers added",
  "policy with many peers changed",
  "policy with many peers removed",
  "node added",
  "node removed",
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** These change nothing in the kernel. */
export const WITHOUT_EFFECT: ReadonlySet<ChangeKind> = new Set(["remote pod, no policy's peer"]);

export interface Change {
  readonly path: string;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: ApiObject;
}

/** Rounds begin with 0 and come one after the other. */
export function changeOf(kind: ChangeKind, round: number): Change {
  switch (kind) {
    case "remote pod added":
      return { path: PATHS.pods, type: "ADDED", object: remotePod(round, "tier-1") };
    case "remote pod relabelled":
      return { path: PATHS.pods, type: "MODIFIED", object: remotePod(round, "tier-2") };
    case "remote pod removed":
      return { path: PATHS.pods, type: "DELETED", object: remotePod(round, "tier-2") };
    case "remote pod, no policy's peer":
      return { path: PATHS.pods, type: "MODIFIED", object: idlePod(round % IDLE_PODS, round + 1) };
    case "local pod added":
      return { path: PATHS.pods, type: "ADDED", object: localPod(round, "app-0") };
    case "local pod relabelled":
      return { path: PATHS.pods, type: "MODIFIED", object: localPod(round, "app-1") };
    case "local pod removed":
      return { path: PATHS.pods, type: "DELETED", object: localPod(round, "app-1") };
    case "namespace of 1,000 pods relabelled":
      return { path: PATHS.namespaces, type: "MODIFIED", object: namespace("wave", round % 2 === 0 ? 4 : 3) };
    case "policy added":
      return { path: PATHS.policies, type: "ADDED", object: newPolicy("new", round, appPeer(round, 2)) };
    case "policy changed":
      return { path: PATHS.policies, type: "MODIFIED", object: newPolicy("new", round, appPeer(round, 3)) };
    case "policy removed":
      return { path: PATHS.policies, type: "DELETED", object: newPolicy("new", round, appPeer(round, 3)) };
    case "policy with many peers added":
      return { path: PATHS.policies, type: "ADDED", object: newPolicy("wide", round, teamsPeer("team-1", "team-2")) };
    case "policy with many peers changed":
      return {
        path: PATHS.policies,
        type: "MODIFIED",
        object: newPolicy("wide", round, teamsPeer("team-5", "team-6")),
      };
    case "policy with many peers removed":
      return { path: PATHS.policies, type: "DELETED", object: newPolicy("wide", round, teamsPeer("team-5", "team-6")) };
    case "node added":
      return { path: PATHS.nodes, type: "ADDED", object: monitorNode(round) };
    case "node removed":
      return { path: PATHS.nodes, type: "DELETED", object: monitorNode(round) };
  }
}

/** A peer of policies: from one set of addresses to another when its tier changes. */
function remotePod(round: number, tier: string): ApiObject {
  return pod({
    name: `remote-${round}`,
    namespace: `ns-${3 + 10 * (round % 10)}`,
    nodeName: "node-1",
    labels: { app: "new", tier },
    address: addressIn(202, round),
  });
}

/**
 * At first judged as another pod of this node is, then as none: its class is made and goes with it. Not in the namespaces whose
 * policies select all pods.
 */
function localPod(round: number, app: string): ApiObject {
  return pod({
    name: `local-${round}`,
    namespace: `ns-${1 + (round % 9) + 10 * (round % 10)}`,
    nodeName: LOCAL_NODE,
    labels: { app, tier: "tier-1" },
    address: addressIn(203, round),
  });
}

/** For a pod of this node at least. */
function newPolicy(name: string, round: number, peer: unknown): ApiObject {
  return networkPolicy(`${name}-${round}`, round % NAMESPACES, {
    podSelector: { matchLabels: { app: "app-0" } },
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: [peer], ports: [{ port: 6_000 }] }],
    egress: [{ to: [peer], ports: [{ port: 5_432 }] }],
  });
}

/** Pods of one app of the same namespace, one of a hundred; no other policy of that namespace asks for them. */
function appPeer(round: number, step: number): unknown {
  return { podSelector: { matchLabels: { app: `app-${(round + step) % 10}` } } };
}

/** Pods of one tier of three, of two teams of ten. */
function teamsPeer(...values: readonly string[]): unknown {
  return {
    namespaceSelector: { matchExpressions: [{ key: "team", operator: "In", values }] },
    podSelector: { matchLabels: { tier: "tier-1" } },
  };
}

function monitorNode(round: number): ApiObject {
  return node(`monitor-${round}`, 32_768 + round, { role: "monitor" });
}
