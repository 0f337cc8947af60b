// What is not as it should be in what was found, in sentences for people. Says the same as `differenceTo`: no sentence, no stage.

import { FAMILIES, type Family } from "../../net/address.ts";
import { countElements, rulesDrift, shorten } from "../drift-words.ts";
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
    ...(lacking.length > 0 ? [`set ${desired.name} lacks ${countElements(lacking)}`] : []),
    ...(foreign.length > 0 ? [`set ${desired.name} has ${countElements(foreign)} too many`] : []),
  ];
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
  const texts = ({ rules }: Chain) => rules.map((rule) => ruleText(rule, family));
  return rulesDrift(name, texts(found), texts(desired));
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
