// The incremental way: keeps the ruleset of a program and turns each program delta into one transaction, at a cost
// proportional to the delta. Property: the tracked ruleset equals a fresh compile of the program, declared sizes aside.

import { type Address, addressFamily, FAMILIES } from "../../net/address.ts";
import type {
  ClassId,
  ClosedDelta,
  Dispatch,
  NodeProgram,
  PolicyClass,
  ProgramDelta,
  ProgramOptions,
  ProgramSet,
} from "../../program/program.ts";
import { type JudgedPods, ownNodeChains } from "./base-chains.ts";
import { capacityFor, compileRuleset, compileSet, dispatchElements, setElement } from "./compile.ts";
import { type ClassChains, compileClassChains } from "./compile-class.ts";
import { looksUp } from "./diff.ts";
import { linkScopeChain } from "./link-scope.ts";
import { isolatedSet, knownSet, ownNodeMap } from "./names.ts";
import { type Chain, type NamedSet, type Ruleset, sameVerdict, type Verdict, type VerdictMap } from "./ruleset.ts";
import { type ChangePlan, type Element, keyOf, orderTransaction, type Transaction } from "./transaction.ts";
import { unknownEntry } from "./unknown-addresses.ts";

type TrackedSet = (NamedSet & { elements: Set<string> }) | (VerdictMap & { elements: Map<string, Verdict> });
type Draft = { -readonly [K in keyof ChangePlan]: ChangePlan[K][number][] };

export class RulesetTracker {
  readonly #table: string;
  readonly #counters: ReadonlySet<string>;
  /** With elements of their own: those of the program are live, and run ahead of what was handed out. */
  readonly #sets = new Map<string, TrackedSet>();
  readonly #chains = new Map<string, Chain>();
  /** What each class put into the table: its chains, and the sets of CIDR blocks and ports that it may share with others. */
  readonly #classParts = new Map<ClassId, { readonly chains: readonly string[]; readonly sets: readonly string[] }>();
  readonly #options: ProgramOptions;
  #judged: JudgedPods;
  readonly #contentSetUsers = new Map<string, number>();

  /** Starts with the ruleset of this program. */
  constructor(program: NodeProgram) {
    const ruleset = compileRuleset(program);
    this.#table = ruleset.table;
    this.#counters = ruleset.counters;
    for (const [name, set] of ruleset.sets) this.#sets.set(name, tracked(set));
    this.#judged = judgedPods((name) => this.#set(name).elements.size > 0);
    for (const [name, chain] of ruleset.chains) this.#chains.set(name, chain);
    this.#options = program.options;
    for (const policyClass of program.classes.values())
      this.#remember(policyClass.id, compileClassChains(policyClass, this.#options));
  }

  /** The table as it should be now; it changes with the next `update` and with nothing else. */
  ruleset(): Ruleset {
    return { table: this.#table, counters: this.#counters, sets: this.#sets, chains: this.#chains };
  }

  /**
   * A table was adopted: these sets of it stay as they were declared. Their size counts from now on, whatever a fresh
   * compile would declare.
   */
  keepSizes(sets: Iterable<NamedSet | VerdictMap>): void {
    for (const { name, size } of sets) {
      const own = this.#sets.get(name);
      if (own !== undefined) this.#sets.set(name, { ...own, size });
    }
  }

  /** Takes the delta in, as of now, and returns the transaction for it. */
  update(delta: ProgramDelta): Transaction {
    const draft: Draft = {
      addCounters: [],
      deleteCounters: [],
      addSets: [],
      deleteSets: [],
      replaceSets: [],
      addChains: [],
      deleteChains: [],
      replaceChains: [],
      refillChains: [],
      deleteElements: [],
      addElements: [],
    };
    for (const set of delta.addedSets) this.#addSet(compileSet(set), draft);
    for (const policyClass of delta.addedClasses) this.#addClass(policyClass, draft);
    for (const policyClass of delta.removedClasses) this.#removeClass(policyClass, draft);
    for (const set of delta.removedSets) this.#deleteSet(set.id, draft);
    for (const { set, added, removed } of delta.elements) this.#changeElements(set, added, removed, draft);
    this.#changeDispatch(delta, draft);
    this.#changeJudged(draft);
    if (delta.closed !== undefined) this.#changeClosed(delta.closed, draft);
    this.#refillReaders(draft);
    return orderTransaction(this.#table, draft);
  }

  #addClass(policyClass: PolicyClass, draft: Draft): void {
    const compiled = compileClassChains(policyClass, this.#options);
    for (const chain of compiled.chains) {
      this.#chains.set(chain.name, chain);
      draft.addChains.push(chain);
    }
    for (const set of compiled.sets) if (!this.#sets.has(set.name)) this.#addSet(set, draft);
    this.#remember(policyClass.id, compiled);
  }

  #remember(id: ClassId, { chains, sets }: ClassChains): void {
    for (const { name } of sets) this.#contentSetUsers.set(name, (this.#contentSetUsers.get(name) ?? 0) + 1);
    this.#classParts.set(id, { chains: chains.map((chain) => chain.name), sets: sets.map((set) => set.name) });
  }

  #removeClass(policyClass: PolicyClass, draft: Draft): void {
    const parts = this.#classParts.get(policyClass.id);
    if (parts === undefined) throw new Error(`class ${policyClass.id} is not tracked`);
    this.#classParts.delete(policyClass.id);
    for (const name of parts.chains) {
      this.#chains.delete(name);
      draft.deleteChains.push(name);
    }
    for (const name of parts.sets) {
      const users = (this.#contentSetUsers.get(name) as number) - 1;
      if (users > 0) this.#contentSetUsers.set(name, users);
      else {
        this.#contentSetUsers.delete(name);
        this.#deleteSet(name, draft);
      }
    }
  }

  #addSet(set: NamedSet | VerdictMap, draft: Draft): void {
    this.#sets.set(set.name, tracked(set));
    draft.addSets.push(set);
  }

  #deleteSet(name: string, draft: Draft): void {
    draft.deleteSets.push(this.#set(name));
    this.#sets.delete(name);
  }

  #set(name: string): TrackedSet {
    const set = this.#sets.get(name);
    if (set === undefined) throw new Error(`set ${name} is not tracked`);
    return set;
  }

