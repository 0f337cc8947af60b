// The ports that a matrix asks about when nobody says which, and the order in which all ports stand.

import type { PortProtocol } from "../../model/cluster.ts";
import { PROTOCOL_NUMBER } from "../../model/flow.ts";
import { ANY, DIRECTIONS, type Policy } from "../../model/policy.ts";
import type { ClusterView } from "../../state/view.ts";
import { formatQuestion, type TrafficQuestion } from "../traffic-text.ts";

/** More columns of ports than this nobody reads. */
export const MAX_DEFAULT_PORTS = 50;

const FALLBACK: TrafficQuestion = { kind: "ports", protocol: "TCP", port: 80 };
const PROTOCOLS = Object.keys(PROTOCOL_NUMBER) as PortProtocol[];

/** Without duplicates, TCP before UDP before SCTP before ICMP before other protocols, then by number. */
export function sortPorts(ports: readonly TrafficQuestion[]): TrafficQuestion[] {
  const byText = new Map(ports.map((port) => [formatQuestion(port), port]));
  return [...byText.values()].sort((a, b) => rank(a) - rank(b));
}

function rank(port: TrafficQuestion): number {
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
  readonly ports: readonly TrafficQuestion[];
  /** How many more there were; those that the fewest pods and policies mention. */
  readonly leftOut: number;
  /** Neither a pod nor a policy mentions a port: 80/TCP is a guess. */
  readonly guessed: boolean;
}

/** Every container port that a selectable pod declares and every port number a policy names (both edges of a range). */
export function defaultPorts(view: ClusterView): DefaultPorts {
  const mentions = new Map<string, { readonly port: TrafficQuestion; count: number }>();
  const mention = (protocol: PortProtocol, number: number) => {
    const port: TrafficQuestion = { kind: "ports", protocol, port: number };
    const text = formatQuestion(port);
    const known = mentions.get(text);
    if (known === undefined) mentions.set(text, { port, count: 1 });
    else known.count++;
  };
  for (const { pod } of view.selectablePods()) for (const { protocol, port } of pod.ports) mention(protocol, port);
  for (const policy of view.policies()) forEachNamedNumber(policy, mention);
  if (mentions.size === 0) return { ports: [FALLBACK], leftOut: 0, guessed: true };
  const byCount = [...mentions.values()].sort((a, b) => b.count - a.count || rank(a.port) - rank(b.port));
  const kept = byCount.slice(0, MAX_DEFAULT_PORTS).map(({ port }) => port);
  return { ports: sortPorts(kept), leftOut: byCount.length - kept.length, guessed: false };
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
