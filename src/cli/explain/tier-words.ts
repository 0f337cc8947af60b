// What an ordered tier did with a flow, in lines: the rule that decided or passed on, what it skips, and what was asked before it.

import type { Flow } from "../../model/flow.ts";
import { type Direction, type RuleAction, rulePath, TIER_NAMES } from "../../model/policy.ts";
import type { TierReview } from "../../semantics/tier-review.ts";
import type { RuleMatch, RuleMiss } from "../../semantics/verdict.ts";
import type { ClusterView } from "../../state/view.ts";
import { countOf } from "../terminal-text.ts";
import { matchedLines, missWords } from "./match-words.ts";
import { placeWords, policyTitle, ruleTitle } from "./rule-words.ts";

/** `none`: not even which; `near`: as many as people read at once, the near ones first; `all`: every one. */
export type MissedRules = "none" | "near" | "all";

const DONE: Readonly<Record<RuleAction, string>> = { allow: "allowed", deny: "denied", pass: "passed on" };

/** `Admin tier: denied by ClusterNetworkPolicy lockdown egress[1] "no-internet" (priority 10, tiers.yaml:24)` and what belongs to it. */
export function tierLines(
  view: ClusterView,
  direction: Direction,
  review: TierReview,
  flow: Flow,
  missed: MissedRules,
): string[] {
  const { match, misses } = review;
  const title = `${TIER_NAMES[review.tier]} tier:`;
  const asked = missedLines(direction, misses, missed);
  if (match === undefined) {
    return [`${title} no rule matches${asked.length === 0 ? "" : ":"}`, ...asked.map(indent)];
  }
  const { policy, rule } = match;
  const lines = [
    `${title} ${DONE[rule.action]} by ${ruleTitle(direction, policy, rule)} (${placeWords(policy, rule)})`,
    ...matchedLines(view, direction, match, flow).map(indent),
  ];
  if (rule.action === "pass") lines.push(...skippedLines(direction, review.later).map(indent));
  lines.push(...tieLines(direction, review.ties).map(indent));
  if (asked.length > 0) lines.push("  asked before it, without a match:", ...asked.map(indent).map(indent));
  return lines;
}

function indent(line: string): string {
  return `  ${line}`;
}

function skippedLines(direction: Direction, later: readonly RuleMatch[]): string[] {
  if (later.length === 0) return ["skips no rule that matches"];
  return ["skips:", ...later.map((match) => indent(`${matchTitle(direction, match)}: ${match.rule.action}`))];
}

function tieLines(direction: Direction, ties: readonly RuleMatch[]): string[] {
  if (ties.length === 0) return [];
  return [
    "same priority, another action (the API leaves the order open; asked by name, our choice):",
    ...ties.map((match) => indent(`${matchTitle(direction, match)}: ${match.rule.action}`)),
  ];
}

function matchTitle(direction: Direction, { policy, rule }: RuleMatch): string {
  return `${ruleTitle(direction, policy, rule)} (${placeWords(policy, rule)})`;
}

/** More rules at once hide the near ones. */
const MOST_RULES = 12;

function missedLines(direction: Direction, misses: readonly RuleMiss[], missed: MissedRules): string[] {
  if (missed === "none") return [];
  const shown = missed === "all" || misses.length <= MOST_RULES ? misses : misses.filter(isNear).slice(0, MOST_RULES);
  const lines: string[] = [];
  for (const policy of new Set(shown.map((miss) => miss.policy))) {
    lines.push(`${policyTitle(policy)} (${placeWords(policy, policy)})`);
    for (const miss of shown.filter((each) => each.policy === policy))
      lines.push(indent(`${rulePath(direction, miss.rule)} (${miss.rule.action}): ${missWords(miss)}`));
  }
  const rest = misses.length - shown.length;
  if (rest > 0) lines.push(`and ${countOf(rest, "more rule")} (explain -o wide lists all)`);
  return lines;
}

/** Half of it matches. */
function isNear({ peerMatches, portMatches }: RuleMiss): boolean {
  return peerMatches !== portMatches;
}
