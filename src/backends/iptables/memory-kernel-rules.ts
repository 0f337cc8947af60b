// Our rules and sets in memory behind the kernel's interface, for tests and dry runs: refuses what the kernel refuses, and fails on
// demand as the programs and the kernel can fail.

import { FAMILIES, type Family } from "../../net/address.ts";
import { BackendError, type BackendFacts } from "../backend.ts";
import type { KernelRules } from "./kernel-rules.ts";
import { MemoryFamily, refuse } from "./memory-family.ts";
import { DROP_REASONS, type DropReason, dropChain, MAX_SET_NAME } from "./names.ts";
import type { FoundRules } from "./read-back.ts";
import type { IpSet } from "./ruleset.ts";
import type { Stage } from "./stages.ts";

/** What befalls one `write` or `read`. */
export type MemoryFault =
  /** Nothing is applied, and it is said so. */
  | { readonly kind: "refuse" }
  /** A program dies after so many stages. */
  | { readonly kind: "die"; readonly stagesDone: number };

type MemorySet = IpSet & { readonly elements: Set<string> };

export class MemoryKernelRules implements KernelRules {
  readonly #families: Readonly<Record<Family, MemoryFamily>> = { 4: new MemoryFamily(4), 6: new MemoryFamily(6) };
  readonly #sets = new Map<string, MemorySet>();
  readonly #writeFaults: MemoryFault[] = [];
  readonly #readFaults: MemoryFault[] = [];
  readonly #dropped = new Map<DropReason, number>();
  readonly #held = new Set<string>();
  #undestroyed: string[] = [];
  #changedByOthers = false;

  /** Starts with what was found, whatever it is, or with nothing. */
  constructor(start?: FoundRules) {
    if (start === undefined) return;
    const { chains, sets } = start.ruleset;
    for (const set of sets.values()) this.#sets.set(set.name, { ...set, elements: new Set(set.elements) });
    for (const family of FAMILIES) this.#families[family].start(chains[family], start.jumps[family]);
  }

  /** The next write fails so; several queue up. */
  failWrite(fault: MemoryFault): void {
    this.#writeFaults.push(fault);
  }

  /** The next read fails so; several queue up. */
  failRead(fault: MemoryFault): void {
    this.#readFaults.push(fault);
  }

  /** From now on nothing fails that was to fail. */
  heal(): void {
    this.#writeFaults.length = 0;
    this.#readFaults.length = 0;
  }

  /** Somebody else changes the kernel. */
  tamper(stages: readonly Stage[]): void {
    for (const stage of stages) this.#do(stage);
    this.#changedByOthers = true;
  }

  /** Somebody else's rules in a built-in chain: in front of what is there. */
  insertForeign(family: Family, chain: "FORWARD" | "INPUT" | "OUTPUT"): void {
    this.#families[family].insertForeign(chain);
    this.#changedByOthers = true;
  }

  /** `iptables -F` of a built-in chain. */
  flush(family: Family, chain: "FORWARD" | "INPUT" | "OUTPUT"): void {
    this.#families[family].flush(chain);
    this.#changedByOthers = true;
  }

  /** Somebody else's rules look the set up, or do so no more. */
  hold(set: string, isHeld = true): void {
    if (isHeld) this.#held.add(set);
    else this.#held.delete(set);
  }

  setDropped(reason: DropReason, packets: number): void {
    this.#dropped.set(reason, packets);
  }

  async probe(): Promise<BackendFacts> {
    return { version: "in memory", writer: "memory", warnings: [] };
  }

