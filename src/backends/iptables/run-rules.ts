// One run of rules (equal action, no order) -> iptables rules: peers of any port, named destinations, ports one after the other.

import type { PeerGroup, PolicyClass, PortRange, RuleRun } from "../../program/program.ts";
import { listComment } from "../comment.ts";
import { destinationPorts, inSet, protocol, rule, sideWord } from "./build.ts";
import { programSet } from "./names.ts";
import { peerMatches } from "./peers.ts";
import type { IpSet, Match, Ports, Protocol, Rule, Target } from "./ruleset.ts";

export type Sets = Map<string, IpSet>;

/** Peers of any port, and named destinations. What the rules look up goes into `sets`. */
export function portlessRules(run: RuleRun, target: Target, policyClass: PolicyClass, sets: Sets): Rule[] {
  const rules: Rule[] = [];
  if (run.anyPort !== undefined) rules.push(...peerRules(policyClass, [], run.anyPort, target, sets));
  if (run.namedDestinations !== undefined) {
    const { set, origins } = run.namedDestinations;
    // Address and port of the destination; the set's elements say the protocol.
    rules.push(rule([inSet(programSet(set), "dst", "dst")], target, listComment(origins)));
  }
  return rules;
}

/** One group of ports after the other. */
export function portRules(run: RuleRun, target: Target, policyClass: PolicyClass, sets: Sets): Rule[] {
  return run.ports.flatMap((group) =>
    portMatches(group.ports).flatMap((ports) => peerRules(policyClass, ports, group, target, sets)),
  );
}

export function peerRules(
  policyClass: PolicyClass,
  ports: readonly Match[],
  group: PeerGroup,
  target: Target,
  sets: Sets,
): Rule[] {
  const peers = peerMatches(group.peers, policyClass.family, sideWord(policyClass.direction, "peer"));
  for (const set of peers.sets) sets.set(set.name, set);
  return peers.alternatives.map((address) => rule([...ports, ...address], target, listComment(group.origins)));
}

/** multiport takes 15 ports; a range counts twice (XT_MULTI_PORTS). */
const MULTIPORT_SLOTS = 15;

/** Alternatives: one or more for each protocol. */
export function portMatches(ranges: readonly PortRange[]): Match[][] {
  const byProtocol = new Map<Protocol, PortRange[]>();
  for (const range of ranges) {
    const word = protocolWord(range);
    byProtocol.set(word, [...(byProtocol.get(word) ?? []), range]);
  }
  return [...byProtocol].flatMap(([word, own]) => {
    if (own.some(isWholeProtocol)) return [[protocol(word)]];
    return multiports(own).map((ports) => [protocol(word), destinationPorts(ports)]);
  });
}

export function protocolWord(range: PortRange): Protocol {
  return range.protocol.toLowerCase() as "tcp" | "udp" | "sctp";
}

export function isWholeProtocol({ first, last }: Ports): boolean {
  return first === 0 && last === 65535;
}

function multiports(ranges: readonly PortRange[]): Ports[][] {
  const groups: Ports[][] = [];
  let room = 0;
  for (const { first, last } of ranges) {
    const slots = first === last ? 1 : 2;
    if (slots > room) {
      groups.push([]);
      room = MULTIPORT_SLOTS;
    }
    (groups.at(-1) as Ports[]).push({ first, last });
    room -= slots;
  }
  return groups;
}
