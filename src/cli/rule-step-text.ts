// A rule that a packet met, on one line for people.

import type { RuleStep } from "../backends/node-rules.ts";
import { printable } from "./terminal-text.ts";

/** The rule, with the element of its map that the packet found: `ip daddr vmap @ingress4  # 10.0.0.1 : jump ingress4_…`. */
export function ruleStepText({ rule, element, verdict }: RuleStep): string {
  return printable(element === undefined || verdict === undefined ? rule : `${rule}  # ${element} : ${verdict}`);
}
