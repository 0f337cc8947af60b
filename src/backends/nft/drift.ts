// What is not as it should be in the table that was found, in sentences for people. Says the same as `diffRulesets`:
// no sentence, no operation.

import { countElements, rulesDrift, shorten } from "../drift-words.ts";
import { sameDeclaration, sameHook } from "./compare.ts";
import type { FoundTable } from "./kernel-table.ts";
import { type Chain, formatVerdict, type NamedSet, type Ruleset, sameVerdict, type VerdictMap } from "./ruleset.ts";
import { hookText, ruleText } from "./text.ts";

/** One sentence for each object that differs. Cost: linear in both. */
export function describeDrift(found: FoundTable, desired: Ruleset): string[] {
  if (found.kind === "none") return [`table ${desired.table} is missing`];
  if (found.kind === "unreadable") return [`table ${desired.table} cannot be read: ${found.reason}`];
  const { ruleset, unknown } = found;
  return [
    ...unknown.map(({ where, json }) => `${where} is not ours: ${shorten(json)}`),
    ...counterDrift(ruleset, desired),
    ...namesDrift<NamedSet | VerdictMap>(({ kind }) => kind, ruleset.sets, desired.sets),
    ...[...desired.sets.values()].flatMap((set) => setDrift(ruleset.sets.get(set.name), set)),
    ...namesDrift<Chain>(() => "chain", ruleset.chains, desired.chains),
    ...[...desired.chains.values()].flatMap((chain) => chainDrift(ruleset.chains.get(chain.name), chain)),
  ];
}

function counterDrift(found: Ruleset, desired: Ruleset): string[] {
  return [
    ...[...desired.counters].filter((name) => !found.counters.has(name)).map((name) => `counter ${name} is missing`),
    ...[...found.counters].filter((name) => !desired.counters.has(name)).map((name) => `counter ${name} is not ours`),
  ];
}

function namesDrift<T extends { readonly name: string }>(
  kind: (object: T) => string,
  found: ReadonlyMap<string, T>,
  desired: ReadonlyMap<string, T>,
): string[] {
  const words = (object: T) => `${kind(object)} ${object.name}`;
  return [
    ...[...desired.values()].filter(({ name }) => !found.has(name)).map((object) => `${words(object)} is missing`),
    ...[...found.values()].filter(({ name }) => !desired.has(name)).map((object) => `${words(object)} is not ours`),
  ];
}

function setDrift(found: NamedSet | VerdictMap | undefined, desired: NamedSet | VerdictMap): string[] {
  if (found === undefined) return [];
  const name = `${desired.kind} ${desired.name}`;
  if (!sameDeclaration(found, desired)) return [`${name} is declared as something else`];
  const sentences: string[] = [];
  const has = (set: NamedSet | VerdictMap, key: string) => set.elements.has(key);
  const lacking = keysOf(desired).filter((key) => !has(found, key));
  const foreign = keysOf(found).filter((key) => !has(desired, key));
  if (lacking.length > 0) sentences.push(`${name} lacks ${countElements(lacking)}`);
  if (foreign.length > 0) sentences.push(`${name} has ${countElements(foreign)} too many`);
  if (found.kind === "map" && desired.kind === "map") {
    for (const [key, verdict] of desired.elements) {
      const other = found.elements.get(key);
      if (other !== undefined && !sameVerdict(other, verdict))
        sentences.push(`${name} has "${formatVerdict(other)}" for ${key}, not "${formatVerdict(verdict)}"`);
    }
  }
  if (sentences.length === 0 && found.size !== undefined && desired.elements.size > found.size)
    sentences.push(`${name} is declared too small`);
  return sentences;
}

function keysOf(set: NamedSet | VerdictMap): string[] {
  return [...(set.kind === "map" ? set.elements.keys() : set.elements)];
}

function chainDrift(found: Chain | undefined, desired: Chain): string[] {
  if (found === undefined) return [];
  const name = `chain ${desired.name}`;
  const sentences: string[] = [];
  if (!sameHook(found, desired)) sentences.push(`${name} is ${hookWords(found)}, not ${hookWords(desired)}`);
  sentences.push(...rulesDrift(name, found.rules.map(ruleText), desired.rules.map(ruleText)));
  return sentences;
}

function hookWords({ hook }: Chain): string {
  return hook === undefined ? "no base chain" : `"${hookText(hook)}"`;
}
