// Our table in memory: applies transactions as the kernel does and refuses what the kernel refuses.
// Stands in for the kernel in tests and in dry runs.

import { MAX_STEPS, waysOf } from "./chain-ways.ts";
import { sameDeclaration, sameHook } from "./compare.ts";
import {
  type Chain,
  chainsOfRule,
  type NamedSet,
  type Rule,
  type Ruleset,
  sameVerdict,
  setsOfRule,
  type Verdict,
  type VerdictMap,
} from "./ruleset.ts";
import type { Element, Operation, Transaction } from "./transaction.ts";

/** What nft would say; nothing of the transaction was applied. */
export class TransactionRefused extends Error {
  readonly operation: Operation;
  constructor(message: string, operation: Operation) {
    super(`${message} (${operation.kind})`);
    this.name = "TransactionRefused";
    this.operation = operation;
  }
}

interface MutableTable {
  readonly counters: Set<string>;
  readonly sets: Map<string, MutableSet>;
  readonly chains: Map<string, Chain & { readonly rules: Rule[] }>;
}

type MutableSet =
  | (NamedSet & { readonly elements: Set<string> })
  | (VerdictMap & { readonly elements: Map<string, Verdict> });

export class MemoryTable {
  readonly name: string;
  /** undefined: there is no such table. */
  #table: MutableTable | undefined;

  /** Starts with a copy of the ruleset, or without a table. */
  constructor(start: Ruleset | string) {
    this.name = typeof start === "string" ? start : start.table;
    this.#table = typeof start === "string" ? undefined : copy(start);
  }

  /** Whether there is a table. */
  get exists(): boolean {
    return this.#table !== undefined;
  }

  /** The table as it is, empty where there is none; not changed by later transactions. */
  ruleset(): Ruleset {
    return { table: this.name, ...copy(this.#table ?? emptyTable()) };
  }

  /** All or nothing. Throws TransactionRefused and stays as it was when the kernel would refuse. Cost: the whole table. */
  apply(transaction: Transaction): void {
    let next = this.#table === undefined ? undefined : copy(this.#table);
    for (const operation of transaction.operations) {
      if (operation.kind === "add-table") next ??= emptyTable();
      else if (next === undefined) throw new TransactionRefused(`no such table: ${this.name}`, operation);
      else if (operation.kind === "delete-table") next = undefined;
      else applyOperation(next, operation);
    }
    const last = transaction.operations.at(-1);
    if (next !== undefined && last !== undefined && waysOf(next).steps >= MAX_STEPS)
      throw new TransactionRefused("too many links: a chain is too far from its hook", last);
    this.#table = next;
  }
}

function emptyTable(): MutableTable {
  return { counters: new Set(), sets: new Map(), chains: new Map() };
}

function copy(table: Pick<Ruleset, "counters" | "sets" | "chains">): MutableTable {
  return {
    counters: new Set(table.counters),
    sets: new Map([...table.sets].map(([name, set]) => [name, copySet(set)])),
    chains: new Map([...table.chains].map(([name, chain]) => [name, { ...chain, rules: [...chain.rules] }])),
  };
}

function copySet(set: NamedSet | VerdictMap): MutableSet {
  return set.kind === "set" ? { ...set, elements: new Set(set.elements) } : { ...set, elements: new Map(set.elements) };
}

function emptySet(set: NamedSet | VerdictMap): MutableSet {
  return set.kind === "set" ? { ...set, elements: new Set() } : { ...set, elements: new Map() };
}

function applyOperation(
  table: MutableTable,
  operation: Exclude<Operation, { kind: "add-table" | "delete-table" }>,
): void {
  const refuse = (message: string): never => {
    throw new TransactionRefused(message, operation);
  };
  const set = (name: string): MutableSet => table.sets.get(name) ?? refuse(`no such set: ${name}`);
  const chain = (name: string) => table.chains.get(name) ?? refuse(`no such chain: ${name}`);
  switch (operation.kind) {
    case "add-counter":
      table.counters.add(operation.name);
      return;
    case "delete-counter":
      if (rulesOf(table).some((rule) => countersOf(rule).includes(operation.name)))
        refuse(`counter is in use: ${operation.name}`);
      if (!table.counters.delete(operation.name)) refuse(`no such counter: ${operation.name}`);
      return;
    case "add-set": {
      const existing = table.sets.get(operation.set.name);
      if (existing === undefined) table.sets.set(operation.set.name, emptySet(operation.set));
      else if (!sameDeclaration(existing, operation.set)) refuse(`set exists with another type: ${existing.name}`);
      return;
    }
    case "add-chain": {
      const existing = table.chains.get(operation.chain.name);
      if (existing === undefined) table.chains.set(operation.chain.name, { ...operation.chain, rules: [] });
      else if (!sameHook(existing, operation.chain)) refuse(`chain exists with another hook: ${existing.name}`);
      return;
    }
    case "add-rule":
      for (const name of setsOfRule(operation.rule)) set(name);
      for (const name of chainsOfRule(operation.rule)) chain(name);
      for (const name of countersOf(operation.rule)) table.counters.has(name) || refuse(`no such counter: ${name}`);
      chain(operation.chain).rules.push(operation.rule);
      return;
    case "flush-chain":
      chain(operation.chain).rules.length = 0;
      return;
    case "delete-chain":
      chain(operation.chain);
      if (isChainUsed(table, operation.chain)) refuse(`chain is in use: ${operation.chain}`);
      table.chains.delete(operation.chain);
      return;
    case "delete-set":
      set(operation.set);
      if (rulesOf(table).some((rule) => setsOfRule(rule).includes(operation.set)))
        refuse(`set is in use: ${operation.set}`);
      table.sets.delete(operation.set);
      return;
    case "delete-elements":
      for (const key of operation.elements)
        if (!set(operation.set).elements.delete(key)) refuse(`no such element: ${key}`);
      return;
    case "add-elements":
      for (const element of operation.elements) addElement(table, set(operation.set), element, refuse);
      return;
  }
}

function addElement(
  table: MutableTable,
  set: MutableSet,
  { key, verdict }: Element,
  refuse: (message: string) => never,
): void {
  if (set.kind === "set") set.elements.add(key);
  else {
    if (verdict === undefined) throw new Error(`element without a verdict: ${key}`);
    const existing = set.elements.get(key);
    if (existing !== undefined && !sameVerdict(existing, verdict))
      refuse(`element exists with another verdict: ${key}`);
    if ("chain" in verdict && !table.chains.has(verdict.chain)) refuse(`no such chain: ${verdict.chain}`);
    set.elements.set(key, verdict);
  }
  if (set.size !== undefined && set.elements.size > set.size) refuse(`set is full: ${set.name}`);
}

function rulesOf(table: MutableTable): Rule[] {
  return [...table.chains.values()].flatMap((chain) => chain.rules);
}

function countersOf(rule: Rule): string[] {
  return rule.statements.flatMap((statement) => (statement.kind === "counter" ? [statement.name] : []));
}

function isChainUsed(table: MutableTable, name: string): boolean {
  if (rulesOf(table).some((rule) => chainsOfRule(rule).includes(name))) return true;
  for (const set of table.sets.values()) {
    if (set.kind !== "map") continue;
    for (const verdict of set.elements.values()) if ("chain" in verdict && verdict.chain === name) return true;
  }
  return false;
}
