// One half of a verdict in words: which policy and rule decided, or why none matched and which came nearest.

import type { Flow } from "../../model/flow.ts";
import { type Direction, type Policy, type PortMatch, policyDisplayName, type Rule } from "../../model/policy.ts";
import type { HalfVerdict, NeverBlocked, Reason, RuleMatch, RuleMiss } from "../../semantics/verdict.ts";
import type { ClusterView } from "../../state/view.ts";
import { peerMissWords, portMissWords } from "./miss-words.ts";
import { peerField, peersWords, peerWords, portsWords, portWords, positionWords } from "./rule-words.ts";

export interface HalfWordsOptions {
  /** Every rule of every isolating policy, not only the nearest. */
  readonly everyRule: boolean;
}

/** Lines without indentation for what follows the heading. */
export function explainHalf(
  view: ClusterView,
  direction: Direction,
  half: HalfVerdict,
  flow: Flow,
  options: HalfWordsOptions = { everyRule: true },
): string[] {
  const { reason } = half;
  switch (reason.kind) {
    case "not-a-pod":
      return [notAPodWords(view, direction, flow)];
    case "never-blocked":
      return [`never blocked: ${NEVER_BLOCKED_WORDS[reason.because]}`];
    case "unknown-pod":
      return [unknownPodWords(direction, reason, flow)];
    case "not-isolated":
      return [
        `not isolated: no policy with policyTypes ${typeName(direction)} selects the pod, so everything is allowed`,
      ];
    case "allowed":
      return matchLines(view, direction, reason.match, flow);
    case "isolated":
      return [
        ...isolationLines(direction, reason.policies, reason.misses, options),
        ...nearestLines(view, direction, reason.misses, flow),
      ];
  }
}

const NEVER_BLOCKED_WORDS: Readonly<Record<NeverBlocked, string>> = {
  "own-pod": "a pod and itself",
  "own-node": "a pod and the node on which it runs",
  "neighbour-discovery": "IPv6 neighbour discovery and multicast listener discovery",
  "dhcp-answer": "a DHCP answer to the pod",
};

function typeName(direction: Direction): string {
  return direction === "ingress" ? "Ingress" : "Egress";
}

function notAPodWords(view: ClusterView, direction: Direction, flow: Flow): string {
  const address = direction === "egress" ? flow.source : flow.destination;
  const node = view.nodeAt(address);
  const what = node === undefined ? "an address outside of the pods" : `the address of node ${node}`;
  return `not asked: ${address} is ${what}, no policy can select it`;
}

function unknownPodWords(
  direction: Direction,
  { node, cidr }: Extract<Reason, { kind: "unknown-pod" }>,
  flow: Flow,
): string {
  const address = direction === "egress" ? flow.source : flow.destination;
  return `closed: ${address} is in the pod CIDR ${cidr.text} of node ${node}, and no pod is known to have it (--unknown-local-pods=drop)`;
}

/** `shop/db ingress[1]`: as the rule is written in the policy. */
export function ruleName(direction: Direction, policy: Policy, rule: Rule): string {
  return `${policyDisplayName(policy)} ${direction}[${rule.index}]`;
}

function matchLines(
  view: ClusterView,
  direction: Direction,
  { policy, rule, peer, port }: RuleMatch,
  flow: Flow,
): string[] {
  const peers = rule.peers === "any" ? [] : rule.peers;
  const ports = rule.ports === "any" ? [] : rule.ports;
  const matchedPeer = peer === undefined ? undefined : peers[peer];
  const matchedPort = port === undefined ? undefined : ports[port];
  const field = peerField(direction);
  return [
    `by ${policy.kind} ${ruleName(direction, policy, rule)} (${positionWords(rule.position)})`,
    matchedPeer === undefined
      ? `  peer: everybody (no ${field})`
      : `  peer: ${field}[${peer}], ${peerWords(matchedPeer)}`,
    matchedPort === undefined
      ? "  port: every port (no ports)"
      : `  port: ports[${port}], ${matchedPortWords(view, matchedPort, flow)}`,
  ];
}

/** A name is nothing without its number: `http/TCP, which is 8080 on shop/api-0`. */
function matchedPortWords(view: ClusterView, port: PortMatch, { destination, traffic }: Flow): string {
  if (port.kind !== "named" || traffic.kind !== "ports") return portWords(port);
  return `${portWords(port)}, which is ${traffic.port} on ${view.ownerOf(destination)?.key ?? destination}`;
}

function isolationLines(
  direction: Direction,
  policies: readonly Policy[],
  misses: readonly RuleMiss[],
  { everyRule }: HalfWordsOptions,
): string[] {
  const lines = ["isolated, and no rule matches:"];
  for (const policy of policies) {
    const own = misses.filter((miss) => miss.policy === policy);
    const count = own.length === 0 ? `: no ${direction} rules` : "";
    lines.push(`  ${policy.kind} ${policyDisplayName(policy)} (${positionWords(policy.position)})${count}`);
    if (!everyRule) continue;
    for (const { rule, peerMatches, portMatches } of own) {
      const port = `port ${portMatches ? "yes" : "no"} (${portsWords(rule)})`;
      const peer = `peer ${peerMatches ? "yes" : "no"} (${peersWords(rule)})`;
      lines.push(`    ${direction}[${rule.index}]: ${port}; ${peer}`);
    }
  }
  return lines;
}

/** The rule with the fewest misses; a rule that admits nobody or no port at all is never near. */
export function nearestMiss(misses: readonly RuleMiss[]): RuleMiss | undefined {
  const distance = (miss: RuleMiss) => Number(!miss.peerMatches) + Number(!miss.portMatches);
  let best: RuleMiss | undefined;
  for (const miss of misses) {
    if (miss.rule.peers.length === 0 || miss.rule.ports.length === 0) continue;
    if (best === undefined || distance(miss) < distance(best)) best = miss;
  }
  return best;
}

function nearestLines(view: ClusterView, direction: Direction, misses: readonly RuleMiss[], flow: Flow): string[] {
  const nearest = nearestMiss(misses);
  if (nearest === undefined) return [];
  const { policy, rule, peerMatches, portMatches } = nearest;
  const title = `nearest allow: ${ruleName(direction, policy, rule)} (${positionWords(rule.position)})`;
  if (peerMatches) return [title, `  the peer matches, the port does not: ${portMissWords(view, rule, flow)}`];
  const peer = peerMissWords(view, direction, rule, flow);
  if (portMatches) return [title, `  the port matches, the peer does not: ${peer}`];
  return [title, "  neither matches:", `    peer: ${peer}`, `    port: ${portMissWords(view, rule, flow)}`];
}
