// One atomic change of our table: operations in an order that nft and the kernel accept, and their text.

import {
  type Chain,
  type Field,
  formatVerdict,
  type NamedSet,
  type Rule,
  type Verdict,
  type VerdictMap,
} from "./ruleset.ts";
import { hookText, ruleText, typeofText } from "./text.ts";

export type Operation =
  | { readonly kind: "add-table" }
  | { readonly kind: "delete-table" }
  | { readonly kind: "add-counter"; readonly name: string }
  /** Without its elements. */
  | { readonly kind: "add-set"; readonly set: NamedSet | VerdictMap }
  /** Without its rules. */
  | { readonly kind: "add-chain"; readonly chain: Chain }
  | { readonly kind: "add-rule"; readonly chain: string; readonly rule: Rule }
  | { readonly kind: "flush-chain"; readonly chain: string }
  | { readonly kind: "delete-chain"; readonly chain: string }
  | { readonly kind: "delete-counter"; readonly name: string }
  | { readonly kind: "delete-set"; readonly set: string; readonly setKind: "set" | "map" }
  | ({ readonly kind: "delete-elements" } & ElementsToDelete)
  | ({ readonly kind: "add-elements" } & ElementsToAdd);

/** How the set is declared, as far as its elements' bytes depend on it. */
export interface SetKey {
  readonly fields: readonly Field[];
  readonly interval: boolean;
}

export interface ElementsToDelete {
  readonly set: string;
  readonly key: SetKey;
  readonly elements: readonly string[];
}

export interface ElementsToAdd {
  readonly set: string;
  readonly key: SetKey;
  readonly elements: readonly Element[];
}

export interface Element {
  readonly key: string;
  /** Maps only. */
  readonly verdict: Verdict | undefined;
}

export interface Transaction {
  readonly table: string;
  readonly operations: readonly Operation[];
}

/** What has to change, in no order yet. */
export interface ChangePlan {
  readonly addCounters: readonly string[];
  readonly deleteCounters: readonly string[];
  readonly addSets: readonly (NamedSet | VerdictMap)[];
  readonly deleteSets: readonly (NamedSet | VerdictMap)[];
  /** Deleted and added again under the same name; every chain that looks them up must be among `refillChains`. */
  readonly replaceSets: readonly (NamedSet | VerdictMap)[];
  readonly addChains: readonly Chain[];
  readonly deleteChains: readonly string[];
  /** Deleted and added again with their rules: hook and priority of a chain cannot be changed. */
  readonly replaceChains: readonly Chain[];
  /** Emptied and given these rules; the chain itself stays, packets never miss it. */
  readonly refillChains: readonly Chain[];
  readonly deleteElements: readonly ElementsToDelete[];
  readonly addElements: readonly ElementsToAdd[];
}

/** Puts the plan in order: nothing is used before it is there, nothing is deleted while it is used. Deterministic for equal plans. */
export function orderTransaction(table: string, plan: ChangePlan): Transaction {
  const operations: Operation[] = [];
  const newSets = [...sortBy(plan.addSets, (set) => set.name), ...sortBy(plan.replaceSets, (set) => set.name)];
  const newChains = sortBy(plan.addChains, (chain) => chain.name);
  const refills = sortBy(plan.refillChains, (chain) => chain.name);
  const replacedChains = sortBy(plan.replaceChains, (chain) => chain.name);
  const deletedChains = [...plan.deleteChains].sort();
  for (const name of [...plan.addCounters].sort()) operations.push({ kind: "add-counter", name });
  for (const chain of newChains) operations.push({ kind: "add-chain", chain });
  for (const chain of refills) operations.push({ kind: "flush-chain", chain: chain.name });
  for (const chain of deletedChains) operations.push({ kind: "flush-chain", chain });
  for (const { name } of replacedChains) operations.push({ kind: "flush-chain", chain: name });
  for (const chain of replacedChains) {
    operations.push({ kind: "delete-chain", chain: chain.name }, { kind: "add-chain", chain });
  }
  for (const set of sortBy(plan.replaceSets, (each) => each.name))
    operations.push({ kind: "delete-set", set: set.name, setKind: set.kind });
  for (const set of newSets) operations.push({ kind: "add-set", set });
  for (const { set, key, elements } of sortBy(plan.deleteElements, (each) => each.set)) {
    operations.push({ kind: "delete-elements", set, key, elements: [...elements].sort() });
  }
  for (const set of newSets) {
    const elements = elementsOf(set);
    if (elements.length > 0) operations.push({ kind: "add-elements", set: set.name, key: keyOf(set), elements });
  }
  for (const { set, key, elements } of sortBy(plan.addElements, (each) => each.set)) {
    operations.push({ kind: "add-elements", set, key, elements: sortBy(elements, (each) => each.key) });
  }
  for (const chain of [...newChains, ...refills, ...replacedChains])
    for (const rule of chain.rules) operations.push({ kind: "add-rule", chain: chain.name, rule });
  for (const set of sortBy(plan.deleteSets, (each) => each.name))
    operations.push({ kind: "delete-set", set: set.name, setKind: set.kind });
  // Last: a map that goes may hold verdicts that name these chains.
  for (const chain of deletedChains) operations.push({ kind: "delete-chain", chain });
  for (const name of [...plan.deleteCounters].sort()) operations.push({ kind: "delete-counter", name });
  return { table, operations };
}

