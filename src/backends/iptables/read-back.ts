// `iptables-save -t filter` and `ipset save` -> what is there of ours. Understands what our rules use, in the spellings of both
// variants; what it does not understand (somebody else's rule in a chain of ours) is kept as a finding, never guessed.

import { type Family, formatAddress } from "../../net/address.ts";
import { PREFIX } from "./names.ts";
import { parseRule } from "./parse-rule.ts";
import {
  BUILT_IN_CHAINS,
  type BuiltInChain,
  type Chain,
  chainOfRule,
  type IpSet,
  type IptablesRuleset,
  isBuiltIn,
  type Rule,
  type SetType,
} from "./ruleset.ts";
import type { Jump } from "./stages.ts";
import { writtenBlock } from "./written-block.ts";

export interface FoundRules {
  /**
   * Names as in the kernel. A built-in chain is there exactly if its first rule is a jump to us: our rules judge what comes before
   * all others, or nothing can be said.
   */
  readonly ruleset: IptablesRuleset;
  /** Every jump of a built-in chain to ours, also those that are not first. */
  readonly jumps: Readonly<Record<Family, readonly FoundJump[]>>;
  /** What is in our chains and sets and not of our making. */
  readonly unknown: readonly UnknownObject[];
}

export interface FoundJump extends Jump {
  /** From 0. */
  readonly position: number;
}

export interface UnknownObject {
  /** Where it stands: `chain NFTPOL-FORWARD of IPv4, rule 2`, `set NFTPOL-…`. */
  readonly where: string;
  readonly text: string;
  /** The chain that has to get its rules again, or the set that has to be made anew. */
  readonly chain: { readonly family: Family; readonly name: string } | undefined;
  readonly set: string | undefined;
}

/** Texts of the families that the node has. */
export interface SavedTexts {
  readonly rules: Readonly<Partial<Record<Family, string>>>;
  readonly sets: string;
}

/** Cost: the texts, others' rules and sets included. */
export function readBack({ rules, sets: setsText }: SavedTexts): FoundRules {
  const unknown: UnknownObject[] = [];
  const four = readFamily(rules[4] ?? "", 4, unknown);
  const six = readFamily(rules[6] ?? "", 6, unknown);
  const sets = readSets(setsText, unknown);
  return {
    ruleset: { chains: { 4: four.chains, 6: six.chains }, sets },
    jumps: { 4: four.jumps, 6: six.jumps },
    unknown,
  };
}

/** Whether there is nothing of ours at all. */
export function isNothing({ ruleset: { chains, sets }, jumps }: FoundRules): boolean {
  return chains[4].size + chains[6].size + sets.size + jumps[4].length + jumps[6].length === 0;
}

function readFamily(text: string, family: Family, unknown: UnknownObject[]) {
  const chains = new Map<string, Chain & { rules: Rule[] }>();
  const jumps: FoundJump[] = [];
  const counts = new Map<BuiltInChain, number>();
  for (const line of text.split("\n")) {
    const name = /^[:](\S+)|^-A (\S+)/.exec(line);
    const chain = name?.[1] ?? name?.[2];
    if (chain === undefined) continue;
    if (line.startsWith(":")) {
      if (chain.startsWith(PREFIX)) chains.set(chain, { name: chain, rules: [] });
    } else if (isBuiltIn(chain)) readBuiltIn(chain, line);
    else if (chain.startsWith(PREFIX)) readOwn(chain, line);
  }
  for (const name of BUILT_IN_CHAINS) {
    const first = jumps.filter((jump) => jump.chain === name && jump.position === 0);
    if (first.length > 0) chains.set(name, { name, rules: first.map(({ rule }) => rule) });
  }
  return { chains, jumps };

  function readBuiltIn(chain: BuiltInChain, line: string): void {
    const position = counts.get(chain) ?? 0;
    counts.set(chain, position + 1);
    if (!/ -[jg] NFTPOL-/.test(line)) return;
    const rule = parseRule(line, family);
    // Others' rules stay others', wherever they lead.
    if (rule !== undefined && chainOfRule(rule)?.startsWith(PREFIX)) jumps.push({ chain, rule, position });
  }

  function readOwn(name: string, line: string): void {
    const chain = chains.get(name) ?? { name, rules: [] };
    chains.set(name, chain);
    const rule = parseRule(line, family);
    if (rule !== undefined) chain.rules.push(rule);
    else {
      const where = `chain ${name} of IPv${family}, rule ${chain.rules.length + 1}`;
      unknown.push({ where, text: line, chain: { family, name }, set: undefined });
    }
  }
}

const SET_TYPES: readonly SetType[] = ["hash:ip", "hash:net", "hash:ip,port"];

function readSets(text: string, unknown: UnknownObject[]): Map<string, IpSet> {
  const sets = new Map<string, IpSet & { elements: Set<string> }>();
  const spoiled = new Set<string>();
  // One line of it says enough: of a set whose elements expire each has a time.
  const notOurs = (set: string, line: string) => {
    if (!spoiled.has(set)) unknown.push({ where: `set ${set}`, text: line, chain: undefined, set });
    spoiled.add(set);
  };
  for (const line of text.split("\n")) {
    const [command, name = "", word = "", ...rest] = line.split(" ");
    if (!name.startsWith(PREFIX)) continue;
    if (command === "create") {
      const set = createdSet(name, word, rest);
      if (set === undefined) notOurs(name, line);
      sets.set(name, set ?? unreadableSet(name));
    } else if (command === "add") {
      const set = sets.get(name);
      if (set === undefined) continue;
      // Words behind the element change what it means: nomatch, timeout.
      if (rest.length > 0) notOurs(name, line);
      else set.elements.add(canonicalElement(word));
    }
  }
  return sets;
}

/** How many buckets there are, and how they are found, means nothing. */
const HARMLESS_OPTIONS = new Set(["hashsize", "bucketsize", "initval"]);

function createdSet(
  name: string,
  type: string,
  options: readonly string[],
): (IpSet & { elements: Set<string> }) | undefined {
  let family: Family | undefined;
  let maxElements: number | undefined;
  for (let index = 0; index < options.length; index += 2) {
    const option = options[index] as string;
    const value = options[index + 1];
    if (option === "family") family = value === "inet" ? 4 : value === "inet6" ? 6 : undefined;
    else if (option === "maxelem") maxElements = Number(value);
    else if (!HARMLESS_OPTIONS.has(option)) return undefined;
  }
  const known = SET_TYPES.find((each) => each === type);
  if (known === undefined || family === undefined || maxElements === undefined || !(maxElements > 0)) return undefined;
  return { name, type: known, family, maxElements, elements: new Set() };
}

/** It stands for something that is not ours, and equals none of our sets. */
function unreadableSet(name: string): IpSet & { elements: Set<string> } {
  return { name, type: "hash:ip", family: 4, maxElements: 0, elements: new Set() };
}

/** With the address as we write it, and the rest as it is. */
function canonicalElement(word: string): string {
  const [address = "", ...rest] = word.split(/(?=[/,])/);
  const block = writtenBlock(address);
  return block === undefined ? word : [formatAddress(block.family, block.first), ...rest].join("");
}
