// Owns what counts as the same table when tests compare texts: everything but what nft versions spell otherwise or leave out.
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import type { FoundTable } from "../../src/backends/nft/kernel-table.ts";
import {
  type Chain,
  chainsOfRule,
  type NamedSet,
  type Ruleset,
  setsOfRule,
  type VerdictMap,
} from "../../src/backends/nft/ruleset.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import type { RuleGraph } from "../../src/graph/rule-graph.ts";

/**
 * The table's text without comments of chains (nft 1.0.6 does not list them), `typeof` (only says how a key was spelled), and
 * declared sizes (a set that grew keeps its room).
 */
export function comparableText(ruleset: Ruleset): string {
  return renderText(ruleset)
    .replace(/^ *(typeof|size) .*\n/gm, "")
    .replace(/^( *chain [^\n]*\n) *comment [^\n]*\n/gm, "$1");
}

/** What the table should be, compiled from nothing. */
export function expectedText(graph: RuleGraph): string {
  return comparableText(compileRuleset(graph.program()));
}

/** The same for a table that was found; objects that are not ours are listed below it. */
export function foundText(found: FoundTable): string {
  if (found.kind !== "table") return found.kind;
  return comparableText(found.ruleset) + found.unknown.map(({ where, json }) => `${where}: ${json}\n`).join("");
}

/** Only what packets can meet: the hooks, and the chains and sets that lead on from them. Counters are named by the rules. */
export function reachableText(ruleset: Ruleset): string {
  const chains = new Map([...ruleset.chains].filter(([, chain]) => chain.hook !== undefined));
  const sets = new Map<string, NamedSet | VerdictMap>();
  // Maps take what is added to them while they are walked.
  for (const chain of chains.values()) {
    const targets = chain.rules.flatMap(chainsOfRule);
    for (const name of chain.rules.flatMap(setsOfRule)) {
      const set = ruleset.sets.get(name) as NamedSet | VerdictMap;
      sets.set(name, set);
      for (const verdict of set.kind === "map" ? set.elements.values() : []) {
        if ("chain" in verdict) targets.push(verdict.chain);
      }
    }
    for (const name of targets) chains.set(name, ruleset.chains.get(name) as Chain);
  }
  return comparableText({ ...ruleset, counters: new Set(), chains, sets });
}
