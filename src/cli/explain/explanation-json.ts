// `nftpol explain -o json`: the format is described in docs/cli.md.

import type { SourcePosition } from "../../model/diagnostic.ts";
import { type Flow, formatTraffic } from "../../model/flow.ts";
import { ANY, type Direction, type Policy, policyDisplayName, type Rule, TIER_NAMES } from "../../model/policy.ts";
import { reviewTiers, type TierReview } from "../../semantics/tier-review.ts";
import type { HalfVerdict, RuleMatch, RuleMiss, Verdict } from "../../semantics/verdict.ts";
import type { ClusterView } from "../../state/view.ts";
import type { Endpoint } from "../endpoint.ts";
import { jsonDocument } from "../json-output.ts";
import type { Explanation, NodeTrace } from "./explanation.ts";
import { nearestMiss } from "./match-words.ts";
import { ownPriority, peerWords, portWords } from "./rule-words.ts";

type Fields = Readonly<Record<string, unknown>>;

export function explanationJson(
  view: ClusterView,
  ends: { readonly from: Endpoint; readonly to: Endpoint },
  explanations: readonly Explanation[],
): string {
  return jsonDocument("Explanation", {
    from: ends.from.name,
    to: ends.to.name,
    verdict: word(explanations.every(({ verdict }) => verdict.allow)),
    flows: explanations.map(({ flow, family, verdict, throughService, traces, notes, disagrees }) => ({
      family: `IPv${family}`,
      source: flow.source,
      destination: flow.destination,
      traffic: formatTraffic(flow.traffic),
      verdict: word(verdict.allow),
      ...halvesJson(view, verdict, flow),
      ...(throughService === undefined
        ? {}
        : { throughService: halvesJson(view, throughService, { ...flow, throughService: true }) }),
      packets: traces.map(traceJson),
      rulesAgree: !disagrees,
      notes,
    })),
  });
}

function halvesJson(view: ClusterView, { egress, ingress }: Verdict, flow: Flow): Fields {
  return { egress: halfJson(view, "egress", egress, flow), ingress: halfJson(view, "ingress", ingress, flow) };
}

function word(allow: boolean): "allow" | "deny" {
  return allow ? "allow" : "deny";
}

function halfJson(view: ClusterView, direction: Direction, half: HalfVerdict, flow: Flow): Fields {
  const { reason } = half;
  const common = { verdict: word(half.allow), pod: half.subject ?? null, reason: reason.kind };
  const reviews = reviewTiers(view, direction, half, flow);
  const before = beforeJson(direction, reviews);
  switch (reason.kind) {
    case "not-a-pod":
      return common;
    case "not-isolated":
      return { ...common, ...before };
    case "never-blocked":
      return { ...common, because: reason.because, ...before };
    case "unknown-pod":
      return { ...common, node: reason.node, podCidr: reason.cidr.text };
    case "tier-rule": {
      const allows = reviews.flatMap(({ misses }) => misses).filter(({ rule }) => rule.action === "allow");
      return {
        ...common,
        tier: TIER_NAMES[reason.match.policy.tier],
        ...matchJson(direction, reason.match),
        ...before,
        samePriority: (reviews.at(-1)?.ties ?? []).map((tie) => matchJson(direction, tie)),
        ...(half.allow ? {} : { nearest: nearestJson(direction, allows) }),
      };
    }
    case "allowed":
      return { ...common, tier: TIER_NAMES.namespace, ...matchJson(direction, reason.match), ...before };
    case "isolated":
      return {
        ...common,
        tier: TIER_NAMES.namespace,
        policies: reason.policies.map((policy) => ({ ...policyJson(policy), ...positionJson(policy.position) })),
        ...before,
        misses: [...missesOf(reviews), ...reason.misses].map((miss) => missJson(direction, miss)),
        nearest: nearestJson(direction, reason.misses),
      };
  }
}

/** What ordered tiers did before the half was decided; nothing where none has rules for the pod. */
function beforeJson(direction: Direction, reviews: readonly TierReview[]): Fields {
  if (reviews.length === 0) return {};
  const passing = reviews.filter(({ match }) => match?.rule.action === "pass");
  return {
    passes: passing.map(({ match, later, ties }) => ({
      ...matchJson(direction, match as RuleMatch),
      skipped: later.map((each) => matchJson(direction, each)),
      samePriority: ties.map((each) => matchJson(direction, each)),
    })),
    misses: missesOf(reviews).map((miss) => missJson(direction, miss)),
  };
}

function missesOf(reviews: readonly TierReview[]): RuleMiss[] {
  return reviews.flatMap(({ misses }) => misses);
}

function matchJson(direction: Direction, { policy, rule, peer, port }: RuleMatch): Fields {
  const peers = rule.peers === ANY ? [] : rule.peers;
  const ports = rule.ports === ANY ? [] : rule.ports;
  const matchedPeer = peer === undefined ? undefined : peers[peer];
  const matchedPort = port === undefined ? undefined : ports[port];
  return {
    rule: ruleJson(direction, policy, rule),
    peer: matchedPeer === undefined ? null : { index: peer, text: peerWords(matchedPeer) },
    port: matchedPort === undefined ? null : { index: port, text: portWords(matchedPort) },
  };
}

function nearestJson(direction: Direction, misses: readonly RuleMiss[]): Fields | null {
  const nearest = nearestMiss(misses);
  return nearest === undefined ? null : missJson(direction, nearest);
}

function missJson(direction: Direction, { policy, rule, peerMatches, portMatches }: RuleMiss): Fields {
  return { ...ruleJson(direction, policy, rule), peerMatches, portMatches };
}

function ruleJson(direction: Direction, policy: Policy, rule: Rule): Fields {
  const name = rule.name === undefined ? {} : { name: rule.name };
  return {
    ...policyJson(policy),
    direction,
    index: rule.index,
    ...name,
    action: rule.action,
    ...positionJson(rule.position),
  };
}

function policyJson(policy: Policy): Fields {
  const common = { kind: policy.kind, policy: policyDisplayName(policy), tier: TIER_NAMES[policy.tier] };
  const priority = ownPriority(policy);
  return priority === undefined ? common : { ...common, priority };
}

function positionJson({ file, line, column }: SourcePosition): Fields {
  return { file, line: line ?? null, column: column ?? null };
}

function traceJson({ node, hook, language, trace }: NodeTrace): unknown {
  return {
    node,
    backend: language,
    hook,
    verdict: trace.verdict,
    byPolicy: trace.byPolicy,
    rules: trace.steps().map((step) => ({
      chain: step.chain,
      index: step.ruleIndex,
      rule: step.rule,
      element: step.element ?? null,
      verdict: step.verdict ?? null,
    })),
  };
}
