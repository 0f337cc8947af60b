// Peers, ports and rules in words. No verdicts here: only what a rule says.

import { formatPosition } from "../../model/diagnostic.ts";
import { formatSelector } from "../../model/labels.ts";
import {
  ANY,
  type Direction,
  type Peer,
  type PodQuery,
  type Policy,
  type PortMatch,
  policyDisplayName,
  policyReference,
  type Rule,
  rulePath,
} from "../../model/policy.ts";
import type { CidrBlock } from "../../net/cidr.ts";

/** `pods app=web in namespace shop`, `10.0.0.0/8 except 10.1.0.0/16`, `networks 10.0.0.0/8, fd00::/8`, `nodes role=worker`. */
export function peerWords(peer: Peer): string {
  switch (peer.kind) {
    case "pods":
      return queryWords(peer.query);
    case "ipBlock": {
      const except = peer.except.length === 0 ? "" : ` except ${blockTexts(peer.except)}`;
      return `${peer.cidr.text}${except}`;
    }
    case "networks":
      return `${peer.cidrs.length === 1 ? "network" : "networks"} ${blockTexts(peer.cidrs)}`;
    case "nodes":
      return peer.selector.requirements.length === 0 ? "all nodes" : `nodes ${formatSelector(peer.selector)}`;
    case "domainNames":
      return `domain names ${shortList(peer.names, ", ")} (not enforced: nobody)`;
  }
}

function blockTexts(blocks: readonly CidrBlock[]): string {
  return shortList(
    blocks.map(({ text }) => text),
    ", ",
  );
}

export function queryWords({ namespaces, pods }: PodQuery): string {
  const which = pods.requirements.length === 0 ? "all pods" : `pods ${formatSelector(pods)}`;
  if (namespaces.kind === "name") return `${which} in namespace ${namespaces.name}`;
  const { requirements } = namespaces.selector;
  return `${which} in ${requirements.length === 0 ? "all namespaces" : `namespaces ${formatSelector(namespaces.selector)}`}`;
}

/** `443/TCP`, `1-1024/UDP`, `every TCP port`, `http/TCP` for a name, `port http` for a name with the protocol that its port has. */
export function portWords(port: PortMatch): string {
  if (port.kind === "named") return port.protocol === ANY ? `port ${port.name}` : `${port.name}/${port.protocol}`;
  if (port.first === 0 && port.last === 65535) return `every ${port.protocol} port`;
  return port.first === port.last ? `${port.first}/${port.protocol}` : `${port.first}-${port.last}/${port.protocol}`;
}

const MOST_SHOWN = 6;

/** What the rule admits: `443/TCP, 53/UDP`. */
export function portsWords(rule: Rule): string {
  if (rule.ports === ANY) return "every port of every protocol";
  return rule.ports.length === 0 ? "no port" : shortList(rule.ports.map(portWords), ", ");
}

export function peersWords(rule: Rule): string {
  if (rule.peers === ANY) return "everybody";
  return rule.peers.length === 0 ? "nobody" : shortList(rule.peers.map(peerWords), "; ");
}

function shortList(texts: readonly string[], separator: string): string {
  const rest = texts.length - MOST_SHOWN;
  return `${texts.slice(0, MOST_SHOWN).join(separator)}${rest > 0 ? `${separator}and ${rest} more` : ""}`;
}

/** As the rule is written in the policy, where no kind stands beside it: `shop/db ingress[1]`, `ClusterNetworkPolicy/deny-x egress[0]`. */
export function ruleName(direction: Direction, policy: Policy, rule: Rule): string {
  return `${policyReference(policy)} ${rulePath(direction, rule)}`;
}

/** `NetworkPolicy shop/db`, `ClusterNetworkPolicy deny-x`. */
export function policyTitle(policy: Policy): string {
  return `${policy.kind} ${policyDisplayName(policy)}`;
}

/** `NetworkPolicy shop/db ingress[1]`. */
export function ruleTitle(direction: Direction, policy: Policy, rule: Rule): string {
  return `${policyTitle(policy)} ${rulePath(direction, rule)}`;
}

/** As its author wrote it: NetworkPolicies have none, and the one BaselineAdminNetworkPolicy comes behind all others without one. */
export function ownPriority(policy: Policy): number | undefined {
  return policy.tier === "namespace" || policy.kind === "BaselineAdminNetworkPolicy" ? undefined : policy.priority;
}

/** Where it stands, and before it the priority where it has one: `priority 10, tiers.yaml:12`. */
export function placeWords(policy: Policy, { position }: Policy | Rule): string {
  const priority = ownPriority(policy);
  return `${priority === undefined ? "" : `priority ${priority}, `}${formatPosition(position)}`;
}

/** The API's name for the list of peers. */
export function peerField(direction: Direction): "from" | "to" {
  return direction === "ingress" ? "from" : "to";
}

/** The API's name for the list of ports: ClusterNetworkPolicy has them by protocol. */
export function portField({ kind }: Policy): "ports" | "protocols" {
  return kind === "ClusterNetworkPolicy" ? "protocols" : "ports";
}
