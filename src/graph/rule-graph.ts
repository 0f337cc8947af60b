// The rule graph: from events to the program of one node, incrementally. This file wires its parts:
//
//   event -> ClusterStore -> changes -> SelectionTable, NodeListeners -> LiveSet   (who is in which set)
//                                  \--> LocalPods -----> ClassTable (which class judges which local pod; which sets it needs)
//                                  \--> ClosedTracker               (only with unknownLocalPods "drop": what is closed)
//                                                   \--> flush(): ProgramDelta
//
// Only what local pods need exists. Cost of an event is proportional to what it changes.
// Property: any sequence of events leaves exactly the program that a fresh graph gives for the same objects.

import type { Address } from "../net/address.ts";
import type {
  ClassId,
  Dispatch,
  DispatchDelta,
  ElementsDelta,
  NodeProgram,
  PolicyClass,
  ProgramDelta,
  ProgramOptions,
  ProgramSet,
  SetId,
} from "../program/program.ts";
import type { ClusterEvent } from "../state/change.ts";
import type { ClusterStore } from "../state/store.ts";
import type { SelectablePod } from "../state/view.ts";
import { ClassTable } from "./class-table.ts";
import { ClosedTracker } from "./closed-tracker.ts";
import type { LiveSet } from "./live-set.ts";
import { LocalPods } from "./local-pods.ts";
import { NodeListeners } from "./node-listeners.ts";
import { type Selection, SelectionTable } from "./selections.ts";

export class RuleGraph {
  readonly nodeName: string;
  readonly options: ProgramOptions;
  readonly #store: ClusterStore;
  readonly #selections: SelectionTable;
  readonly #nodes = new NodeListeners();
  readonly #classes: ClassTable;
  readonly #local: LocalPods;
  readonly #closed: ClosedTracker | undefined;
  readonly #dispatch = new Map<Address, Dispatch>();
  // What the last flush handed out, as far as it may have changed since.
  readonly #flushedClasses = new Map<ClassId, PolicyClass>();
  readonly #flushedSets = new Map<SetId, ProgramSet>();
  readonly #flushedDispatch = new Map<Address, Dispatch | undefined>();
  /** Set -> element -> whether the element was there at the last flush. */
  readonly #flushedElements = new Map<LiveSet, Map<string, boolean>>();
  #classesMayHaveChanged = false;

