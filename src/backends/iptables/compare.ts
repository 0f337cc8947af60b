// Equality of chains: what the kernel holds alike is equal.

import type { Family } from "../../net/address.ts";
import type { Chain } from "./ruleset.ts";
import { ruleText } from "./text.ts";

/** Same rules with the same comments, in the same order. */
export function sameChain(a: Chain, b: Chain, family: Family): boolean {
  if (a === b) return true;
  if (a.rules.length !== b.rules.length) return false;
  return a.rules.every((rule, index) => {
    const other = b.rules[index];
    return rule === other || (other !== undefined && ruleText(rule, family) === ruleText(other, family));
  });
}
