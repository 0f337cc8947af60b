// For `-o wide`: the policies that had no say in one half, each with the reason.

import { formatPosition } from "../../model/diagnostic.ts";
import type { Flow } from "../../model/flow.ts";
import { type Direction, type OrderedPolicy, type Policy, TIER_NAMES } from "../../model/policy.ts";
import { judgingPolicies } from "../../semantics/judging-policies.ts";
import { queryMatches } from "../../semantics/matching.ts";
import { reviewTiers, type TierReview } from "../../semantics/tier-review.ts";
import type { HalfVerdict, Reason } from "../../semantics/verdict.ts";
import type { ClusterView, SelectablePod } from "../../state/view.ts";
import { queryMissWords } from "./miss-words.ts";
import { policyTitle, queryWords } from "./rule-words.ts";

/** Lines under one title; none where every policy had a say. */
export function policiesWithoutSay(view: ClusterView, direction: Direction, half: HalfVerdict, flow: Flow): string[] {
  const subject = half.subject === undefined ? undefined : view.selectablePod(half.subject);
  if (subject === undefined) return [];
  const judging = new Set(judgingPolicies(view, direction, subject));
  const reviews = reviewTiers(view, direction, half, flow);
  const lines = [...view.policies()]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .flatMap((policy): string[] => {
      const why = judging.has(policy)
        ? notAskedWords(policy, half.reason, reviews)
        : unrelatedWords(view, direction, policy, subject);
      return why === undefined ? [] : [`  ${policyTitle(policy)} (${formatPosition(policy.position)}): ${why}`];
    });
  return lines.length === 0 ? [] : ["policies that have no say here:", ...lines];
}

function unrelatedWords(view: ClusterView, direction: Direction, policy: Policy, subject: SelectablePod): string {
  if (!queryMatches(view, policy.subject, subject)) {
    return `selects ${queryWords(policy.subject)}; ${queryMissWords(view, policy.subject, subject) ?? "not this pod"}`;
  }
  return `selects the pod, has no ${policy.tier === "namespace" ? `policyTypes for ${direction}` : `${direction} rules`}`;
}

/** For a policy with rules for the pod; undefined: it was asked. */
function notAskedWords(policy: Policy, reason: Reason, reviews: readonly TierReview[]): string | undefined {
  const decided = reason.kind === "tier-rule" ? reason.match.policy.tier : "namespace";
  const before = `selects the pod, not asked: the ${TIER_NAMES[decided]} tier decided`;
  if (policy.tier === "namespace") return decided === "admin" ? before : undefined;
  const review = reviews.find(({ tier }) => tier === policy.tier);
  if (review !== undefined) return isAsked(policy, review) ? undefined : earlierRuleWords(review);
  return reason.kind === "never-blocked" ? "selects the pod, not asked: this is never blocked" : before;
}

function isAsked(policy: OrderedPolicy, { misses, match }: TierReview): boolean {
  return match === undefined || match.policy === policy || misses.some((miss) => miss.policy === policy);
}

function earlierRuleWords({ tier, match }: TierReview): string {
  const done = match?.rule.action === "pass" ? "passed it on" : "decided";
  return `selects the pod, not asked: an earlier rule of the ${TIER_NAMES[tier]} tier ${done}`;
}
