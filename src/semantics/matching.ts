// Whether a rule matches a flow: its peers and its ports, one question each. Knows no tiers and no verdicts.

import type { ContainerPort } from "../model/cluster.ts";
import { type Flow, PROTOCOL_NUMBER, protocolNumber, type Traffic } from "../model/flow.ts";
import { selectorMatches } from "../model/labels.ts";
import {
  ANY,
  addressBlocksOf,
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
import type { RuleMatch, RuleMiss } from "./verdict.ts";

/** The first rule of these policies, in the order given, that matches. */
export function firstMatch(
  view: ClusterView,
  direction: Direction,
  policies: readonly Policy[],
  flow: Flow,
): RuleMatch | undefined {
  for (const policy of policies) {
    for (const rule of policy.rules[direction]) {
      const match = matchRule(view, direction, policy, rule, flow);
      if (match !== undefined) return match;
    }
  }
  return undefined;
}

/** undefined: the rule does not match. */
export function matchRule(
  view: ClusterView,
  direction: Direction,
  policy: Policy,
  rule: Rule,
  flow: Flow,
): RuleMatch | undefined {
  const peer = matchingPeer(view, direction, rule, flow);
  if (peer === NO_MATCH) return undefined;
  const port = matchingPort(view, rule, flow);
  return port === NO_MATCH ? undefined : { policy, rule, peer, port };
}

/** How far a rule that does not match is from it. */
export function missOf(view: ClusterView, direction: Direction, policy: Policy, rule: Rule, flow: Flow): RuleMiss {
  return {
    policy,
    rule,
    peerMatches: matchingPeer(view, direction, rule, flow) !== NO_MATCH,
    portMatches: matchingPort(view, rule, flow) !== NO_MATCH,
  };
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

/** Whether the peer matches an address: a pod or a node by its labels, any address by CIDR. */
export function peerMatches(view: ClusterView, peer: Peer, address: Address): boolean {
  switch (peer.kind) {
    case "pods": {
      const pod = view.ownerOf(address);
      return pod !== undefined && queryMatches(view, peer.query, pod);
    }
    case "nodes":
      for (const { labels, addresses } of view.nodes())
        if (addresses.includes(address) && selectorMatches(peer.selector, labels)) return true;
      return false;
    case "ipBlock":
    case "networks":
      return blocksMatch(peer, address);
    case "domainNames":
      return false;
  }
}

function blocksMatch(peer: Peer, address: Address): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`not an address: ${address}`);
  const { family, value } = parsed;
  return addressBlocksOf(peer).some(
    ({ cidr, except }) =>
      cidrContains(cidr, family, value) && !except.some((hole) => cidrContains(hole, family, value)),
  );
}

/** Index of the first port that matches; undefined when the rule is for any port. */
function matchingPort(view: ClusterView, rule: Rule, flow: Flow): number | undefined | typeof NO_MATCH {
  if (rule.ports === ANY) return undefined;
  const index = rule.ports.findIndex((port) => portMatches(view, port, flow.destination, flow.traffic));
  return index < 0 ? NO_MATCH : index;
}

/** Whether the port matches; a named one is looked up on the destination pod and matches nothing elsewhere. */
export function portMatches(view: ClusterView, match: PortMatch, destination: Address, traffic: Traffic): boolean {
  if (traffic.kind !== "ports") return false;
  if (match.protocol !== ANY && protocolNumber(traffic) !== PROTOCOL_NUMBER[match.protocol]) return false;
  if (match.kind === "range") return match.first <= traffic.port && traffic.port <= match.last;
  const pod = view.ownerOf(destination);
  if (pod === undefined) return false;
  return resolveNamedPort(pod, match).some(
    ({ protocol, port }) => protocol === traffic.protocol && port === traffic.port,
  );
}

/**
 * What a port name means on a pod: every container port of that name and protocol.
 * The API allows two containers of one pod to use one name; then it means both (our choice, SEMANTICS is silent).
 */
export function resolveNamedPort(
  pod: SelectablePod,
  { name, protocol }: PortMatch & { kind: "named" },
): ContainerPort[] {
  return pod.pod.ports.filter((port) => port.name === name && (protocol === ANY || port.protocol === protocol));
}
