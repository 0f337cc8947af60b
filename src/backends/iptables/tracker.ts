// The incremental way: keeps the ruleset of a program and turns each program delta into stages. Property: the tracked ruleset equals
// a fresh compile of the program, declared sizes and tags aside.

import { type Address, FAMILIES, type Family } from "../../net/address.ts";
import type {
  ClassId,
  ClosedAddresses,
  ClosedDelta,
  Dispatch,
  ElementsDelta,
  NodeProgram,
  PolicyClass,
  ProgramDelta,
  ProgramOptions,
} from "../../program/program.ts";
import { sameChain } from "./compare.ts";
import { addressSet, capacityFor, compileRuleset, compileSet, setElement } from "./compile.ts";
import { type ClassChains, compileClassChains } from "./compile-class.ts";
import { FamilyChange } from "./family-change.ts";
import type { SetMeaning } from "./in-place.ts";
import { localRules } from "./local-rules.ts";
import { programSet } from "./names.ts";
import type { Chain, IpSet, IptablesRuleset } from "./ruleset.ts";
import { nextTag, type Tag, taggedName } from "./set-tags.ts";
import { isEmptyStage, type Stage } from "./stages.ts";

export interface TrackedSet extends IpSet {
  readonly elements: Set<string>;
  /** Of its name in the kernel. */
  readonly tag: Tag;
}

export class RulesetTracker {
  /** With elements of their own: those of the program are live, and run ahead of what was handed out. */
  readonly #sets = new Map<string, TrackedSet>();
  readonly #chains: Record<Family, Map<string, Chain>>;
  readonly #options: ProgramOptions;
  readonly #dispatch: Map<Address, Dispatch>;
  #closed: ClosedAddresses | undefined;
  #taken: ReadonlySet<string> = new Set();
  /** What each class put in: its chains, and the sets of CIDR blocks that it may share with others. */
  readonly #classParts = new Map<ClassId, ClassChains>();
  readonly #blockSetUsers = new Map<string, number>();
  /** The chains and sets of local addresses, as `localRules` gave them last. */
  #local: { readonly chains: Readonly<Record<Family, readonly string[]>>; readonly sets: readonly string[] };

  /** Starts with the ruleset of this program. */
  constructor(program: NodeProgram) {
    const ruleset = compileRuleset(program);
    for (const set of ruleset.sets.values()) this.#sets.set(set.name, tracked(set));
    this.#chains = { 4: new Map(ruleset.chains[4]), 6: new Map(ruleset.chains[6]) };
    this.#options = program.options;
    this.#dispatch = new Map(program.dispatch);
    this.#closed = program.closed && { ...program.closed, known: new Set(program.closed.known) };
    for (const policyClass of program.classes.values())
      this.#remember(policyClass.id, compileClassChains(policyClass, this.#options));
    this.#local = namesOf(localRules(program));
  }

