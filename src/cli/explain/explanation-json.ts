// `nftpol explain -o json`: the format is described in docs/cli.md.

import { formatVerdict } from "../../backends/nft/ruleset.ts";
import { ruleText } from "../../backends/nft/text.ts";
import type { SourcePosition } from "../../model/diagnostic.ts";
import { formatTraffic } from "../../model/flow.ts";
import { ANY, type Direction, type Policy, policyDisplayName, type Rule } from "../../model/policy.ts";
import type { HalfVerdict, RuleMiss } from "../../semantics/verdict.ts";
import type { Endpoint } from "../endpoint.ts";
import { jsonDocument } from "../json-output.ts";
import type { Explanation, NodeTrace } from "./explanation.ts";
import { nearestMiss } from "./half-words.ts";
import { peerWords, portWords } from "./rule-words.ts";

export function explanationJson(
  ends: { readonly from: Endpoint; readonly to: Endpoint },
  explanations: readonly Explanation[],
): string {
  return jsonDocument("Explanation", {
    from: ends.from.name,
    to: ends.to.name,
    verdict: word(explanations.every(({ verdict }) => verdict.allow)),
    flows: explanations.map(({ flow, family, verdict, traces, notes, disagrees }) => ({
      family: `IPv${family}`,
      source: flow.source,
      destination: flow.destination,
      traffic: formatTraffic(flow.traffic),
      verdict: word(verdict.allow),
      egress: halfJson("egress", verdict.egress),
      ingress: halfJson("ingress", verdict.ingress),
      packets: traces.map(traceJson),
      rulesAgree: !disagrees,
      notes,
    })),
  });
}

function word(allow: boolean): "allow" | "deny" {
  return allow ? "allow" : "deny";
}

function halfJson(direction: Direction, half: HalfVerdict): unknown {
  const { reason } = half;
  const common = { verdict: word(half.allow), pod: half.subject ?? null, reason: reason.kind };
  switch (reason.kind) {
    case "not-a-pod":
    case "not-isolated":
      return common;
    case "never-blocked":
      return { ...common, because: reason.because };
    case "unknown-pod":
      return { ...common, node: reason.node, podCidr: reason.cidr.text };
    case "allowed": {
      const { policy, rule, peer, port } = reason.match;
      const peers = rule.peers === ANY ? [] : rule.peers;
      const ports = rule.ports === ANY ? [] : rule.ports;
      const matchedPeer = peer === undefined ? undefined : peers[peer];
      const matchedPort = port === undefined ? undefined : ports[port];
      return {
        ...common,
        rule: ruleJson(direction, policy, rule),
        peer: matchedPeer === undefined ? null : { index: peer, text: peerWords(matchedPeer) },
        port: matchedPort === undefined ? null : { index: port, text: portWords(matchedPort) },
      };
    }
    case "isolated": {
      const nearest = nearestMiss(reason.misses);
      return {
        ...common,
        policies: reason.policies.map((policy) => ({ ...policyJson(policy), ...positionJson(policy.position) })),
        misses: reason.misses.map((miss) => missJson(direction, miss)),
        nearest: nearest === undefined ? null : missJson(direction, nearest),
      };
    }
  }
}

function missJson(direction: Direction, { policy, rule, peerMatches, portMatches }: RuleMiss): unknown {
  return { ...ruleJson(direction, policy, rule), peerMatches, portMatches };
}

function ruleJson(direction: Direction, policy: Policy, rule: Rule): Readonly<Record<string, unknown>> {
  return { ...policyJson(policy), direction, index: rule.index, ...positionJson(rule.position) };
}

function policyJson(policy: Policy): Readonly<Record<string, unknown>> {
  return { kind: policy.kind, policy: policyDisplayName(policy) };
}

function positionJson({ file, line, column }: SourcePosition): Readonly<Record<string, unknown>> {
  return { file, line: line ?? null, column: column ?? null };
}

function traceJson({ node, hook, trace }: NodeTrace): unknown {
  return {
    node,
    hook,
    verdict: trace.verdict,
    byPolicy: trace.byPolicy,
    rules: trace.steps.map((step) => ({
      chain: step.chain,
      index: step.ruleIndex,
      rule: ruleText(step.rule),
      element: step.element ?? null,
      verdict: step.verdict === undefined ? null : formatVerdict(step.verdict),
    })),
  };
}
