// Rulesets with one thing made wrong, to see who notices. Every function fails loudly when there is nothing to damage.

import type { Chain, NamedSet, Rule, Ruleset, Verdict, VerdictMap } from "../../src/backends/nft/ruleset.ts";

/** A chain by the beginning of its name; `end` tells its parts apart. */
export function chainNamed(ruleset: Ruleset, start: string, end = ""): Chain {
  const pattern = new RegExp(`^${start}.*_[a-z2-7]{16}${end}$`);
  const chain = ruleset.chains.get(start) ?? [...ruleset.chains.values()].find(({ name }) => pattern.test(name));
  if (chain === undefined) throw new Error(`no chain ${start}…${end} in ${[...ruleset.chains.keys()].join(", ")}`);
  return chain;
}

/** The ruleset with other rules in one chain. */
export function withRules(ruleset: Ruleset, chain: Chain, change: (rules: Rule[]) => readonly Rule[]): Ruleset {
  const rules = change([...chain.rules]);
  return { ...ruleset, chains: new Map(ruleset.chains).set(chain.name, { ...chain, rules }) };
}

/** Index of the first rule whose JSON contains the text; throws where there is none. */
export function ruleWith(chain: Chain, text: string): number {
  const index = chain.rules.findIndex((rule) => JSON.stringify(rule).includes(text));
  if (index < 0) throw new Error(`no rule with ${text} in ${chain.name}: ${JSON.stringify(chain.rules)}`);
  return index;
}

/** Without the first rule that contains the text. */
export function dropRule(ruleset: Ruleset, chain: Chain, text: string): Ruleset {
  const index = ruleWith(chain, text);
  return withRules(ruleset, chain, (rules) => rules.toSpliced(index, 1));
}

/** With that rule's JSON edited; throws when the edit changes nothing. */
export function editRule(ruleset: Ruleset, chain: Chain, text: string, edit: (json: string) => string): Ruleset {
  const index = ruleWith(chain, text);
  return withRules(ruleset, chain, (rules) => {
    const before = JSON.stringify(rules[index]);
    const after = edit(before);
    if (after === before) throw new Error(`the mutation changes nothing in ${before}`);
    return rules.with(index, JSON.parse(after) as Rule);
  });
}

/** With two rules of a chain in each other's place. */
export function swapRules(ruleset: Ruleset, chain: Chain, first: number, second: number): Ruleset {
  return withRules(ruleset, chain, (rules) =>
    rules.with(first, rules[second] as Rule).with(second, rules[first] as Rule),
  );
}

/** A set or map by its name or the beginning of it. */
export function setNamed(ruleset: Ruleset, start: string): NamedSet | VerdictMap {
  const set = ruleset.sets.get(start) ?? [...ruleset.sets.values()].find(({ name }) => name.startsWith(start));
  if (set === undefined) throw new Error(`no set ${start} in ${[...ruleset.sets.keys()].join(", ")}`);
  return set;
}

/** The ruleset with other elements in one set. */
export function withElements(
  ruleset: Ruleset,
  start: string,
  change: (elements: string[]) => readonly string[],
): Ruleset {
  const set = setNamed(ruleset, start);
  if (set.kind !== "set") throw new Error(`${start} is a map`);
  return {
    ...ruleset,
    sets: new Map(ruleset.sets).set(set.name, { ...set, elements: new Set(change([...set.elements])) }),
  };
}

/** The ruleset with other entries in one map. */
export function withVerdicts(
  ruleset: Ruleset,
  name: string,
  change: (elements: Map<string, Verdict>) => void,
): Ruleset {
  const map = setNamed(ruleset, name);
  if (map.kind !== "map") throw new Error(`${name} is a set`);
  const elements = new Map(map.elements);
  change(elements);
  return { ...ruleset, sets: new Map(ruleset.sets).set(name, { ...map, elements }) };
}

/** Throws when the element is not there. */
export function without(elements: readonly string[], element: string): string[] {
  if (!elements.includes(element)) throw new Error(`${element} is not in ${elements.join(", ")}`);
  return elements.filter((each) => each !== element);
}
