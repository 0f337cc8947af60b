// The cluster state: immutable objects behind mutable indexes. Events go in one at a time, each returns what it changed.
// Owns who is selectable (SEMANTICS "Who can be selected") and which pod owns an address.
// Cost of an event: proportional to the addresses of one pod, or to nothing but a map entry.

import { type Namespace, type Node, namespaceLabels, type Pod, type PodKey } from "../model/cluster.ts";
import type { Labels } from "../model/labels.ts";
import type { Policy, PolicyKey } from "../model/policy.ts";
import type { Address } from "../net/address.ts";
import type { CidrBlock } from "../net/cidr.ts";
import type { ClusterEvent, StateChange } from "./change.ts";
import type { SharedAddress } from "./shared-addresses.ts";
import type { ClusterView, SelectablePod } from "./view.ts";

export class ClusterStore implements ClusterView {
  readonly #pods = new Map<PodKey, Pod>();
  /** By namespace; the one index of them: a second by key alone would cost 50 bytes a pod. */
  readonly #selectable = new Map<string, Map<PodKey, SelectablePod>>();
  /** Every live, non-hostNetwork pod that reports the address; the owner first. One claimant (the usual case) is kept bare. */
  readonly #claimants = new Map<Address, Pod | readonly Pod[]>();
  /** Addresses with more than one claimant. */
  readonly #shared = new Set<Address>();
  readonly #namespaces = new Map<string, Namespace>();
  readonly #namespaceLabels = new Map<string, Labels>();
  readonly #nodes = new Map<string, Node>();
  readonly #policies = new Map<PolicyKey, Policy>();
  /** Node name -> host address -> how many pods of that node report it. */
  readonly #hostAddresses = new Map<string, Map<Address, number>>();