  async read(): Promise<FoundRules> {
    if (this.#readFaults.shift() !== undefined) throw new BackendError("broken", "iptables-save died");
    this.#destroyRest();
    // What is still there is found, and who reads decides about it.
    this.#undestroyed = [];
    return this.found();
  }

  /** As `read`, at once. */
  found(): FoundRules {
    const sets = new Map([...this.#sets].map(([name, set]) => [name, { ...set, elements: new Set(set.elements) }]));
    const four = this.#families[4].found();
    const six = this.#families[6].found();
    return {
      ruleset: { chains: { 4: four.chains, 6: six.chains }, sets },
      jumps: { 4: four.jumps, 6: six.jumps },
      unknown: [],
    };
  }

  async write(stages: readonly Stage[]): Promise<readonly string[]> {
    const fault = this.#writeFaults.shift();
    this.#destroyRest();
    if (fault?.kind === "refuse") throw new BackendError("refused", "refused, as the test wants it");
    let isMet = false;
    for (const [index, stage] of stages.entries()) {
      if (fault?.kind === "die" && index >= fault.stagesDone) throw new BackendError("broken", "iptables-restore died");
      if (stage.kind === "destroy-sets") {
        this.#undestroyed.push(...stage.sets.filter((name) => !this.#tryToDestroy(name)));
        continue;
      }
      try {
        this.#do(stage);
      } catch (error) {
        if (!(error instanceof BackendError)) throw error;
        throw isMet ? new BackendError("broken", error.message, { cause: error }) : error;
      }
      isMet ||= stage.kind === "rules" || stage.kind === "change-elements";
    }
    return this.#undestroyed;
  }

  async dropped(): Promise<ReadonlyMap<DropReason, number> | undefined> {
    if (!FAMILIES.some((family) => this.#families[family].has(dropChain("ingress")))) return undefined;
    return new Map(DROP_REASONS.map((reason) => [reason, this.#dropped.get(reason) ?? 0]));
  }

  async remove(): Promise<boolean> {
    const isThere = this.#sets.size > 0 || FAMILIES.some((family) => this.#families[family].size > 0);
    for (const family of FAMILIES) this.#families[family].removeOwn();
    this.#sets.clear();
    return isThere;
  }

  changedByOthers(): boolean {
    const changed = this.#changedByOthers;
    this.#changedByOthers = false;
    return changed;
  }

  async close(): Promise<void> {}

  #do(stage: Stage): void {
    switch (stage.kind) {
      case "create-sets":
        for (const set of stage.sets) this.#create(set);
        break;
      case "change-elements":
        for (const { set, action, elements } of stage.changes) this.#change(set, action, elements);
        break;
      case "rules":
        this.#families[stage.family].apply(stage, (name) => this.#sets.get(name)?.family);
        break;
      case "destroy-sets":
        for (const name of stage.sets) this.#destroy(name);
        break;
    }
  }

  #create(set: IpSet): void {
    if (set.name.length > MAX_SET_NAME) refuse(`the name ${set.name} is too long`);
    if (this.#sets.has(set.name)) refuse(`set ${set.name} is there already`);
    if (set.elements.size > set.maxElements) refuse(`set ${set.name} is full`);
    this.#sets.set(set.name, { ...set, elements: new Set(set.elements) });
  }

  /** As with `-exist`: what is there already, or not there any more, is no error. */
  #change(name: string, action: "add" | "del", elements: readonly string[]): void {
    const set = this.#sets.get(name) ?? refuse(`set ${name} is not there`);
    for (const element of elements) {
      if (action === "add") set.elements.add(element);
      else set.elements.delete(element);
    }
    if (set.elements.size > set.maxElements) refuse(`set ${name} is full`);
  }

  #destroy(name: string): void {
    if (!this.#sets.has(name)) refuse(`set ${name} is not there`);
    if (this.#isInUse(name)) refuse(`set ${name} is in use`);
    this.#sets.delete(name);
  }

  #destroyRest(): void {
    this.#undestroyed = this.#undestroyed.filter((name) => !this.#tryToDestroy(name));
  }

  #tryToDestroy(name: string): boolean {
    if (this.#isInUse(name)) return false;
    this.#sets.delete(name);
    return true;
  }

  #isInUse(name: string): boolean {
    return this.#held.has(name) || FAMILIES.some((family) => this.#families[family].looksUp(name));
  }
}
