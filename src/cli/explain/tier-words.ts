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
  const { match, misses, later, ties } = review;
  const title = `${TIER_NAMES[review.tier]} tier:`;
  const asked = missedLines(direction, misses, missed);
  if (match === undefined) return titled(`${title} no rule matches`, asked);
  const { policy, rule } = match;
  const skipped = rule.action === "pass" ? matchesLines(direction, later, missed) : [];
  return [
    `${title} ${DONE[rule.action]} by ${ruleTitle(direction, policy, rule)} (${placeWords(policy, rule)})`,
    ...[
      ...matchedLines(view, direction, match, flow),
      ...(rule.action === "pass" ? titled(later.length === 0 ? "skips no rule that matches" : "skips", skipped) : []),
      ...(ties.length === 0 ? [] : titled(SAME_PRIORITY, matchesLines(direction, ties, missed))),
      ...(asked.length === 0 ? [] : titled("asked before it, without a match", asked)),
    ].map(indent),
  ];
}

const SAME_PRIORITY = "same priority, another action (the API leaves the order open; asked by name, our choice)";

/** A colon behind the title, and the lines below it; the title alone where there are none. */
function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [title] : [`${title}:`, ...lines.map(indent)];
}

function indent(line: string): string {
  return `  ${line}`;
}

/** More rules at once hide the near ones. */
const MOST_RULES = 12;

function matchesLines(direction: Direction, matches: readonly RuleMatch[], missed: MissedRules): string[] {
  const shown = missed === "all" ? matches : matches.slice(0, MOST_RULES);
  const lines = shown.map(({ policy, rule }) => {
    return `${ruleTitle(direction, policy, rule)} (${placeWords(policy, rule)}): ${rule.action}`;
  });
  return [...lines, ...restLines(matches.length - shown.length)];
}

function restLines(count: number): string[] {
  return count === 0 ? [] : [`and ${countOf(count, "more rule")} (explain -o wide lists all)`];
}

function missedLines(direction: Direction, misses: readonly RuleMiss[], missed: MissedRules): string[] {
  if (missed === "none") return [];
  const shown = missed === "all" || misses.length <= MOST_RULES ? misses : misses.filter(isNear).slice(0, MOST_RULES);
  const lines: string[] = [];
  for (const policy of new Set(shown.map((miss) => miss.policy))) {
    lines.push(`${policyTitle(policy)} (${placeWords(policy, policy)})`);
    for (const miss of shown.filter((each) => each.policy === policy))
      lines.push(indent(`${rulePath(direction, miss.rule)} (${miss.rule.action}): ${missWords(miss)}`));
  }
  return [...lines, ...restLines(misses.length - shown.length)];
}

/** Half of it matches. */
function isNear({ peerMatches, portMatches }: RuleMiss): boolean {
  return peerMatches !== portMatches;
}
