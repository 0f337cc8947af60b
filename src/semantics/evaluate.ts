// The reference evaluator: SEMANTICS.md, as directly as possible. Small, obvious, slow is fine.
// Everything that is compiled is checked against this file; it shares no code with the rule graph but the model's types.

import { type Flow, PROTOCOL_NUMBER, protocolNumber, type Traffic } from "../model/flow.ts";
import { selectorMatches } from "../model/labels.ts";
import {
  ANY,
  type Direction,
  type Peer,
  type PodQuery,
  type Policy,
  type PortMatch,
  type Rule,
} from "../model/policy.ts";
import { type Address, parseAddress } from "../net/address.ts";
import { cidrContains } from "../net/cidr.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import { judgeUnknown } from "./judge-unknown.ts";
import { isOwnNode, keepsAddressesWorking } from "./never-blocked.ts";
import type { HalfVerdict, NeverBlocked, Reason, RuleMatch, RuleMiss, Verdict } from "./verdict.ts";

export interface EvaluateOptions {
  /** Whether NetworkPolicy judges traffic from a pod to its own node. Upstream: never ("allow"). */
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
  return { allow: true, subject: undefined, reason: { kind: "not-a-pod" } };
}

function judge(
  view: ClusterView,
  direction: Direction,
  subject: SelectablePod,
  flow: Flow,
  options: EvaluateOptions,
): HalfVerdict {
  const exemption = neverBlocked(view, direction, subject, flow, options);
  if (exemption !== undefined) return half(subject, true, { kind: "never-blocked", because: exemption });
  const isolating = isolatingPolicies(view, direction, subject);
  if (isolating.length === 0) return half(subject, true, { kind: "not-isolated" });
  const match = firstMatch(view, direction, isolating, flow);
  if (match !== undefined) return half(subject, true, { kind: "allowed", match });
  const misses = isolating.flatMap((policy) =>
    policy.rules[direction].map((rule) => miss(view, direction, policy, rule, flow)),
  );
  return half(subject, false, { kind: "isolated", policies: isolating, misses });
}

function half(subject: SelectablePod, allow: boolean, reason: Reason): HalfVerdict {
  return { allow, subject: subject.key, reason };
}

function neverBlocked(
  view: ClusterView,
  direction: Direction,
  subject: SelectablePod,
  flow: Flow,
  options: EvaluateOptions,
): NeverBlocked | undefined {
  const other = direction === "egress" ? flow.destination : flow.source;
  if (view.ownerOf(other)?.key === subject.key) return "own-pod";
  const judgesOwnNode = direction === "egress" && options.podToOwnNode === "enforce";
  if (!judgesOwnNode && isOwnNode(view, subject, other)) return "own-node";
  return keepsAddressesWorking(direction, flow);
}

/** The policies that isolate the pod in this direction, by key. */
export function isolatingPolicies(view: ClusterView, direction: Direction, subject: SelectablePod): Policy[] {
  const policies = [];
  for (const policy of view.policies()) {
    if (policy.isolates[direction] && queryMatches(view, policy.subject, subject)) policies.push(policy);
  }
  return policies.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Whether the query selects the pod: its namespace matches and its labels match. */
export function queryMatches(view: ClusterView, query: PodQuery, pod: SelectablePod): boolean {
  const { namespace, labels } = pod.pod;
  const namespaceMatches =
    query.namespaces.kind === "name"
      ? query.namespaces.name === namespace
      : selectorMatches(query.namespaces.selector, view.namespaceLabels(namespace));
  return namespaceMatches && selectorMatches(query.pods, labels);
}

function firstMatch(
  view: ClusterView,
  direction: Direction,
  policies: readonly Policy[],
  flow: Flow,
): RuleMatch | undefined {
  for (const policy of policies) {
    for (const rule of policy.rules[direction]) {
      const peer = matchingPeer(view, direction, rule, flow);
      const port = matchingPort(view, rule, flow);
      if (peer !== NO_MATCH && port !== NO_MATCH) return { policy, rule, peer, port };
    }
  }
  return undefined;
}

function miss(view: ClusterView, direction: Direction, policy: Policy, rule: Rule, flow: Flow): RuleMiss {
  return {
    policy,
    rule,
    peerMatches: matchingPeer(view, direction, rule, flow) !== NO_MATCH,
    portMatches: matchingPort(view, rule, flow) !== NO_MATCH,
  };
}

const NO_MATCH = "no match";

/** Index of the first peer that matches; undefined when the rule is for any peer. */
function matchingPeer(
  view: ClusterView,
  direction: Direction,
  rule: Rule,
  flow: Flow,
): number | undefined | typeof NO_MATCH {
  if (rule.peers === ANY) return undefined;
  const other = direction === "egress" ? flow.destination : flow.source;
  const index = rule.peers.findIndex((peer) => peerMatches(view, peer, other));
  return index < 0 ? NO_MATCH : index;
}

/** Whether the peer matches an address: a pod by its labels, any address by CIDR. */
export function peerMatches(view: ClusterView, peer: Peer, address: Address): boolean {
  if (peer.kind === "pods") {
    const pod = view.ownerOf(address);
    return pod !== undefined && queryMatches(view, peer.query, pod);
  }
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`not an address: ${address}`);
  if (!cidrContains(peer.cidr, parsed.family, parsed.value)) return false;
  return !peer.except.some((hole) => cidrContains(hole, parsed.family, parsed.value));
}

/** Index of the first port that matches; undefined when the rule is for any port. */
function matchingPort(view: ClusterView, rule: Rule, flow: Flow): number | undefined | typeof NO_MATCH {
  if (rule.ports === ANY) return undefined;
  const index = rule.ports.findIndex((port) => portMatches(view, port, flow.destination, flow.traffic));
  return index < 0 ? NO_MATCH : index;
}

/** Whether the port matches; a named one is looked up on the destination pod and matches nothing elsewhere. */
export function portMatches(view: ClusterView, match: PortMatch, destination: Address, traffic: Traffic): boolean {
  if (traffic.kind !== "ports" || protocolNumber(traffic) !== PROTOCOL_NUMBER[match.protocol]) return false;
  if (match.kind === "range") return match.first <= traffic.port && traffic.port <= match.last;
  const pod = view.ownerOf(destination);
  return pod !== undefined && resolveNamedPort(pod, match).includes(traffic.port);
}

/**
 * Numbers that a port name means on a pod: every container port of that name and protocol.
 * The API allows two containers of one pod to use one name; then it means both (our choice, SEMANTICS is silent).
 */
export function resolveNamedPort(pod: SelectablePod, match: PortMatch & { kind: "named" }): number[] {
  return pod.pod.ports
    .filter((port) => port.name === match.name && port.protocol === match.protocol)
    .map((port) => port.port);
}
