// Which node each pod is on, where manifests do not say: for a whole cluster, and for the agent of one node. Pure.

import type { Node, Pod, PodKey } from "../model/cluster.ts";

/** The name of the only node of a cluster whose manifests name none. */
export const MADE_UP_NODE = "node";

export interface Placement {
  readonly pods: readonly Pod[];
  /** Nodes that pods are on and nodes that are defined, sorted. */
  readonly nodeNames: readonly string[];
  /** Pods that are on no node although pods are on several. */
  readonly unplaced: number;
}

/**
 * If the pods name at most one node, pods without a node are on it. If they name none: on `wanted`, if it is given and is one of the Node
 * objects or there are none; else on the only Node object; else on a made-up one.
 */
export function placePods(pods: readonly Pod[], nodes: readonly Node[], wanted?: string): Placement {
  const named = new Set<string>();
  for (const pod of pods) if (pod.nodeName !== undefined) named.add(pod.nodeName);
  const defined = nodes.map((node) => node.name);
  if (named.size > 1) {
    const unplaced = pods.filter((pod) => pod.nodeName === undefined).length;
    return { pods, nodeNames: sortedNames([...named, ...defined]), unplaced };
  }
  const only = [...named][0] ?? chooseNode(defined, wanted);
  const placed = pods.map((pod) => (pod.nodeName === undefined ? { ...pod, nodeName: only } : pod));
  return { pods: placed, nodeNames: sortedNames([only, ...defined]), unplaced: 0 };
}

export interface AgentPlacement {
  readonly pods: readonly Pod[];
  /** Pods that name no node although others are named: where they are is a guess. */
  readonly doubtful: ReadonlySet<PodKey>;
  /** Whether the manifests know the node, now or before. */
  readonly isKnown: boolean;
}

/**
 * For the agent of the node `own`. As soon as manifests know it, or pods were placed there before (`wasKnown`), pods that name no
 * node are on it, whatever other nodes there are: a pod too many has rules that it does not need, one too few has none. Before,
 * as `placePods` says: under a name that nothing knows nothing is enforced.
 */
export function placePodsOfAgent(
  pods: readonly Pod[],
  nodes: readonly Node[],
  own: string,
  wasKnown: boolean,
): AgentPlacement {
  const ofPods = new Set(pods.map(({ nodeName }) => nodeName).filter((name) => name !== undefined));
  const named = new Set([...ofPods, ...nodes.map(({ name }) => name)]);
  const isKnown = wasKnown || named.size === 0 || named.has(own);
  const placed = isKnown
    ? pods.map((pod) => (pod.nodeName === undefined ? { ...pod, nodeName: own } : pod))
    : placePods(pods, nodes, own).pods;
  const othersAreNamed = [...ofPods].some((name) => name !== own) || (named.size > 0 && !named.has(own));
  const doubtful = othersAreNamed ? pods.filter(({ nodeName }) => nodeName === undefined).map(({ key }) => key) : [];
  return {
    pods: placed,
    doubtful: new Set(doubtful),
    isKnown: wasKnown || named.has(own) || placed.some(({ nodeName }) => nodeName === own),
  };
}

function chooseNode(defined: readonly string[], wanted: string | undefined): string {
  if (wanted !== undefined && (defined.length === 0 || defined.includes(wanted))) return wanted;
  return defined.length === 1 ? (defined[0] as string) : MADE_UP_NODE;
}

function sortedNames(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