  /** Sets or removes one object. Returns what changed, in the order to apply it. */
  apply(event: ClusterEvent): StateChange[] {
    switch (event.kind) {
      case "pod":
        return this.#setPod(event.key, event.pod);
      case "namespace":
        return this.#setNamespace(event.name, event.namespace);
      case "node":
        return this.#setNode(event.name, event.node);
      case "policy": {
        const before = this.#policies.get(event.key);
        setOrDelete(this.#policies, event.key, event.policy);
        return before === event.policy ? [] : [{ kind: "policy", before, after: event.policy }];
      }
    }
  }

  #setPod(key: PodKey, pod: Pod | undefined): StateChange[] {
    const previous = this.#pods.get(key);
    setOrDelete(this.#pods, key, pod);
    this.#countHostAddresses(previous, -1);
    this.#countHostAddresses(pod, +1);
    const touched = new Set<PodKey>([key]);
    for (const address of claimedAddresses(previous)) this.#withdraw(address, key, touched);
    for (const address of claimedAddresses(pod)) this.#claim(address, pod as Pod, touched);
    const changes: StateChange[] = [];
    for (const each of touched) {
      const namespace = (this.#pods.get(each) ?? previous)?.namespace ?? "";
      const before = this.#selectable.get(namespace)?.get(each);
      const after = this.#resolve(each, before);
      if (before === after) continue;
      this.#index(each, namespace, after);
      changes.push({ kind: "pod", before, after });
    }
    // An address that moves must leave its old owner before the new one takes it.
    return changes.sort((a, b) => shrinks(b) - shrinks(a));
  }

  #claim(address: Address, pod: Pod, touched: Set<PodKey>): void {
    const claimants = toList(this.#claimants.get(address));
    for (const other of claimants) touched.add(other.key);
    const all = [...claimants, pod].sort(newestFirst);
    this.#claimants.set(address, all.length === 1 ? pod : all);
    if (all.length > 1) this.#shared.add(address);
  }

  #withdraw(address: Address, key: PodKey, touched: Set<PodKey>): void {
    const rest = toList(this.#claimants.get(address)).filter((claimant) => claimant.key !== key);
    for (const other of rest) touched.add(other.key);
    setOrDelete(this.#claimants, address, rest.length <= 1 ? rest[0] : rest);
    if (rest.length <= 1) this.#shared.delete(address);
  }

  /** The pod with the addresses it owns now; the same object as before when nothing that matters changed. */
  #resolve(key: PodKey, before: SelectablePod | undefined): SelectablePod | undefined {
    const pod = this.#pods.get(key);
    if (pod === undefined) return undefined;
    const owned = claimedAddresses(pod).filter((address) => toList(this.#claimants.get(address))[0]?.key === key);
    if (owned.length === 0) return undefined;
    if (before?.pod === pod && sameList(before.addresses, owned)) return before;
    return { key, pod, addresses: owned.length === pod.addresses.length ? pod.addresses : owned };
  }

  #index(key: PodKey, namespace: string, after: SelectablePod | undefined): void {
    let pods = this.#selectable.get(namespace);
    if (pods === undefined) {
      pods = new Map();
      this.#selectable.set(namespace, pods);
    }
    setOrDelete(pods, key, after);
    if (pods.size === 0) this.#selectable.delete(namespace);
  }

  #countHostAddresses(pod: Pod | undefined, step: 1 | -1): void {
    if (pod?.nodeName === undefined) return;
    let counts = this.#hostAddresses.get(pod.nodeName);
    if (counts === undefined) {
      counts = new Map();
      this.#hostAddresses.set(pod.nodeName, counts);
    }
    for (const address of pod.hostAddresses) {
      const count = (counts.get(address) ?? 0) + step;
      setOrDelete(counts, address, count === 0 ? undefined : count);
    }
    if (counts.size === 0) this.#hostAddresses.delete(pod.nodeName);
  }

  #setNamespace(name: string, namespace: Namespace | undefined): StateChange[] {
    const before = this.namespaceLabels(name);
    setOrDelete(this.#namespaces, name, namespace);
    this.#namespaceLabels.delete(name);
    const after = this.namespaceLabels(name);
    return sameLabels(before, after) ? [] : [{ kind: "namespace", name, before, after }];
  }

  #setNode(name: string, node: Node | undefined): StateChange[] {
    const before = this.#nodes.get(name);
    setOrDelete(this.#nodes, name, node);
    return sameNode(before, node) ? [] : [{ kind: "node", before, after: node }];
  }

  pods(): Iterable<Pod> {
    return this.#pods.values();
  }

  pod(key: PodKey): Pod | undefined {
    return this.#pods.get(key);
  }

  *selectablePods(): Iterable<SelectablePod> {
    for (const pods of this.#selectable.values()) yield* pods.values();
  }

  selectablePod(key: PodKey): SelectablePod | undefined {
    const pod = this.#pods.get(key);
    return pod === undefined ? undefined : this.#selectable.get(pod.namespace)?.get(key);
  }

  selectablePodsOf(namespace: string): Iterable<SelectablePod> {
    return this.#selectable.get(namespace)?.values() ?? [];
  }

  ownerOf(address: Address): SelectablePod | undefined {
    const owner = toList(this.#claimants.get(address))[0];
    return owner === undefined ? undefined : this.#selectable.get(owner.namespace)?.get(owner.key);
  }

  /** Addresses that more than one live pod claims, each with its claimants, the owner first. Cost: what is shared. */
  sharedAddresses(): SharedAddress[] {
    return [...this.#shared].map((address) => ({ address, claimants: toList(this.#claimants.get(address)) }));
  }

  namespaceNames(): Iterable<string> {
    return new Set([...this.#namespaces.keys(), ...this.#selectable.keys()]);
  }

  namespaceLabels(name: string): Labels {
    let labels = this.#namespaceLabels.get(name);
    if (labels === undefined) {
      labels = namespaceLabels(name, this.#namespaces.get(name)?.labels);
      this.#namespaceLabels.set(name, labels);
    }
    return labels;
  }

  nodes(): Iterable<Node> {
    return this.#nodes.values();
  }

  nodeAddresses(name: string): readonly Address[] {
    return [
      ...new Set([...(this.#nodes.get(name)?.addresses ?? []), ...(this.#hostAddresses.get(name)?.keys() ?? [])]),
    ];
  }

  nodeAt(address: Address): string | undefined {
    if (this.ownerOf(address) !== undefined) return undefined;
    for (const node of this.#nodes.values()) {
      if (node.addresses.includes(address)) return node.name;
    }
    for (const [name, addresses] of this.#hostAddresses) {
      if (addresses.has(address)) return name;
    }
    return undefined;
  }

  policies(): Iterable<Policy> {
    return this.#policies.values();
  }

  get policyCount(): number {
    return this.#policies.size;
  }
}

/** The addresses with which a pod takes part: none for hostNetwork (its node's) and finished pods (somebody else's by now). */
function claimedAddresses(pod: Pod | undefined): readonly Address[] {
  return pod === undefined || pod.hostNetwork || pod.finished ? [] : pod.addresses;
}

/** Newest claim first: start time, then creation time, then key, so that the owner never depends on the order of events. */
function newestFirst(a: Pod, b: Pod): number {
  return compareText(b.startedAt, a.startedAt) || compareText(b.createdAt, a.createdAt) || compareText(a.key, b.key);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function shrinks(change: StateChange): number {
  if (change.kind !== "pod") return 0;
  return (change.before?.addresses.length ?? 0) - (change.after?.addresses.length ?? 0);
}

function isList(value: Pod | readonly Pod[]): value is readonly Pod[] {
  return Array.isArray(value);
}

function toList(value: Pod | readonly Pod[] | undefined): readonly Pod[] {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}

function sameList(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((address, index) => address === b[index]);
}

/** Nodes report their health every few seconds: most of their events change nothing here. */
function sameNode(a: Node | undefined, b: Node | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return sameLabels(a.labels, b.labels) && sameList(a.addresses, b.addresses) && sameBlocks(a.podCidrs, b.podCidrs);
}

function sameBlocks(a: readonly CidrBlock[], b: readonly CidrBlock[]): boolean {
  return a.length === b.length && a.every((block, index) => block.text === b[index]?.text);
}

function sameLabels(a: Labels, b: Labels): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

function setOrDelete<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