  /** As it should be now, with the names that sets have without tags; it changes with the next `update` and with nothing else. */
  ruleset(): IptablesRuleset {
    return { chains: this.#chains, sets: this.#sets };
  }

  /** Of the set with this name (without tag); 0 for one that is not tracked. */
  tagOf(set: string): Tag {
    return this.#sets.get(set)?.tag ?? 0;
  }

  /** The kernel has these sets under names with these tags, and with these sizes, whatever a fresh compile would say. */
  take(found: ReadonlyMap<string, { readonly tag: Tag; readonly maxElements: number }>): void {
    for (const [name, { tag, maxElements }] of found) {
      const set = this.#sets.get(name);
      if (set !== undefined) this.#sets.set(name, { ...set, tag, maxElements });
    }
  }

  /** Names in the kernel that sets of no use have, until this is said again. */
  avoid(taken: readonly string[]): void {
    this.#taken = new Set(taken);
  }

  /** Takes the delta in, as of now, and returns what brings the kernel there. */
  update(delta: ProgramDelta): Stage[] {
    const changes = { 4: new FamilyChange(4), 6: new FamilyChange(6) };
    for (const set of delta.addedSets) this.#addSet(compileSet(set), changes[set.family]);
    for (const policyClass of delta.addedClasses) this.#addClass(policyClass, changes[policyClass.family]);
    for (const policyClass of delta.removedClasses) this.#removeClass(policyClass, changes[policyClass.family]);
    for (const set of delta.removedSets) this.#dropSet(programSet(set.id), changes[set.family]);
    for (const each of delta.elements) this.#changeElements(each, changes[each.set.family]);
    if (delta.dispatch.length > 0 || delta.closed !== undefined) this.#changeLocal(delta, changes);
    const stages = FAMILIES.map((family) => this.#stagesOf(changes[family]));
    return joinStages(stages).filter((stage) => !isEmptyStage(stage));
  }

  #addClass(policyClass: PolicyClass, change: FamilyChange): void {
    const compiled = compileClassChains(policyClass, this.#options);
    for (const chain of compiled.chains) this.#write(chain, change);
    for (const set of compiled.sets) if (!this.#sets.has(set.name)) this.#addSet(set, change);
    this.#remember(policyClass.id, compiled);
  }

  #remember(id: ClassId, compiled: ClassChains): void {
    for (const { name } of compiled.sets) this.#blockSetUsers.set(name, (this.#blockSetUsers.get(name) ?? 0) + 1);
    this.#classParts.set(id, compiled);
  }

  #removeClass({ id }: PolicyClass, change: FamilyChange): void {
    const parts = this.#classParts.get(id);
    if (parts === undefined) throw new Error(`class ${id} is not tracked`);
    this.#classParts.delete(id);
    for (const { name } of parts.chains) this.#remove(name, change);
    for (const { name } of parts.sets) {
      const users = (this.#blockSetUsers.get(name) as number) - 1;
      this.#blockSetUsers.set(name, users);
      if (users > 0) continue;
      this.#blockSetUsers.delete(name);
      this.#dropSet(name, change);
    }
  }

  #write(chain: Chain, change: FamilyChange): void {
    this.#chains[change.family].set(chain.name, chain);
    change.write(chain.name);
  }

  #remove(name: string, change: FamilyChange): void {
    this.#chains[change.family].delete(name);
    change.remove(name);
  }

