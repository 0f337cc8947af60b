// The cluster as the evaluator, the graph and the prover read it. Implemented by `ClusterStore`.

import type { Node, Pod, PodKey } from "../model/cluster.ts";
import type { Labels } from "../model/labels.ts";
import type { Policy } from "../model/policy.ts";
import type { Address } from "../net/address.ts";

/** A pod that policies can select: not hostNetwork, not finished, owns at least one address. */
export interface SelectablePod {
  readonly key: PodKey;
  readonly pod: Pod;
  /** The addresses it owns; never empty. An address that a newer live pod claims too is not among them. */
  readonly addresses: readonly Address[];
}

export interface ClusterView {
  pods(): Iterable<Pod>;
  pod(key: PodKey): Pod | undefined;
  selectablePods(): Iterable<SelectablePod>;
  selectablePod(key: PodKey): SelectablePod | undefined;
  selectablePodsOf(namespace: string): Iterable<SelectablePod>;
  /** The selectable pod that owns an address. */
  ownerOf(address: Address): SelectablePod | undefined;
  /** Names of all namespaces that are defined or used. */
  namespaceNames(): Iterable<string>;
  /** Labels of a namespace; one that nobody defines has only its name label. */
  namespaceLabels(name: string): Labels;
  nodes(): Iterable<Node>;
  /** All known addresses of a node: those of the Node object and the host addresses that its pods report. */
  nodeAddresses(name: string): readonly Address[];
  /** The node that has this address, unless a selectable pod owns it. */
  nodeAt(address: Address): string | undefined;
  policies(): Iterable<Policy>;
}