  /** `store` must be empty, or its contents are taken in as if they had just arrived. */
  constructor(store: ClusterStore, nodeName: string, options: ProgramOptions) {
    this.nodeName = nodeName;
    this.options = options;
    this.#store = store;
    this.#selections = new SelectionTable(store);
    this.#classes = new ClassTable(store, this.#selections, this.#nodes, (set, element, present) =>
      this.#elementChanged(set, element, present),
    );
    this.#local = new LocalPods(store, nodeName, this.#classes, options);
    this.#closed = options.unknownLocalPods === "drop" ? new ClosedTracker(store, nodeName) : undefined;
    for (const policy of store.policies()) this.#reclassify({ kind: "policy", before: undefined, after: policy });
    for (const pod of store.selectablePods()) this.#reclassify({ kind: "pod", before: undefined, after: pod });
  }

  /** Takes one event into the state and the graph. The program is consistent after each; hand-out is by `flush`. */
  apply(event: ClusterEvent): void {
    const changes = this.#store.apply(event);
    // Sets first: classes made afterwards take their members from the state, which is already the new one.
    for (const change of changes) this.#selections.apply(change);
    for (const change of changes) this.#nodes.apply(change);
    for (const change of changes) this.#reclassify(change);
    if (this.#closed !== undefined) for (const change of changes) this.#closed.apply(change);
  }

  #reclassify(change: Parameters<LocalPods["apply"]>[0]): void {
    for (const address of this.#local.apply(change)) {
      this.#classesMayHaveChanged = true;
      const before = this.#dispatch.get(address);
      const after = this.#local.dispatchOf(address);
      if (!this.#flushedDispatch.has(address)) this.#flushedDispatch.set(address, before);
      if (after === undefined) this.#dispatch.delete(address);
      else this.#dispatch.set(address, after);
    }
  }

  #elementChanged(set: LiveSet, element: string, present: boolean): void {
    let elements = this.#flushedElements.get(set);
    if (elements === undefined) {
      elements = new Map();
      this.#flushedElements.set(set, elements);
    }
    if (!elements.has(element)) elements.set(element, !present);
  }

  /** The program as it stands. Its set elements are live: they change with the next event. */
  program(): NodeProgram {
    const classes = new Map<ClassId, PolicyClass>();
    const sets = new Map<SetId, ProgramSet>();
    for (const [id, entry] of this.#classes.classes) {
      if (entry.users === 0) continue;
      classes.set(id, entry.policyClass);
      for (const setId of entry.setIds) sets.set(setId, this.#classes.sets.get(setId) as ProgramSet);
    }
    const closed = this.#closed?.closed();
    return { options: this.options, classes, sets, dispatch: new Map(this.#dispatch), closed };
  }

  /** Selectable pods of this node, in no order. Cost: local pods. */
  localPods(): Iterable<SelectablePod> {
    return this.#local.pods();
  }

  /** Selections that exist now, for people. */
  selections(): Iterable<Selection> {
    return this.#selections.all();
  }

  /** What has changed since the last flush (the first: since the empty program), without what cancelled out. */
  flush(): ProgramDelta {
    const classes = this.#flushClasses();
    const elements = this.#flushElements();
    const dispatch = this.#flushDispatch();
    return { ...classes, elements, dispatch, closed: this.#closed?.flush() };
  }

  #flushClasses(): Pick<ProgramDelta, "addedClasses" | "removedClasses" | "addedSets" | "removedSets"> {
    if (!this.#classesMayHaveChanged) return { addedClasses: [], removedClasses: [], addedSets: [], removedSets: [] };
    this.#classesMayHaveChanged = false;
    this.#classes.collectUnused();
    const classes = new Map([...this.#classes.classes].map(([id, entry]) => [id, entry.policyClass] as const));
    const { added: addedClasses, removed: removedClasses } = replaceContents(this.#flushedClasses, classes);
    const { added: addedSets, removed: removedSets } = replaceContents<SetId, ProgramSet>(
      this.#flushedSets,
      this.#classes.sets,
    );
    for (const set of [...addedSets, ...removedSets]) this.#flushedElements.delete(set as LiveSet);
    return { addedClasses, removedClasses, addedSets, removedSets };
  }

  #flushElements(): ElementsDelta[] {
    const deltas: ElementsDelta[] = [];
    for (const [set, elements] of this.#flushedElements) {
      // A set that came and went within the batch was never handed out.
      if (this.#flushedSets.get(set.id) !== set) continue;
      const added: string[] = [];
      const removed: string[] = [];
      for (const [element, before] of elements) {
        const now = set.elements.has(element);
        if (now !== before) (now ? added : removed).push(element);
      }
      if (added.length + removed.length > 0) deltas.push({ set, added, removed, actions: new Set(set.uses) });
    }
    this.#flushedElements.clear();
    return deltas;
  }

  #flushDispatch(): DispatchDelta[] {
    const deltas: DispatchDelta[] = [];
    for (const [address, before] of this.#flushedDispatch) {
      const after = this.#dispatch.get(address);
      if (!sameDispatch(before, after)) deltas.push({ address, before, after });
    }
    this.#flushedDispatch.clear();
    return deltas;
  }
}

function sameDispatch(a: Dispatch | undefined, b: Dispatch | undefined): boolean {
  return a?.egress === b?.egress && a?.ingress === b?.ingress && a?.toOwnNode === b?.toOwnNode;
}

/** Makes `held` equal to `current`; an object replaced under its id counts as removed and added. */
function replaceContents<Id, Value>(
  held: Map<Id, Value>,
  current: ReadonlyMap<Id, Value>,
): { added: Value[]; removed: Value[] } {
  const removed: Value[] = [];
  const added: Value[] = [];
  for (const [id, value] of held) if (!current.has(id)) removed.push(value);
  for (const [id, value] of current) if (!held.has(id)) added.push(value);
  held.clear();
  for (const [id, value] of current) held.set(id, value);
  return { added, removed };
}