  #addSet(set: IpSet, change: FamilyChange): void {
    this.#sets.set(set.name, { ...tracked(set), tag: this.#freeTag(set.name, 0) });
    change.create(set.name);
  }

  #dropSet(name: string, change: FamilyChange): void {
    const set = this.#set(name);
    change.destroy(name, taggedName(name, set.tag));
    this.#sets.delete(name);
  }

  /** This one, or the next whose name is not taken. */
  #freeTag(set: string, tag: Tag): Tag {
    let free = tag;
    while (this.#taken.has(taggedName(set, free))) free = nextTag(free);
    return free;
  }

  #set(name: string): TrackedSet {
    const set = this.#sets.get(name);
    if (set === undefined) throw new Error(`set ${name} is not tracked`);
    return set;
  }

  #changeElements({ set, added, removed, actions }: ElementsDelta, change: FamilyChange): void {
    const rewrite = (element: string) => setElement(set, element);
    this.#move(programSet(set.id), added.map(rewrite), removed.map(rewrite), meaningOf(actions), change);
  }

  #move(
    name: string,
    added: readonly string[],
    removed: readonly string[],
    meaning: SetMeaning,
    change: FamilyChange,
  ): void {
    const { elements } = this.#set(name);
    for (const element of removed) elements.delete(element);
    for (const element of added) elements.add(element);
    change.change({ set: name, added, removed, meaning });
  }

  /** What depends on local addresses is small: it is made anew and compared. */
  #changeLocal({ dispatch, closed }: ProgramDelta, changes: Readonly<Record<Family, FamilyChange>>): void {
    for (const { address, before, after } of dispatch) {
      // Its packets are judged, before or after.
      for (const family of FAMILIES) if (address.includes(":") === (family === 6)) changes[family].isJudged(address);
      if (before !== undefined && after === undefined) this.#dispatch.delete(address);
      if (after !== undefined) this.#dispatch.set(address, after);
    }
    if (closed !== undefined && this.#closed !== undefined) this.#closed = afterDelta(this.#closed, closed);
    const local = localRules({ options: this.#options, dispatch: this.#dispatch, closed: this.#closed });
    const names = namesOf(local);
    for (const family of FAMILIES) {
      for (const chain of local.chains[family]) {
        const current = this.#chains[family].get(chain.name);
        if (current === undefined || !sameChain(current, chain, family)) this.#write(chain, changes[family]);
      }
      const kept = new Set(names.chains[family]);
      for (const name of this.#local.chains[family]) if (!kept.has(name)) this.#remove(name, changes[family]);
    }
    for (const { name, family, elements, meaning } of local.sets) {
      const current = this.#sets.get(name);
      if (current === undefined) this.#addSet(addressSet(name, family, elements), changes[family]);
      else {
        const added = [...elements].filter((each) => !current.elements.has(each));
        const removed = [...current.elements].filter((each) => !elements.has(each));
        if (added.length + removed.length > 0) this.#move(name, added, removed, meaning, changes[family]);
      }
    }
    const kept = new Set(names.sets);
    for (const name of this.#local.sets) {
      const family = this.#set(name).family;
      if (!kept.has(name)) this.#dropSet(name, changes[family]);
    }
    this.#local = names;
  }

  #stagesOf(change: FamilyChange): Stage[] {
    const { family } = change;
    for (const name of change.changedSets()) {
      const set = this.#set(name);
      if (set.elements.size <= set.maxElements) continue;
      this.#sets.set(name, { ...set, maxElements: capacityFor(set.elements.size) });
      change.outgrew(name);
    }
    return change.stages({
      set: (name) => this.#set(name),
      chains: this.#chains[family],
      isLocal: (address) => this.#dispatch.has(address as Address),
      makeAnew: (name) => {
        const set = this.#set(name);
        const anew = { ...set, tag: this.#freeTag(name, nextTag(set.tag)) };
        this.#sets.set(name, anew);
        return anew;
      },
    });
  }
}

function meaningOf(actions: ElementsDelta["actions"]): SetMeaning {
  const [only] = actions;
  return actions.size === 1 && (only === "allow" || only === "deny") ? { kind: only } : { kind: "unclear" };
}

function afterDelta(closed: ClosedAddresses, { blocks, known, unknown }: ClosedDelta): ClosedAddresses {
  const now = new Set(closed.known);
  for (const address of unknown) now.delete(address);
  for (const address of known) now.add(address);
  return { blocks: blocks ?? closed.blocks, known: now };
}

function namesOf({ chains, sets }: ReturnType<typeof localRules>) {
  const names = (of: readonly Chain[]) => of.map(({ name }) => name);
  return { chains: { 4: names(chains[4]), 6: names(chains[6]) }, sets: sets.map(({ name }) => name) };
}

function tracked(set: IpSet): TrackedSet {
  return { ...set, elements: new Set(set.elements), tag: 0 };
}

/** What the families do beside each other is done together, sets before rules and rules before sets that go. */
function joinStages(families: readonly (readonly Stage[])[]): Stage[] {
  const all = families.flat();
  const create = all.flatMap((stage) => (stage.kind === "create-sets" ? stage.sets : []));
  const destroy = all.flatMap((stage) => (stage.kind === "destroy-sets" ? stage.sets : []));
  const between = all.filter(({ kind }) => kind !== "create-sets" && kind !== "destroy-sets");
  return [{ kind: "create-sets", sets: create }, ...between, { kind: "destroy-sets", sets: destroy }];
}
