// What of a rule matches a flow, and how far the nearest rule is from it. Lines of both.

import { formatPosition } from "../../model/diagnostic.ts";
import type { Flow } from "../../model/flow.ts";
import { ANY, type Direction, type PortMatch } from "../../model/policy.ts";
import type { RuleMatch, RuleMiss } from "../../semantics/verdict.ts";
import type { ClusterView } from "../../state/view.ts";
import { peerMissWords, portMissWords } from "./miss-words.ts";
import { peerField, peersWords, peerWords, portField, portsWords, portWords, ruleName } from "./rule-words.ts";

/** Its peer and its port. */
export function matchedLines(
  view: ClusterView,
  direction: Direction,
  { policy, rule, peer, port }: RuleMatch,
  flow: Flow,
): string[] {
  const peers = rule.peers === ANY ? [] : rule.peers;
  const ports = rule.ports === ANY ? [] : rule.ports;
  const matchedPeer = peer === undefined ? undefined : peers[peer];
  const matchedPort = port === undefined ? undefined : ports[port];
  const field = peerField(direction);
  const portList = portField(policy);
  return [
    matchedPeer === undefined ? `peer: everybody (no ${field})` : `peer: ${field}[${peer}], ${peerWords(matchedPeer)}`,
    matchedPort === undefined
      ? `port: every port (no ${portList})`
      : `port: ${portList}[${port}], ${matchedPortWords(view, matchedPort, flow)}`,
  ];
}

/** A name is nothing without its number: `http/TCP, which is 8080 on shop/api-0`. */
function matchedPortWords(view: ClusterView, port: PortMatch, { destination, traffic }: Flow): string {
  if (port.kind !== "named" || traffic.kind !== "ports") return portWords(port);
  const number = port.protocol === ANY ? `${traffic.port}/${traffic.protocol}` : `${traffic.port}`;
  return `${portWords(port)}, which is ${number} on ${view.ownerOf(destination)?.key ?? destination}`;
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

/** The nearest of these rules and what is missing; no lines without a near rule. */
export function nearestLines(
  view: ClusterView,
  direction: Direction,
  title: string,
  misses: readonly RuleMiss[],
  flow: Flow,
): string[] {
  const nearest = nearestMiss(misses);
  if (nearest === undefined) return [];
  const { policy, rule, peerMatches, portMatches } = nearest;
  const heading = `${title}: ${ruleName(direction, policy, rule)} (${formatPosition(rule.position)})`;
  if (peerMatches) return [heading, `  the peer matches, the port does not: ${portMissWords(view, rule, flow)}`];
  const peer = peerMissWords(view, direction, rule, flow);
  if (portMatches) return [heading, `  the port matches, the peer does not: ${peer}`];
  return [heading, "  neither matches:", `    peer: ${peer}`, `    port: ${portMissWords(view, rule, flow)}`];
}

/** `port no (53/UDP); peer yes (everybody)`: each given in the words of the rule. */
export function missWords({ rule, peerMatches, portMatches }: RuleMiss): string {
  const word = (matches: boolean) => (matches ? "yes" : "no");
  return `port ${word(portMatches)} (${portsWords(rule)}); peer ${word(peerMatches)} (${peersWords(rule)})`;
}
