// Owns what counts as the same rules of iptables when tests compare texts: everything but declared sizes and tags of set names.
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { type FoundRules, isNothing } from "../../src/backends/iptables/read-back.ts";
import {
  type Chain,
  type ChainsOfFamily,
  chainOfRule,
  type IptablesRuleset,
  isBuiltIn,
  setsOfRule,
} from "../../src/backends/iptables/ruleset.ts";
import { splitName, withSetNames } from "../../src/backends/iptables/set-tags.ts";
import { restoreText, setsText } from "../../src/backends/iptables/text.ts";
import type { RuleGraph } from "../../src/graph/rule-graph.ts";
import { FAMILIES } from "../../src/net/address.ts";

export function comparableText({ chains, sets }: IptablesRuleset): string {
  const nameOf = (set: string) => splitName(set).name;
  const renamed = [...sets.values()].map((set) => ({ ...set, name: nameOf(set.name) }));
  const families = FAMILIES.map((family) => {
    return restoreText(
      [...chains[family].values()].map((chain) => withSetNames(chain, nameOf)),
      family,
    );
  });
  return setsText(renamed).replace(/ hashsize \d+ maxelem \d+$/gm, "") + families.join("");
}

/** What the rules should be, compiled from nothing. */
export function expectedText(graph: RuleGraph): string {
  return comparableText(compileRuleset(graph.program()));
}

/** The same for what was found; what is not ours is listed below it, and sets that are there twice. */
export function foundText(found: FoundRules): string {
  if (isNothing(found)) return "none";
  const names = [...found.ruleset.sets.keys()].map((name) => splitName(name).name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index).map((name) => `twice: ${name}\n`);
  const unknown = found.unknown.map(({ where, text }) => `${where}: ${text}\n`);
  return [comparableText(found.ruleset), ...twice, ...unknown].join("");
}

/** Only what packets can meet: our jumps, and the chains and sets that lead on from them. */
export function reachableText({ chains, sets }: IptablesRuleset): string {
  const reached = { 4: reachedFrom(chains[4]), 6: reachedFrom(chains[6]) };
  const lookedUp = [...reached[4].values(), ...reached[6].values()].flatMap(({ rules }) => rules.flatMap(setsOfRule));
  return comparableText({ chains: reached, sets: new Map([...sets].filter(([name]) => lookedUp.includes(name))) });
}

function reachedFrom(chains: ChainsOfFamily): Map<string, Chain> {
  const reached = new Map([...chains].filter(([name]) => isBuiltIn(name)));
  // Maps take what is added to them while they are walked.
  for (const { rules } of reached.values()) {
    for (const name of rules.flatMap((rule) => chainOfRule(rule) ?? [])) {
      const chain = chains.get(name);
      if (chain !== undefined) reached.set(name, chain);
    }
  }
  return reached;
}
