// Classes and the sets they need, each kept once however many local pods share it. What nobody uses any more stays
// until `collectUnused`, so that a batch of events that drops and brings back a class changes nothing.

import type { Direction, Policy, RuleAction } from "../model/policy.ts";
import type { Family } from "../net/address.ts";
import { type CompiledClass, compileClass } from "../program/compile-class.ts";
import { type ClassId, type PolicyClass, type SetId, setsOfRun } from "../program/program.ts";
import type { PortResolver } from "../program/rule-runs.ts";
import type { ClusterView } from "../state/view.ts";
import { type ElementListener, LiveSet } from "./live-set.ts";
import type { NodeListeners } from "./node-listeners.ts";
import type { SelectionTable } from "./selections.ts";

export interface ClassEntry {
  readonly policyClass: PolicyClass;
  readonly setIds: readonly SetId[];
  /** How many (local pod, family) pairs are judged by it. */
  users: number;
}

export class ClassTable {
  readonly classes = new Map<ClassId, ClassEntry>();
  readonly sets = new Map<SetId, LiveSet>();
  readonly #view: ClusterView;
  readonly #selections: SelectionTable;
  readonly #nodes: NodeListeners;
  readonly #onElement: ElementListener;
  /** Compiled classes that are in use, by what they were compiled from. */
  readonly #memo = new Map<string, ClassEntry>();

  constructor(view: ClusterView, selections: SelectionTable, nodes: NodeListeners, onElement: ElementListener) {
    this.#view = view;
    this.#selections = selections;
    this.#nodes = nodes;
    this.#onElement = onElement;
  }

  /** The class, with one more user. `sourceKey` is equal only for equal policies and equal port numbers. */
  acquire(
    sourceKey: string,
    direction: Direction,
    family: Family,
    policies: readonly Policy[],
    resolve: PortResolver,
  ): ClassEntry {
    let entry = this.#memo.get(sourceKey);
    if (entry === undefined) {
      entry = this.#intern(compileClass(direction, family, policies, resolve));
      this.#memo.set(sourceKey, entry);
    }
    entry.users++;
    return entry;
  }

  release(entry: ClassEntry): void {
    entry.users--;
  }

  #intern({ policyClass, sets }: CompiledClass): ClassEntry {
    const existing = this.classes.get(policyClass.id);
    if (existing !== undefined) return existing;
    for (const [id, definition] of sets) {
      let set = this.sets.get(id);
      if (set === undefined) {
        set = new LiveSet(id, policyClass.family, definition, this.#onElement);
        set.connect(this.#view, this.#selections, this.#nodes);
        this.sets.set(id, set);
      }
      set.users++;
    }
    for (const { action, set } of usesOf(policyClass)) this.#set(set).uses.add(action);
    const entry: ClassEntry = { policyClass, setIds: [...sets.keys()], users: 0 };
    this.classes.set(policyClass.id, entry);
    return entry;
  }

  /** Drops classes, sets and selections without users. */
  collectUnused(): void {
    for (const [key, entry] of this.#memo) if (entry.users === 0) this.#memo.delete(key);
    for (const [id, entry] of this.classes) {
      if (entry.users > 0) continue;
      this.classes.delete(id);
      for (const { action, set } of usesOf(entry.policyClass)) this.#set(set).uses.remove(action);
      for (const setId of entry.setIds) this.#releaseSet(setId);
    }
  }

  #set(id: SetId): LiveSet {
    const set = this.sets.get(id);
    if (set === undefined) throw new Error(`class refers to unknown set ${id}`);
    return set;
  }

  #releaseSet(id: SetId): void {
    const set = this.#set(id);
    set.users--;
    if (set.users > 0) return;
    set.disconnect(this.#selections, this.#nodes);
    this.sets.delete(id);
  }
}

/** Each look-up of a class, with what becomes of what it finds. */
function usesOf({ sections }: PolicyClass): { readonly action: RuleAction; readonly set: SetId }[] {
  const runs = sections.flatMap((section) => section.runs);
  return runs.flatMap((run) => setsOfRun(run).map((set) => ({ action: run.action, set })));
}