  #changeElements(set: ProgramSet, added: readonly string[], removed: readonly string[], draft: Draft): void {
    const rewrite = (element: string) => setElement(set, element);
    this.#move(
      set.id,
      removed.map(rewrite),
      added.map((each) => ({ key: rewrite(each), verdict: undefined })),
      draft,
    );
  }

  #move(name: string, removed: readonly string[], added: readonly Element[], draft: Draft): void {
    const set = this.#set(name);
    for (const key of removed) set.elements.delete(key);
    for (const { key, verdict } of added) {
      if (set.kind === "set") set.elements.add(key);
      else set.elements.set(key, verdict as Verdict);
    }
    if (set.size !== undefined && set.elements.size > set.size) {
      const larger = { ...set, size: capacityFor(set.elements.size) };
      this.#sets.set(name, larger);
      draft.replaceSets.push(larger);
      return;
    }
    const key = keyOf(set);
    if (removed.length > 0) draft.deleteElements.push({ set: name, key, elements: [...removed] });
    if (added.length > 0) draft.addElements.push({ set: name, key, elements: [...added] });
  }

  #changeDispatch(delta: ProgramDelta, draft: Draft): void {
    const removed = new Map<string, Set<string>>();
    const added = new Map<string, Map<string, Element>>();
    for (const { address, before, after } of delta.dispatch) {
      for (const { set, element } of elementsOfDispatch(address, before))
        getOrMake(removed, set, () => new Set()).add(element.key);
      for (const { set, element } of elementsOfDispatch(address, after)) {
        if (this.#holds(set, element)) removed.get(set)?.delete(element.key);
        else getOrMake(added, set, () => new Map()).set(element.key, element);
      }
    }
    for (const name of new Set([...removed.keys(), ...added.keys()])) {
      this.#move(name, [...(removed.get(name) ?? [])], [...(added.get(name)?.values() ?? [])], draft);
    }
  }

  /** The base chains that depend on whether there is anybody to judge. */
  #changeJudged(draft: Draft): void {
    const judged = judgedPods((name) => this.#set(name).elements.size > 0);
    if (judged.any !== this.#judged.any) {
      const chain = linkScopeChain(judged.any);
      this.#chains.set(chain.name, chain);
      draft.refillChains.push(chain);
    }
    if (judged.towardsNode !== this.#judged.towardsNode) {
      for (const chain of ownNodeChains(this.#options)) {
        if (judged.towardsNode) this.#chains.set(chain.name, chain);
        else this.#chains.delete(chain.name);
        if (judged.towardsNode) draft.addChains.push(chain);
        else draft.deleteChains.push(chain.name);
      }
    }
    this.#judged = judged;
  }

  #changeClosed({ blocks, known, unknown }: ClosedDelta, draft: Draft): void {
    for (const family of FAMILIES) {
      const own = (address: Address) => addressFamily(address) === family;
      const added = known.filter(own).map((key) => ({ key, verdict: undefined }));
      this.#move(knownSet(family), unknown.filter(own), added, draft);
    }
    if (blocks === undefined) return;
    const chain = unknownEntry(blocks);
    this.#chains.set(chain.name, chain);
    draft.refillChains.push(chain);
  }

  #holds(name: string, { key, verdict }: Element): boolean {
    const set = this.#set(name);
    return set.kind === "set"
      ? set.elements.has(key)
      : set.elements.has(key) && sameVerdict(set.elements.get(key), verdict);
  }

  /** A set that outgrew its declared size is made anew; the chains that look it up get their rules again. */
  #refillReaders(draft: Draft): void {
    if (draft.replaceSets.length === 0) return;
    const replaced = new Set(draft.replaceSets.map((set) => set.name));
    const fresh = new Set([...draft.addChains, ...draft.refillChains].map((chain) => chain.name));
    for (const chain of this.#chains.values()) {
      if (!fresh.has(chain.name) && looksUp(chain, replaced)) draft.refillChains.push(chain);
    }
  }
}

function judgedPods(holds: (set: string) => boolean): JudgedPods {
  return {
    any: FAMILIES.some((family) => holds(isolatedSet(family))),
    towardsNode: FAMILIES.some((family) => holds(ownNodeMap(family))),
  };
}

function elementsOfDispatch(address: Address, dispatch: Dispatch | undefined): { set: string; element: Element }[] {
  const { verdicts, members } = dispatchElements(address, dispatch);
  return [
    ...verdicts.map(({ map, verdict }) => ({ set: map, element: { key: address, verdict } })),
    ...members.map(({ set, element }) => ({ set, element: { key: element, verdict: undefined } })),
  ];
}

function tracked(set: NamedSet | VerdictMap): TrackedSet {
  return set.kind === "set" ? { ...set, elements: new Set(set.elements) } : { ...set, elements: new Map(set.elements) };
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const made = make();
  map.set(key, made);
  return made;
}
