// What is not as it should be in what was found, in sentences for people. Says the same as `differenceTo`: no sentence, no stage.

import { FAMILIES, type Family } from "../../net/address.ts";
import { type FoundRules, isNothing } from "./read-back.ts";
import { type Chain, type IpSet, type IptablesRuleset, isBuiltIn } from "./ruleset.ts";
import { splitName } from "./set-tags.ts";
import { ruleText } from "./text.ts";

/** One sentence for each object that differs; `desired` with the names that its sets have in the kernel. Cost: linear in both. */
export function describeDrift(found: FoundRules, desired: IptablesRuleset): string[] {
  if (isNothing(found) && found.unknown.length === 0) return ["our chains and sets are missing"];
  return [
    ...found.unknown.map(({ where, text }) => `${where} is not ours: ${shorten(text)}`),
    ...setsDrift(found.ruleset.sets, desired.sets),
    ...FAMILIES.flatMap((family) => [
      ...chainsDrift(family, found.ruleset.chains[family], desired.chains[family]),
      ...jumpsDrift(family, found, desired.chains[family]),
    ]),
  ];
}

function setsDrift(found: ReadonlyMap<string, IpSet>, desired: ReadonlyMap<string, IpSet>): string[] {
  const sentences: string[] = [];
  for (const set of desired.values()) {
    const existing = found.get(set.name);
    if (existing === undefined) sentences.push(`set ${set.name} is missing`);
    else if (existing.type !== set.type || existing.family !== set.family)
      sentences.push(`set ${set.name} is declared as something else`);
    else sentences.push(...elementsDrift(existing, set));
  }
  for (const name of found.keys()) {
    if (desired.has(name)) continue;
    const isLeftOver = [...desired.keys()].some((other) => splitName(other).name === splitName(name).name);
    sentences.push(isLeftOver ? `set ${name} is left over` : `set ${name} is not ours`);
  }
  return sentences;
}

function elementsDrift(found: IpSet, desired: IpSet): string[] {
  const lacking = [...desired.elements].filter((element) => !found.elements.has(element));
  const foreign = [...found.elements].filter((element) => !desired.elements.has(element));
  return [
    ...(lacking.length > 0 ? [`set ${desired.name} lacks ${count(lacking)}`] : []),
    ...(foreign.length > 0 ? [`set ${desired.name} has ${count(foreign)} too many`] : []),
  ];
}

const SHOWN_ELEMENTS = 3;

function count(elements: readonly string[]): string {
  const shown = elements.slice(0, SHOWN_ELEMENTS).join(", ");
  const rest = elements.length - SHOWN_ELEMENTS;
  const noun = elements.length === 1 ? "element" : "elements";
  return `${elements.length} ${noun} (${shown}${rest > 0 ? ` and ${rest} more` : ""})`;
}

function chainsDrift(family: Family, found: ReadonlyMap<string, Chain>, desired: ReadonlyMap<string, Chain>): string[] {
  const own = (chains: ReadonlyMap<string, Chain>) => [...chains.values()].filter(({ name }) => !isBuiltIn(name));
  return [
    ...own(desired).flatMap((chain) => chainDrift(family, found.get(chain.name), chain)),
    ...own(found).flatMap(({ name }) => (desired.has(name) ? [] : [`chain ${name} of IPv${family} is not ours`])),
  ];
}

function chainDrift(family: Family, found: Chain | undefined, desired: Chain): string[] {
  const name = `chain ${desired.name} of IPv${family}`;
  if (found === undefined) return [`${name} is missing`];
  const wanted = desired.rules.map((rule) => ruleText(rule, family));
  const present = found.rules.map((rule) => ruleText(rule, family));
  const lacking = without(wanted, present);
  const foreign = without(present, wanted);
  const sentences = [
    ...lacking.map((rule) => `${name} lacks the rule: ${shorten(rule)}`),
    ...foreign.map((rule) => `${name} has a rule too many: ${shorten(rule)}`),
  ];
  if (sentences.length === 0 && wanted.some((rule, index) => rule !== present[index]))
    sentences.push(`${name} has its rules in another order`);
  return sentences;
}

function jumpsDrift(family: Family, { jumps }: FoundRules, desired: ReadonlyMap<string, Chain>): string[] {
  const sentences: string[] = [];
  const wanted = [...desired.values()].filter(({ name }) => isBuiltIn(name));
  for (const { name, rules } of wanted) {
    const text = rules.map((rule) => ruleText(rule, family)).join();
    const own = jumps[family].filter((jump) => jump.chain === name);
    const positions = own.filter(({ rule }) => ruleText(rule, family) === text).map(({ position }) => position);
    if (positions.length === 0) sentences.push(`chain ${name} of IPv${family} lacks our jump`);
    else if (positions[0] !== 0)
      sentences.push(
        `our jump is rule ${(positions[0] as number) + 1} of chain ${name} of IPv${family}, not the first`,
      );
    if (own.length > 1) sentences.push(`chain ${name} of IPv${family} jumps to us ${own.length} times`);
  }
  for (const { chain } of jumps[family])
    if (!desired.has(chain)) sentences.push(`chain ${chain} of IPv${family} jumps to us, and should not`);
  return sentences;
}

/** Elements of the first list that the second does not have, as often as they are missing. */
function without(list: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const other of others) left.set(other, (left.get(other) ?? 0) + 1);
  return list.filter((each) => {
    const times = left.get(each) ?? 0;
    left.set(each, times - 1);
    return times <= 0;
  });
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
