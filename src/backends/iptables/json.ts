// Rules and sets as data for other programs. The same content and order as the text form.

import type { Family } from "../../net/address.ts";
import { type Chain, type IpSet, type IptablesRuleset, isBuiltIn, type SetType } from "./ruleset.ts";
import { ruleWords, sortedByName, sortedElements } from "./text.ts";

export interface RulesetData {
  readonly sets: readonly SetData[];
  /** Built-in chains last: what their jumps lead to stands before them. */
  readonly chains: Readonly<Record<`IPv${Family}`, readonly ChainData[]>>;
}

export interface SetData {
  readonly name: string;
  readonly type: SetType;
  readonly family: `IPv${Family}`;
  readonly maxElements: number;
  readonly elements: readonly string[];
}

export interface ChainData {
  readonly name: string;
  /** Of the kernel, and not ours: what stands here comes before all other rules of the chain. */
  readonly builtIn: boolean;
  /** Arguments of `iptables -A NAME` each. */
  readonly rules: readonly (readonly string[])[];
}

export function rulesetData({ chains, sets }: IptablesRuleset): RulesetData {
  const ofFamily = (family: Family) => {
    const all = sortedByName(chains[family].values()).map((chain) => chainData(chain, family));
    return [...all.filter(({ builtIn }) => !builtIn), ...all.filter(({ builtIn }) => builtIn)];
  };
  return { sets: sortedByName(sets.values()).map(setData), chains: { IPv4: ofFamily(4), IPv6: ofFamily(6) } };
}

function setData(set: IpSet): SetData {
  const { name, type, family, maxElements } = set;
  return { name, type, family: `IPv${family}`, maxElements, elements: sortedElements(set) };
}

function chainData({ name, rules }: Chain, family: Family): ChainData {
  return { name, builtIn: isBuiltIn(name), rules: rules.map((rule) => ruleWords(rule, family)) };
}
