// The reference evaluator: SEMANTICS.md, as directly as possible. Small, obvious, slow is fine.
// Everything that is compiled is checked against it; it shares no code with the rule graph but the model's types.

import type { Flow } from "../model/flow.ts";
import { type Direction, type Policy, TIERS } from "../model/policy.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import { judgeUnknown } from "./judge-unknown.ts";
import { judgingPolicies } from "./judging-policies.ts";
import { firstMatch, missOf } from "./matching.ts";
import { neverBlocked, neverBlockedByNetworkPolicy } from "./never-blocked.ts";
import type { HalfVerdict, Reason, RuleMatch, Verdict } from "./verdict.ts";

export interface EvaluateOptions {
  /** Whether NetworkPolicy judges traffic from a pod to its own node. Upstream: never ("allow"). Other tiers always do. */
  readonly podToOwnNode: "allow" | "enforce";
  /** Strict start: whether nodes close ("drop") the addresses in their pod CIDRs that no known pod has. */
  readonly unknownLocalPods: "allow" | "drop";
}

export const DEFAULT_EVALUATE_OPTIONS: EvaluateOptions = { podToOwnNode: "allow", unknownLocalPods: "allow" };

/** The verdict on the first packet of a flow, both halves with their reasons. Cost: linear in policies and their rules. */
export function evaluate(view: ClusterView, flow: Flow, options = DEFAULT_EVALUATE_OPTIONS): Verdict {
  const source = view.ownerOf(flow.source);
  const destination = view.ownerOf(flow.destination);
  const judgeUnowned = options.unknownLocalPods === "drop" ? judgeUnknown : notAsked;
  const egress =
    source === undefined ? judgeUnowned(view, "egress", flow) : judge(view, "egress", source, flow, options);
  const ingress =
    destination === undefined
      ? judgeUnowned(view, "ingress", flow)
      : judge(view, "ingress", destination, flow, options);
  return { allow: egress.allow && ingress.allow, egress, ingress };
}

function notAsked(): HalfVerdict {
  return { allow: true, subject: undefined, reason: { kind: "not-a-pod" }, passes: [] };
}

/** Tier by tier; the first that decides has decided; nothing decides: allowed. */
function judge(
  view: ClusterView,
  direction: Direction,
  subject: SelectablePod,
  flow: Flow,
  options: EvaluateOptions,
): HalfVerdict {
  const passes: RuleMatch[] = [];
  const verdict = (reason: Reason): HalfVerdict => ({ allow: allows(reason), subject: subject.key, reason, passes });
  const always = neverBlocked(view, direction, subject, flow);
  if (always !== undefined) return verdict({ kind: "never-blocked", because: always });
  const exemption = neverBlockedByNetworkPolicy(view, direction, subject, flow, options);
  const exempt: Reason | undefined = exemption && { kind: "never-blocked", because: exemption };
  const judging = judgingPolicies(view, direction, subject);
  for (const tier of TIERS) {
    const policies = judging.filter((policy) => policy.tier === tier);
    if (policies.length === 0) continue;
    // NetworkPolicy makes a final decision for the pods that it isolates, also about what it never blocks.
    if (tier === "namespace") return verdict(exempt ?? judgeIsolated(view, direction, policies, flow));
    const match = firstMatch(view, direction, policies, flow);
    if (match === undefined) continue;
    if (match.rule.action !== "pass") return verdict({ kind: "tier-rule", match });
    passes.push(match);
  }
  return verdict(exempt ?? { kind: "not-isolated" });
}

function judgeIsolated(view: ClusterView, direction: Direction, isolating: readonly Policy[], flow: Flow): Reason {
  const match = firstMatch(view, direction, isolating, flow);
  if (match !== undefined) return { kind: "allowed", match };
  const misses = isolating.flatMap((policy) =>
    policy.rules[direction].map((rule) => missOf(view, direction, policy, rule, flow)),
  );
  return { kind: "isolated", policies: isolating, misses };
}

function allows(reason: Reason): boolean {
  return reason.kind === "tier-rule" ? reason.match.rule.action === "allow" : reason.kind !== "isolated";
}
