// The ports that a matrix asks about: how people write them, and which ones are asked when nobody says.
// Owns the text form (`80/TCP`, `ICMP`, `proto/47`) and the canonical order; verdicts are somebody else's.

import type { PortProtocol } from "../../model/cluster.ts";
import { ECHO_REQUEST, formatTraffic, ICMP, ICMPV6, PROTOCOL_NUMBER, type Traffic } from "../../model/flow.ts";
import { ANY, DIRECTIONS, type Policy } from "../../model/policy.ts";
import type { Family } from "../../net/address.ts";
import type { ClusterView } from "../../state/view.ts";

export type MatrixPort =
  | { readonly kind: "ports"; readonly protocol: PortProtocol; readonly port: number }
  /** An echo request of the flow's own family. */
  | { readonly kind: "icmp" }
  /** Any other IP protocol, by number. */
  | { readonly kind: "other"; readonly protocol: number };

/** More columns of ports than this nobody reads. */
export const MAX_DEFAULT_PORTS = 50;

const FALLBACK: MatrixPort = { kind: "ports", protocol: "TCP", port: 80 };
const PROTOCOLS = Object.keys(PROTOCOL_NUMBER) as PortProtocol[];

export type ParsedPort = { readonly port: MatrixPort } | { readonly problem: string };

/** `80/TCP`, `80` (TCP), `53/udp`, `ICMP`, `proto/47`; otherwise what would be right. */
export function parseMatrixPort(text: string): ParsedPort {
  if (/^icmp$/i.test(text)) return { port: { kind: "icmp" } };
  const other = /^proto\/(\d{1,3})$/i.exec(text);
  if (other !== null) return otherProtocol(Number(other[1]));
  const match = /^(\d{1,5})(?:\/([a-z]+))?$/i.exec(text);
  const protocol = PROTOCOLS.find((known) => known === (match?.[2] ?? "TCP").toUpperCase());
  if (match === null || protocol === undefined) {
    return { problem: "write it as 80/TCP, 53/UDP, 9999/SCTP, ICMP or proto/47; a bare 80 is TCP" };
  }
  const port = Number(match[1]);
  return port < 1 || port > 65535 ? { problem: "ports are 1..65535" } : { port: { kind: "ports", protocol, port } };
}

function otherProtocol(protocol: number): ParsedPort {
  if (protocol > 255) return { problem: "protocol numbers are 0..255" };
  if (protocol === ICMP || protocol === ICMPV6) return { problem: "write ICMP, it means the family's own" };
  const withPorts = PROTOCOLS.find((name) => PROTOCOL_NUMBER[name] === protocol);
  if (withPorts !== undefined) return { problem: `${withPorts} has ports: write for example 80/${withPorts}` };
  return { port: { kind: "other", protocol } };
}

/** The flow's traffic in one family. */
export function matrixTraffic(port: MatrixPort, family: Family): Traffic {
  if (port.kind !== "icmp") return port;
  const protocol = family === 4 ? ICMP : ICMPV6;
  return { kind: "icmp", protocol, type: ECHO_REQUEST[protocol] };
}

/** `80/TCP`, `ICMP`, `proto/47`. */
export function formatMatrixPort(port: MatrixPort): string {
  return formatTraffic(matrixTraffic(port, 4));
}

/** Without duplicates, TCP before UDP before SCTP before ICMP before other protocols, then by number. */
export function sortMatrixPorts(ports: readonly MatrixPort[]): MatrixPort[] {
  const byText = new Map(ports.map((port) => [formatMatrixPort(port), port]));
  return [...byText.values()].sort((a, b) => rank(a) - rank(b));
}

function rank(port: MatrixPort): number {
  switch (port.kind) {
    case "ports":
      return PROTOCOLS.indexOf(port.protocol) * 65536 + port.port;
    case "icmp":
      return PROTOCOLS.length * 65536;
    case "other":
      return (PROTOCOLS.length + 1) * 65536 + port.protocol;
  }
}

export interface DefaultPorts {
  readonly ports: readonly MatrixPort[];
  /** How many more there were; those that the fewest pods and policies mention. */
  readonly leftOut: number;
  /** Neither a pod nor a policy mentions a port: 80/TCP is a guess. */
  readonly guessed: boolean;
}

/** Every container port that a selectable pod declares and every port number a policy names (both edges of a range). */
export function defaultPorts(view: ClusterView): DefaultPorts {
  const mentions = new Map<string, { readonly port: MatrixPort; count: number }>();
  const mention = (protocol: PortProtocol, number: number) => {
    const port: MatrixPort = { kind: "ports", protocol, port: number };
    const text = formatMatrixPort(port);
    const known = mentions.get(text);
    if (known === undefined) mentions.set(text, { port, count: 1 });
    else known.count++;
  };
  for (const { pod } of view.selectablePods()) for (const { protocol, port } of pod.ports) mention(protocol, port);
  for (const policy of view.policies()) forEachNamedNumber(policy, mention);
  if (mentions.size === 0) return { ports: [FALLBACK], leftOut: 0, guessed: true };
  const byCount = [...mentions.values()].sort((a, b) => b.count - a.count || rank(a.port) - rank(b.port));
  const kept = byCount.slice(0, MAX_DEFAULT_PORTS).map(({ port }) => port);
  return { ports: sortMatrixPorts(kept), leftOut: byCount.length - kept.length, guessed: false };
}

/** A whole protocol (0..65535) names no port. */
function forEachNamedNumber(policy: Policy, mention: (protocol: PortProtocol, port: number) => void): void {
  for (const direction of DIRECTIONS) {
    for (const rule of policy.rules[direction]) {
      if (rule.ports === ANY) continue;
      for (const match of rule.ports) {
        if (match.kind !== "range" || (match.first === 0 && match.last === 65535)) continue;
        for (const edge of new Set([match.first, match.last])) if (edge > 0) mention(match.protocol, edge);
      }
    }
  }
}
