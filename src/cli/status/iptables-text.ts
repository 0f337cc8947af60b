// What the kernel holds of our rules in one variant of iptables, in words. Pure. Whether they are what policies say is prove's.

import type { OursInVariant } from "../../backends/iptables/io/find-ours.ts";
import { FORWARD_CHAIN, isolatedSet, PREFIX } from "../../backends/iptables/names.ts";
import type { FoundRules } from "../../backends/iptables/read-back.ts";
import { chainOfRule, isBuiltIn, setsOfRule } from "../../backends/iptables/ruleset.ts";
import { splitName } from "../../backends/iptables/set-tags.ts";
import { FAMILIES, type Family } from "../../net/address.ts";
import { countOf } from "../terminal-text.ts";
import { foreignText } from "./kernel-text.ts";

/** Lines, the first of which says whether anything is enforced. */
export function describeIptables(
  { variant, families, found }: Pick<OursInVariant, "variant" | "families" | "found">,
  whose: string,
): readonly string[] {
  const where = `iptables (variant ${variant})`;
  const foreign = foreignText(found.unknown.map(({ where: place, text }) => `${place} ${text}`));
  const enforced = families.filter((family) => leadsOn(found, family));
  if (enforced.length === 0)
    return [`chains ${PREFIX}… are in ${where}, but no packet is led to their rules: nothing is enforced`, ...foreign];
  const isWhole = enforced.length === FAMILIES.length;
  const state = foreign.length === 0 ? " and go on being enforced" : ", changed by others";
  const size = `${countOf(ruleCount(found), "rule")}, for ${countOf(podAddresses(found), "pod address", "pod addresses")}`;
  return [
    `the rules of ${whose} are in ${where}${state}: ${size}${isWhole ? "" : `; of IPv${enforced[0]} alone`}`,
    "nftpol prove --live compares them with policies",
    ...enforced.flatMap((family) => rulesBefore(found, family)),
    ...foreign,
  ];
}

/** Whether the chain through which all traffic of pods comes is reached, and sends any of it on by its address. */
function leadsOn({ ruleset, jumps }: FoundRules, family: Family): boolean {
  const isReached = jumps[family].some(({ chain, rule }) => chain === "FORWARD" && chainOfRule(rule) === FORWARD_CHAIN);
  const rules = ruleset.chains[family].get(FORWARD_CHAIN)?.rules ?? [];
  return isReached && rules.some((rule) => setsOfRule(rule).length > 0 && chainOfRule(rule) !== undefined);
}

function rulesBefore({ jumps }: FoundRules, family: Family): string[] {
  const positions = jumps[family].filter(({ chain }) => chain === "FORWARD").map(({ position }) => position);
  const first = Math.min(...positions);
  if (first === 0) return [];
  return [`before them ${countOf(first, "rule")} of FORWARD of IPv${family} may let pass what they would drop`];
}

function ruleCount({ ruleset: { chains } }: FoundRules): number {
  const own = FAMILIES.flatMap((family) => [...chains[family].values()]).filter(({ name }) => !isBuiltIn(name));
  return own.reduce((sum, { rules }) => sum + rules.length, 0);
}

function podAddresses({ ruleset }: FoundRules): number {
  const names = FAMILIES.map(isolatedSet);
  const sets = [...ruleset.sets.values()].filter(({ name }) => names.includes(splitName(name).name));
  return sets.reduce((sum, { elements }) => sum + elements.size, 0);
}
