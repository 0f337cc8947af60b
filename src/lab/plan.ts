// What a lab is to be: which nodes, which pod where, which plain addresses. Pure; network-commands.ts says how it is built.

import { MADE_UP_NODE, placePods } from "../manifests/placement.ts";
import type { Node, Pod, PodKey } from "../model/cluster.ts";
import { type Address, addressFamily, addressValue, FAMILIES, type Family, formatAddress } from "../net/address.ts";
import type { SelectablePod } from "../state/view.ts";
import type { Topology } from "./topology.ts";

export interface LabNode {
  readonly name: string;
  /** At least one of each family: the node's own, else made up. */
  readonly addresses: readonly Address[];
}

/** A pod with a network namespace of its own. */
export interface LabPod {
  readonly key: PodKey;
  readonly node: string;
  readonly addresses: readonly Address[];
  /** How it hangs on its node; default: as the topology says. */
  readonly attachment?: "routed" | "bridged";
}

export interface LabPlan {
  readonly topology: Topology;
  readonly nodes: readonly LabNode[];
  readonly pods: readonly LabPod[];
  /** Addresses that are neither pods' nor nodes'. */
  readonly outside: readonly Address[];
}

/** Which node each pod is put on. */
export interface NodePlacement {
  readonly pods: readonly Pod[];
  /** Never empty; sorted. */
  readonly nodeNames: readonly string[];
}

/** `as-is`: as the pods say; those that do not on the first node. A number: so many nodes, the pods spread over them. */
export type NodeChoice = "as-is" | number;

/**
 * Pods in order of their keys, one node after the other. Pods on the host network share addresses with their node and stay
 * together. What the others report of the node that they were on is not true of the new one.
 */
export function placeOnNodes(pods: readonly Pod[], nodes: readonly Node[], choice: NodeChoice): NodePlacement {
  if (choice === "as-is") return placeAsTheySay(pods, nodes);
  const nodeNames = Array.from({ length: choice }, (_, index) => `node-${index + 1}`);
  const hosts = [...new Set(pods.filter((pod) => pod.hostNetwork).map((pod) => pod.nodeName ?? ""))].sort();
  const sorted = [...pods].sort((a, b) => (a.key < b.key ? -1 : 1));
  let next = 0;
  const placed = sorted.map((pod) => {
    const index = pod.hostNetwork ? hosts.indexOf(pod.nodeName ?? "") : next++;
    const nodeName = nodeNames[index % choice] as string;
    return pod.hostNetwork ? { ...pod, nodeName } : { ...pod, nodeName, hostAddresses: [] };
  });
  return { pods: placed, nodeNames };
}

function placeAsTheySay(pods: readonly Pod[], nodes: readonly Node[]): NodePlacement {
  const { pods: placed } = placePods(pods, nodes);
  const named = [...new Set(placed.flatMap(({ nodeName }) => nodeName ?? []))].sort();
  const [first = MADE_UP_NODE] = named;
  return {
    pods: placed.map((pod) => (pod.nodeName === undefined ? { ...pod, nodeName: first } : pod)),
    nodeNames: named.length === 0 ? [first] : named,
  };
}

export interface PlanInput {
  readonly topology: Topology;
  readonly nodeNames: readonly string[];
  /** Placed. */
  readonly pods: Iterable<SelectablePod>;
  /** What is known of a node's own addresses. */
  readonly nodeAddresses: (name: string) => readonly Address[];
  readonly outside: readonly Address[];
}

/** Throws for a pod whose node is not among the names. */
export function planLab({ topology, nodeNames, pods, nodeAddresses, outside }: PlanInput): LabPlan {
  const labPods = [...pods]
    .map(({ key, pod, addresses }): LabPod => {
      if (pod.nodeName === undefined || !nodeNames.includes(pod.nodeName)) throw new Error(`${key} is on no lab node`);
      return { key, node: pod.nodeName, addresses };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const taken = new Set(labPods.flatMap(({ addresses }) => addresses));
  const withOwn = nodeNames.map((name) => {
    const own = nodeAddresses(name).filter((address) => !taken.has(address));
    for (const address of own) taken.add(address);
    return { name, own };
  });
  const plain = [...new Set(outside)].filter((address) => !taken.has(address));
  const next = madeUpAddresses(new Set([...taken, ...plain]));
  const nodes = withOwn.map(({ name, own }) => {
    const missing = FAMILIES.filter((family) => !own.some((address) => addressFamily(address) === family));
    return { name, addresses: [...own, ...missing.map(next)] };
  });
  return { topology, nodes, pods: labPods, outside: plain };
}

/** Where made-up addresses of nodes begin: in blocks for benchmarks and documentation, which nobody's policies should name. */
const MADE_UP_START: Readonly<Record<Family, Address>> = {
  4: "198.19.250.0" as Address,
  6: "2001:db8:6e66::" as Address,
};

/** Gives another one at each call. */
function madeUpAddresses(taken: ReadonlySet<Address>): (family: Family) => Address {
  const last = { 4: addressValue(MADE_UP_START[4]), 6: addressValue(MADE_UP_START[6]) };
  return (family) => {
    for (;;) {
      const address = formatAddress(family, ++last[family]);
      if (!taken.has(address)) return address;
    }
  };
}
