// Selections: interned pod queries that know their current members. Only queries that some local class needs exist here.

import type { PodKey } from "../model/cluster.ts";
import { type Labels, selectorMatches } from "../model/labels.ts";
import type { PodQuery } from "../model/policy.ts";
import { queryKey } from "../program/pod-query.ts";
import type { StateChange } from "../state/change.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import { SelectorIndex } from "./selector-index.ts";

/** Told about every member that comes, goes or changes its addresses or ports. */
export interface SelectionListener {
  memberChanged(before: SelectablePod | undefined, after: SelectablePod | undefined): void;
}

export interface Selection {
  readonly query: PodQuery;
  readonly members: ReadonlySet<PodKey>;
  readonly listeners: Set<SelectionListener>;
}

interface MutableSelection extends Selection {
  readonly members: Set<PodKey>;
}

export class SelectionTable {
  readonly #view: ClusterView;
  readonly #byKey = new Map<string, MutableSelection>();
  readonly #index = new SelectorIndex<MutableSelection>();
  readonly #byNamespaceSelector = new Set<MutableSelection>();

  constructor(view: ClusterView) {
    this.#view = view;
  }

  /** The selection of a canonical query. Cost of a new one: a walk over the pods of its namespaces. */
  acquire(query: PodQuery): Selection {
    const key = queryKey(query);
    const existing = this.#byKey.get(key);
    if (existing !== undefined) return existing;
    const selection: MutableSelection = { query, members: new Set(), listeners: new Set() };
    for (const pod of podsInScope(this.#view, query)) {
      if (selectorMatches(query.pods, pod.pod.labels)) selection.members.add(pod.key);
    }
    this.#byKey.set(key, selection);
    this.#index.add(query, selection);
    if (query.namespaces.kind === "selector") this.#byNamespaceSelector.add(selection);
    return selection;
  }

  /** Forgets the selection if nobody listens to it any more. */
  releaseUnused(selection: Selection): void {
    const key = queryKey(selection.query);
    const own = this.#byKey.get(key);
    if (own === undefined || own !== selection || own.listeners.size > 0) return;
    this.#byKey.delete(key);
    this.#index.remove(own.query, own);
    this.#byNamespaceSelector.delete(own);
  }

  all(): Iterable<Selection> {
    return this.#byKey.values();
  }

  apply(change: StateChange): void {
    if (change.kind === "pod") this.#podChanged(change.before, change.after);
    else if (change.kind === "namespace") this.#namespaceChanged(change.name, change.before, change.after);
  }

  #podChanged(before: SelectablePod | undefined, after: SelectablePod | undefined): void {
    const candidates = new Set<MutableSelection>();
    for (const pod of [before, after]) {
      if (pod !== undefined) this.#index.collectCandidates(pod.pod.namespace, pod.pod.labels, candidates);
    }
    const key = (before ?? after)?.key as PodKey;
    for (const selection of candidates) {
      const was = selection.members.has(key);
      const is = after !== undefined && queryMatches(this.#view, selection.query, after);
      if (is) selection.members.add(key);
      else selection.members.delete(key);
      if (was || is) notify(selection, was ? before : undefined, is ? after : undefined);
    }
  }

  #namespaceChanged(name: string, before: Labels, after: Labels): void {
    for (const selection of this.#byNamespaceSelector) {
      const { namespaces, pods } = selection.query;
      if (namespaces.kind !== "selector") continue;
      const was = selectorMatches(namespaces.selector, before);
      const is = selectorMatches(namespaces.selector, after);
      if (was === is) continue;
      for (const pod of this.#view.selectablePodsOf(name)) {
        if (!selectorMatches(pods, pod.pod.labels)) continue;
        if (is) selection.members.add(pod.key);
        else selection.members.delete(pod.key);
        notify(selection, was ? pod : undefined, is ? pod : undefined);
      }
    }
  }
}

function notify(selection: Selection, before: SelectablePod | undefined, after: SelectablePod | undefined): void {
  for (const listener of selection.listeners) listener.memberChanged(before, after);
}

function podsInScope(view: ClusterView, query: PodQuery): Iterable<SelectablePod> {
  const { namespaces } = query;
  if (namespaces.kind === "name") return view.selectablePodsOf(namespaces.name);
  if (namespaces.selector.requirements.length === 0) return view.selectablePods();
  return matchingNamespaces(view, query);
}

function* matchingNamespaces(view: ClusterView, query: PodQuery): Iterable<SelectablePod> {
  for (const name of view.namespaceNames()) {
    if (namespaceMatches(view, query, name)) yield* view.selectablePodsOf(name);
  }
}

function namespaceMatches(view: ClusterView, { namespaces }: PodQuery, name: string): boolean {
  return namespaces.kind === "name"
    ? namespaces.name === name
    : selectorMatches(namespaces.selector, view.namespaceLabels(name));
}

/** Whether the query selects the pod now. */
export function queryMatches(view: ClusterView, query: PodQuery, pod: SelectablePod): boolean {
  return selectorMatches(query.pods, pod.pod.labels) && namespaceMatches(view, query, pod.pod.namespace);
}
