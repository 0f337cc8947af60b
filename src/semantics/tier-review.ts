// An ordered tier once more, rule by rule, for people who ask why: what was asked before the rule that decided, and what would have
// matched after it. Owns no verdicts: those are the evaluator's.

import type { Flow } from "../model/flow.ts";
import type { Direction, OrderedPolicy, OrderedTier, Policy } from "../model/policy.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import { judgingPolicies } from "./judging-policies.ts";
import { firstMatch, matchRule, missOf } from "./matching.ts";
import { neverBlocked } from "./never-blocked.ts";
import type { HalfVerdict, RuleMatch, RuleMiss } from "./verdict.ts";

export interface TierReview {
  readonly tier: OrderedTier;
  /** The rules that were asked and do not match, in the order in which they were asked. */
  readonly misses: readonly RuleMiss[];
  /** The first rule that matches; undefined: the tier leaves it to the next one. */
  readonly match: RuleMatch | undefined;
  /** The rules behind it that match too, in order: what a Pass skips. */
  readonly later: readonly RuleMatch[];
  /**
   * Where policies have the priority of the one that matches: the first rule of each that matches by itself and does something else.
   * The API leaves open which of them decides (network-policy-api, ClusterNetworkPolicySpec "priority").
   */
  readonly ties: readonly RuleMatch[];
}

/** The tiers with rules for the pod that were asked for this half, in their order. The last may be the one that decided. */
export function reviewTiers(view: ClusterView, direction: Direction, half: HalfVerdict, flow: Flow): TierReview[] {
  const subject = half.subject === undefined ? undefined : view.selectablePod(half.subject);
  if (subject === undefined || neverBlocked(view, direction, subject, flow) !== undefined) return [];
  return tiersAsked(view, direction, half, subject).flatMap(
    (tier) => reviewTier(view, tier, direction, subject, flow) ?? [],
  );
}

/** Behind the tier that decided nothing was asked, and behind NetworkPolicies that isolate the pod neither. */
function tiersAsked(
  view: ClusterView,
  direction: Direction,
  { reason }: HalfVerdict,
  subject: SelectablePod,
): readonly OrderedTier[] {
  if (reason.kind === "tier-rule" && reason.match.policy.tier === "admin") return ["admin"];
  const isIsolated = judgingPolicies(view, direction, subject).some(({ tier }) => tier === "namespace");
  return isIsolated ? ["admin"] : ["admin", "baseline"];
}

/** undefined: no policy of the tier has a rule for the pod in this direction. Cost: every rule of the tier asked once or twice. */
export function reviewTier(
  view: ClusterView,
  tier: OrderedTier,
  direction: Direction,
  subject: SelectablePod,
  flow: Flow,
): TierReview | undefined {
  const policies = judgingPolicies(view, direction, subject).filter(isOfTier(tier));
  if (policies.length === 0) return undefined;
  const misses: RuleMiss[] = [];
  const matches: RuleMatch[] = [];
  for (const policy of policies) {
    for (const rule of policy.rules[direction]) {
      const match = matchRule(view, direction, policy, rule, flow);
      if (match !== undefined) matches.push(match);
      else if (matches.length === 0) misses.push(missOf(view, direction, policy, rule, flow));
    }
  }
  const [match, ...later] = matches;
  const ties = match === undefined ? [] : tiesWith(view, direction, match, policies, flow);
  return { tier, misses, match, later, ties };
}

function isOfTier(tier: OrderedTier): (policy: Policy) => policy is OrderedPolicy {
  return (policy): policy is OrderedPolicy => policy.tier === tier;
}

function tiesWith(
  view: ClusterView,
  direction: Direction,
  match: RuleMatch,
  policies: readonly OrderedPolicy[],
  flow: Flow,
): RuleMatch[] {
  const first = policies.find(({ key }) => key === match.policy.key);
  const equals = policies.filter((policy) => policy !== first && policy.priority === first?.priority);
  return equals
    .flatMap((policy) => firstMatch(view, direction, [policy], flow) ?? [])
    .filter(({ rule }) => rule.action !== match.rule.action);
}
