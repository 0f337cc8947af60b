// From the table that was found to the one that should be: by difference where that can work, else anew. Decides only.

import { diffRulesets } from "./diff.ts";
import type { FoundTable } from "./kernel-table.ts";
import type { Ruleset } from "./ruleset.ts";
import type { Transaction } from "./transaction.ts";

/**
 * The transaction that makes what was found equal to `desired`; empty if it is. undefined: only a new table will do, because
 * something in it is neither ours nor a plain rule.
 */
export function differenceTo(found: FoundTable, desired: Ruleset): Transaction | undefined {
  if (found.kind !== "table") return undefined;
  const tampered = new Set<string>();
  for (const { chain } of found.unknown) {
    if (chain === undefined) return undefined;
    tampered.add(chain);
  }
  return diffRulesets(found.ruleset, desired, tampered);
}

/** The table where there is none. */
export function newTable(desired: Ruleset): Transaction {
  const empty: Ruleset = { table: desired.table, counters: new Set(), sets: new Map(), chains: new Map() };
  const { table, operations } = diffRulesets(empty, desired);
  return { table, operations: [{ kind: "add-table" }, ...operations] };
}

/** The whole table anew, in one transaction: packets meet either the old rules or these. Works with and without a table. */
export function wholeTable(desired: Ruleset): Transaction {
  const { table, operations } = newTable(desired);
  return { table, operations: [{ kind: "add-table" }, { kind: "delete-table" }, ...operations] };
}
