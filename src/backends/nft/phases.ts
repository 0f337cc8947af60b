// One change as the kernel needs it: first what nothing leads to yet, then the step that packets notice, then what nothing leads to any
// more.
//
// A packet reads once which generation of rules it meets, but looks sets up in the generation of that moment; and interval sets
// (anonymous ones of port ranges, too) are filled only after the new rules are in force. So a chain that is made in the same
// transaction as the element that leads to it is empty for packets under way (a denied packet passes), and a new interval
// set is empty for packets just after (an allowed one is dropped). Measured on Linux 6.18, docs/data-plane.md. Both are avoided
// when new chains and sets are complete before anything leads to them.

import { isBaseChain } from "./names.ts";
import { chainsOfRule, setsOfRule } from "./ruleset.ts";
import type { Operation, Transaction } from "./transaction.ts";

export interface Phases {
  /**
   * Up to three transactions, in order; none: nothing changes. Only the last one changes what packets meet; when it fails, what the others
   * made is reached by nothing: of a table where there was none, the hooks come last. A table that replaces another is one.
   */
  readonly change: readonly Transaction[];
  /** To be written after it. What it takes away is reached by nothing any more. */
  readonly cleanUp: Transaction | undefined;
}

export function phasesOf({ table, operations }: Transaction): Phases {
  const { prepare, switchOver, cleanUp } = split(operations);
  const asTransaction = (phase: readonly Operation[]): Transaction[] =>
    phase.length === 0 ? [] : [{ table, operations: phase }];
  return { change: [...prepare, switchOver].flatMap(asTransaction), cleanUp: asTransaction(cleanUp)[0] };
}

interface Split {
  readonly prepare: readonly (readonly Operation[])[];
  readonly switchOver: readonly Operation[];
  readonly cleanUp: readonly Operation[];
}

function split(operations: readonly Operation[]): Split {
  if (operations.some(({ kind }) => kind === "delete-table"))
    return { prepare: [], switchOver: operations, cleanUp: [] };
  const late = findLate(operations);
  const isNew = new Set(operations.flatMap((operation) => nameOfNew(operation) ?? []));
  const canPrepare = (name: string) => isNew.has(name) && !late.has(name);
  const prepares = (operation: Operation): boolean => {
    switch (operation.kind) {
      case "add-table":
      case "add-counter":
        return true;
      case "add-chain":
        return canPrepare(chainName(operation.chain.name));
      case "add-rule":
        return canPrepare(chainName(operation.chain));
      case "add-set":
        return canPrepare(setName(operation.set.name));
      case "add-elements":
        return canPrepare(setName(operation.set));
      default:
        return false;
    }
  };
  const others = operations.filter((operation) => !prepares(operation));
  return { prepare: splitElements(operations.filter(prepares)), ...splitCleanUp(others) };
}

/** From so many elements on, what a transaction more costs is less than what they cost an nft that has to read them. */
const MANY_ELEMENTS = 256;

/** Many elements go alone: that needs no nft. Nothing leads to what is prepared, so that it does not matter in how many steps it is made. */
function splitElements(prepare: readonly Operation[]): (readonly Operation[])[] {
  const elements = prepare.filter(({ kind }) => kind === "add-elements");
  const count = elements.reduce((sum, operation) => sum + ("elements" in operation ? operation.elements.length : 0), 0);
  if (count < MANY_ELEMENTS) return [prepare];
  return [prepare.filter(({ kind }) => kind !== "add-elements"), elements];
}

/** The step that packets notice does not wait for what it leaves, where it is one of elements alone: such a step is by far the quickest. */
function splitCleanUp(operations: readonly Operation[]): Pick<Split, "switchOver" | "cleanUp"> {
  const deleted = new Set(
    operations.flatMap((operation) => (operation.kind === "delete-chain" ? [operation.chain] : [])),
  );
  const cleansUp = (operation: Operation): boolean => {
    if (operation.kind === "flush-chain") return deleted.has(operation.chain);
    return CLEAN_UP_KINDS.has(operation.kind);
  };
  const switchOver = operations.filter((operation) => !cleansUp(operation));
  const isElementsOnly = switchOver.every(({ kind }) => kind === "add-elements" || kind === "delete-elements");
  // Packets meet a base chain whatever leads to it.
  const isReached = [...deleted].some(isBaseChain);
  if (switchOver.length === 0 || !isElementsOnly || isReached) return { switchOver: operations, cleanUp: [] };
  return { switchOver, cleanUp: operations.filter(cleansUp) };
}

const CLEAN_UP_KINDS: ReadonlySet<Operation["kind"]> = new Set(["delete-chain", "delete-set", "delete-counter"]);

/** What cannot be made before the rest: hooks, what takes the name of something that goes, and what refers to these. */
function findLate(operations: readonly Operation[]): ReadonlySet<string> {
  const late = new Set(operations.flatMap((operation) => lateByItself(operation) ?? []));
  for (let before = -1; before < late.size; ) {
    before = late.size;
    for (const operation of operations) {
      if (operation.kind === "add-rule") {
        const { rule, chain } = operation;
        const used = [...setsOfRule(rule).map(setName), ...chainsOfRule(rule).map(chainName)];
        if (used.some((name) => late.has(name))) late.add(chainName(chain));
      }
      if (operation.kind === "add-elements") {
        const leadsTo = operation.elements.flatMap(({ verdict }) =>
          verdict !== undefined && "chain" in verdict ? [chainName(verdict.chain)] : [],
        );
        if (leadsTo.some((name) => late.has(name))) late.add(setName(operation.set));
      }
    }
  }
  return late;
}

function lateByItself(operation: Operation): string | undefined {
  switch (operation.kind) {
    case "add-chain":
      return operation.chain.hook === undefined ? undefined : chainName(operation.chain.name);
    case "delete-chain":
      return chainName(operation.chain);
    case "delete-set":
      return setName(operation.set);
    default:
      return undefined;
  }
}

function nameOfNew(operation: Operation): string | undefined {
  if (operation.kind === "add-chain") return chainName(operation.chain.name);
  return operation.kind === "add-set" ? setName(operation.set.name) : undefined;
}

function chainName(name: string): string {
  return `chain ${name}`;
}

function setName(name: string): string {
  return `set ${name}`;
}
