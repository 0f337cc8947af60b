// One program set, kept filled: it listens to the selections and nodes of its definition and counts their members' elements.

import type { Node } from "../model/cluster.ts";
import { type LabelSelector, selectorMatches } from "../model/labels.ts";
import type { PodQuery, RuleAction } from "../model/policy.ts";
import type { Address, Family } from "../net/address.ts";
import { addressFamily, parseAddress } from "../net/address.ts";
import { type CidrBlock, cidrContains } from "../net/cidr.ts";
import { ALL_PODS } from "../program/pod-query.ts";
import {
  formatDestinationPort,
  type NamedPortTerm,
  type ProgramSet,
  type SetDefinition,
  type SetId,
} from "../program/program.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import { CountedSet } from "./counted-set.ts";
import type { NodeListener, NodeListeners } from "./node-listeners.ts";
import type { Selection, SelectionListener, SelectionTable } from "./selections.ts";

/** Called when an element comes or goes; `present` is the new state. */
export type ElementListener = (set: LiveSet, element: string, present: boolean) => void;

export class LiveSet implements ProgramSet {
  readonly id: SetId;
  readonly family: Family;
  readonly definition: SetDefinition;
  readonly elements = new CountedSet();
  /** How many classes refer to it. */
  users = 0;
  /** What the rules that look it up do with what they find, each look-up counted. */
  readonly uses = new CountedSet<RuleAction>();
  readonly #subscriptions: { readonly selection: Selection; readonly listener: SelectionListener }[] = [];
  readonly #onElement: ElementListener;

  constructor(id: SetId, family: Family, definition: SetDefinition, onElement: ElementListener) {
    this.id = id;
    this.family = family;
    this.definition = definition;
    this.#onElement = onElement;
  }

  /** Subscribes to its selections and nodes and takes in their members. */
  connect(view: ClusterView, selections: SelectionTable, nodes: NodeListeners): void {
    if (this.#nodeSelectors().length > 0) {
      for (const node of view.nodes()) for (const address of this.#addressesOfNode(node)) this.elements.add(address);
      nodes.add(this.#onNode);
    }
    for (const source of sourcesOf(this.family, this.definition)) {
      const selection = selections.acquire(source.query);
      const listener: SelectionListener = {
        memberChanged: (before, after) => this.#move(source.elementsOf(before), source.elementsOf(after)),
      };
      for (const key of selection.members) {
        const pod = view.selectablePod(key);
        if (pod === undefined) throw new Error(`selection member ${key} is not selectable`);
        for (const element of source.elementsOf(pod)) this.elements.add(element);
      }
      selection.listeners.add(listener);
      this.#subscriptions.push({ selection, listener });
    }
  }

  disconnect(selections: SelectionTable, nodes: NodeListeners): void {
    nodes.remove(this.#onNode);
    for (const { selection, listener } of this.#subscriptions) {
      selection.listeners.delete(listener);
      selections.releaseUnused(selection);
    }
    this.#subscriptions.length = 0;
  }

  readonly #onNode: NodeListener = (before, after) =>
    this.#move(this.#addressesOfNode(before), this.#addressesOfNode(after));

  #nodeSelectors(): readonly LabelSelector[] {
    return this.definition.kind === "addresses" ? this.definition.nodes : [];
  }

  #addressesOfNode(node: Node | undefined): readonly Address[] {
    if (node === undefined || !this.#nodeSelectors().some((selector) => selectorMatches(selector, node.labels)))
      return [];
    return node.addresses.filter((address) => addressFamily(address) === this.family);
  }

  #move(before: readonly string[], after: readonly string[]): void {
    for (const element of after) if (this.elements.add(element)) this.#onElement(this, element, true);
    for (const element of before) if (this.elements.remove(element)) this.#onElement(this, element, false);
  }
}

interface ElementSource {
  readonly query: PodQuery;
  elementsOf(pod: SelectablePod | undefined): readonly string[];
}

function sourcesOf(family: Family, definition: SetDefinition): ElementSource[] {
  if (definition.kind === "addresses") {
    return definition.queries.map((query) => ({ query, elementsOf: (pod) => addressesOf(family, pod) }));
  }
  return definition.terms.map((term) => ({
    query: term.blocks === undefined ? term.query : ALL_PODS,
    elementsOf: (pod) => destinationPortsOf(family, term, pod),
  }));
}

function addressesOf(family: Family, pod: SelectablePod | undefined): readonly Address[] {
  return pod === undefined ? [] : pod.addresses.filter((address) => addressFamily(address) === family);
}

function destinationPortsOf(family: Family, term: NamedPortTerm, pod: SelectablePod | undefined): readonly string[] {
  if (pod === undefined) return [];
  const elements = new Set<string>();
  for (const { name, protocol, port } of pod.pod.ports) {
    if (name !== term.name || protocol !== term.protocol) continue;
    for (const address of addressesOf(family, pod)) {
      if (term.blocks === undefined || blocksContain(term.blocks, address)) {
        elements.add(formatDestinationPort({ address, protocol, port }));
      }
    }
  }
  return [...elements];
}

function blocksContain(blocks: readonly CidrBlock[], address: Address): boolean {
  const parsed = parseAddress(address);
  return parsed !== undefined && blocks.some((block) => cidrContains(block, parsed.family, parsed.value));
}
