// The names of sets in the kernel. A set whose elements change all at once is made anew beside the old one, and the rules that look it
// up are changed in one step: so a name in the kernel may carry a tag, `NFTPOL-p4-….2`, that means nothing else.

import type { Chain, IpSet, IptablesRuleset, Rule } from "./ruleset.ts";

/** 0: the name itself. */
export type Tag = number;

const TAGS = 36 ** 3;

export function nextTag(tag: Tag): Tag {
  return (tag + 1) % TAGS;
}

/** At most four characters more. */
export function taggedName(name: string, tag: Tag): string {
  return tag === 0 ? name : `${name}.${tag.toString(36)}`;
}

/** What `taggedName` would not have written is a name without a tag. */
export function splitName(tagged: string): { readonly name: string; readonly tag: Tag } {
  const dot = tagged.lastIndexOf(".");
  const name = tagged.slice(0, Math.max(dot, 0));
  const tag = Number.parseInt(tagged.slice(dot + 1), 36);
  const isTagged = dot >= 0 && tag > 0 && tag < TAGS && taggedName(name, tag) === tagged;
  return isTagged ? { name, tag } : { name: tagged, tag: 0 };
}

/** The chain with other names for the sets that it looks up; itself where none is other. */
export function withSetNames(chain: Chain, nameOf: (set: string) => string): Chain {
  const rules = chain.rules.map((rule) => renamed(rule, nameOf));
  return rules.every((rule, index) => rule === chain.rules[index]) ? chain : { ...chain, rules };
}

function renamed(rule: Rule, nameOf: (set: string) => string): Rule {
  const matches = rule.matches.map((match) => {
    if (match.kind !== "set") return match;
    const set = nameOf(match.set);
    return set === match.set ? match : { ...match, set };
  });
  return matches.every((match, index) => match === rule.matches[index]) ? rule : { ...rule, matches };
}

/** The ruleset as the kernel holds it. */
export function tagged(ruleset: IptablesRuleset, tagOf: (set: string) => Tag): IptablesRuleset {
  const nameOf = (set: string) => taggedName(set, tagOf(set));
  const renameAll = (chains: ReadonlyMap<string, Chain>) =>
    new Map([...chains].map(([name, chain]) => [name, withSetNames(chain, nameOf)]));
  const sets = [...ruleset.sets.values()].map((set): IpSet => ({ ...set, name: nameOf(set.name) }));
  return {
    chains: { 4: renameAll(ruleset.chains[4]), 6: renameAll(ruleset.chains[6]) },
    sets: new Map(sets.map((set) => [set.name, set])),
  };
}
