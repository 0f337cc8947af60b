// Peers, ports and rules in words. No verdicts here: only what a rule says.

import type { SourcePosition } from "../../model/diagnostic.ts";
import { formatSelector } from "../../model/labels.ts";
import { ANY, type Direction, type Peer, type PodQuery, type PortMatch, type Rule } from "../../model/policy.ts";

/** `pods app=web in namespace shop`, `all pods in namespaces team=a`, `10.0.0.0/8 except 10.1.0.0/16`. */
export function peerWords(peer: Peer): string {
  if (peer.kind === "pods") return queryWords(peer.query);
  const except = peer.except.length === 0 ? "" : ` except ${peer.except.map((block) => block.text).join(", ")}`;
  return `${peer.cidr.text}${except}`;
}

export function queryWords({ namespaces, pods }: PodQuery): string {
  const which = pods.requirements.length === 0 ? "all pods" : `pods ${formatSelector(pods)}`;
  if (namespaces.kind === "name") return `${which} in namespace ${namespaces.name}`;
  const { requirements } = namespaces.selector;
  return `${which} in ${requirements.length === 0 ? "all namespaces" : `namespaces ${formatSelector(namespaces.selector)}`}`;
}

/** `443/TCP`, `1-1024/UDP`, `any TCP port`, `http/TCP (a name)`. */
export function portWords(port: PortMatch): string {
  if (port.kind === "named") return `${port.name}/${port.protocol}`;
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

/** The API's name for the list of peers. */
export function peerField(direction: Direction): "from" | "to" {
  return direction === "ingress" ? "from" : "to";
}

/** `policies.yaml:12`; the file alone where there are no lines. */
export function positionWords({ file, line }: SourcePosition): string {
  const name = file === "-" ? "<stdin>" : file;
  return line === undefined ? name : `${name}:${line}`;
}
