// Which node each pod is on, where manifests do not say. Pure.

import type { Node, Pod } from "../model/cluster.ts";

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

function chooseNode(defined: readonly string[], wanted: string | undefined): string {
  if (wanted !== undefined && (defined.length === 0 || defined.includes(wanted))) return wanted;
  return defined.length === 1 ? (defined[0] as string) : MADE_UP_NODE;
}

function sortedNames(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
