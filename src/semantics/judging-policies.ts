// Which policies have a say in what a pod sends or receives. Asks selectors only: what they say is the evaluator's business.

import { comparePolicies, type Direction, type Policy, TIERS } from "../model/policy.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import { queryMatches } from "./matching.ts";

/**
 * In the order in which they are asked: tier by tier, `comparePolicies` within a tier. A policy of an ordered tier has a say in the
 * directions in which it has rules (network-policy-api, "CNPs with no ingress rules do not affect ingress traffic").
 */
export function judgingPolicies(view: ClusterView, direction: Direction, subject: SelectablePod): Policy[] {
  const judging: Policy[] = [];
  for (const policy of view.policies())
    if (judges(policy, direction) && queryMatches(view, policy.subject, subject)) judging.push(policy);
  return judging.sort((a, b) => TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier) || comparePolicies(a, b));
}

function judges(policy: Policy, direction: Direction): boolean {
  return policy.tier === "namespace" ? policy.isolates[direction] : policy.rules[direction].length > 0;
}

/** Whether any policy can deny the pod anything in this direction: a NetworkPolicy isolates it, or a rule of another tier denies. */
export function isRestricted(view: ClusterView, direction: Direction, subject: SelectablePod): boolean {
  return judgingPolicies(view, direction, subject).some((policy) => canDeny(policy, direction));
}

export function canDeny(policy: Policy, direction: Direction): boolean {
  if (policy.tier === "namespace") return policy.isolates[direction];
  return policy.rules[direction].some(({ action }) => action === "deny");
}