export function keyOf({ key, interval }: NamedSet | VerdictMap): SetKey {
  return { fields: key, interval };
}

/** In order of their text: comparing addresses as numbers takes 600 ms for 100,000 elements, this 10. */
function elementsOf(set: NamedSet | VerdictMap): Element[] {
  const keys = [...(set.kind === "map" ? set.elements.keys() : set.elements)].sort();
  return keys.map((key) => ({ key, verdict: set.kind === "map" ? set.elements.get(key) : undefined }));
}

function sortBy<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...items].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/** For `nft -f`: one atomic batch; empty for a transaction that changes nothing. */
export function renderTransaction({ table, operations }: Transaction): string {
  return operations.map((operation) => `${operationText(`inet ${table}`, operation)}\n`).join("");
}

function operationText(table: string, operation: Operation): string {
  switch (operation.kind) {
    case "add-table":
      return `add table ${table}`;
    case "delete-table":
      return `delete table ${table}`;
    case "add-counter":
      return `add counter ${table} ${operation.name}`;
    case "add-set":
      return `add ${operation.set.kind} ${table} ${operation.set.name} { ${setOptions(operation.set).join(" ")} }`;
    case "add-chain":
      return `add chain ${table} ${operation.chain.name}${chainOptions(operation.chain)}`;
    case "add-rule":
      return `add rule ${table} ${operation.chain} ${ruleText(operation.rule)}`;
    case "flush-chain":
      return `flush chain ${table} ${operation.chain}`;
    case "delete-chain":
      return `delete chain ${table} ${operation.chain}`;
    case "delete-counter":
      return `delete counter ${table} ${operation.name}`;
    case "delete-set":
      return `delete ${operation.setKind} ${table} ${operation.set}`;
    case "delete-elements":
      return `delete element ${table} ${operation.set} { ${operation.elements.join(", ")} }`;
    case "add-elements":
      return `add element ${table} ${operation.set} { ${operation.elements.map(elementText).join(", ")} }`;
  }
}

function elementText({ key, verdict }: Element): string {
  return verdict === undefined ? key : `${key} : ${formatVerdict(verdict)}`;
}

function setOptions(set: NamedSet | VerdictMap): string[] {
  const options = [`${typeofText(set)};`];
  if (set.interval) options.push("flags interval;");
  if (set.size !== undefined) options.push(`size ${set.size};`);
  if (set.comment !== undefined) options.push(`comment "${set.comment}";`);
  return options;
}

function chainOptions(chain: Chain): string {
  const options = [];
  if (chain.hook !== undefined) options.push(hookText(chain.hook));
  if (chain.comment !== undefined) options.push(`comment "${chain.comment}";`);
  return options.length === 0 ? "" : ` { ${options.join(" ")} }`;
}

/** How many elements a transaction adds and deletes, and how many other operations it has; for logs and metrics. */
export function transactionSize({ operations }: Transaction): { readonly elements: number; readonly others: number } {
  let elements = 0;
  let others = 0;
  for (const operation of operations) {
    if ("elements" in operation) elements += operation.elements.length;
    else others++;
  }
  return { elements, others };
}
