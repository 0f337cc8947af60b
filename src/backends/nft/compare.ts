// Equality of parts of rulesets: what the kernel holds alike is equal, however it was spelled.

import { type Chain, type NamedSet, type Rule, sameVerdict, type VerdictMap } from "./ruleset.ts";
import { ruleText } from "./text.ts";
import { dataType } from "./types.ts";

/** Both regular chains, or both at the same hook with the same priority. */
export function sameHook(a: Chain, b: Chain): boolean {
  return a.hook?.name === b.hook?.name && a.hook?.priority === b.hook?.priority;
}

/** Same hook, same rules with the same comments, in the same order. Chain comments are for people: nft 1.0.6 does not list them. */
export function sameChain(a: Chain, b: Chain): boolean {
  return (
    sameHook(a, b) &&
    a.rules.length === b.rules.length &&
    a.rules.every((rule, index) => sameRule(rule, b.rules[index] as Rule))
  );
}

function sameRule(a: Rule, b: Rule): boolean {
  return a === b || ruleText(a) === ruleText(b);
}

/** Same kind, key types and flags: elements of one can be added to the other. */
export function sameDeclaration(a: NamedSet | VerdictMap, b: NamedSet | VerdictMap): boolean {
  const types = (set: NamedSet | VerdictMap) => set.key.map(dataType).join(",");
  return a.kind === b.kind && a.interval === b.interval && types(a) === types(b);
}

export function sameElements(a: NamedSet | VerdictMap, b: NamedSet | VerdictMap): boolean {
  if (a.elements.size !== b.elements.size) return false;
  if (a.kind === "map") {
    for (const [key, verdict] of a.elements)
      if (b.kind !== "map" || !sameVerdict(verdict, b.elements.get(key))) return false;
    return true;
  }
  if (b.kind !== "set") return false;
  for (const element of a.elements) if (!b.elements.has(element)) return false;
  return true;
}
