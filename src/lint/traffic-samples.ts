// Traffic in classes that no port of some rules tells apart: one sample of each.

import type { PortProtocol } from "../model/cluster.ts";
import { ECHO_REQUEST, ICMP, ICMPV6, PROTOCOL_NUMBER, type Traffic } from "../model/flow.ts";
import type { PortMatch } from "../model/policy.ts";
import type { Family } from "../net/address.ts";
import { resolveNamedPort } from "../semantics/matching.ts";
import type { SelectablePod } from "../state/view.ts";

const PROTOCOLS = Object.keys(PROTOCOL_NUMBER) as PortProtocol[];
/** Reserved for experiments: stands for every protocol that no rule can name. */
const OTHER_PROTOCOL = 253;

/** To a destination that is this pod, or no pod. What has no ports comes last. */
export function trafficSamples(
  matches: readonly PortMatch[],
  destination: SelectablePod | undefined,
  family: Family,
): Traffic[] {
  const edges = new Set<number>([0]);
  const addRange = (first: number, last: number) => {
    edges.add(first);
    if (last < 65535) edges.add(last + 1);
  };
  for (const match of matches) {
    if (match.kind === "range") addRange(match.first, match.last);
    else if (destination !== undefined)
      for (const { port } of resolveNamedPort(destination, match)) addRange(port, port);
  }
  const ports = samplePorts([...edges].sort((a, b) => a - b));
  const protocol = family === 4 ? ICMP : ICMPV6;
  return [
    ...PROTOCOLS.flatMap((name) => ports.map((port): Traffic => ({ kind: "ports", protocol: name, port }))),
    { kind: "icmp", protocol, type: ECHO_REQUEST[protocol] },
    { kind: "other", protocol: OTHER_PROTOCOL },
  ];
}

const USUAL_PORT = 80;

/** One of each interval, of the first one that people know. Port 0 is left out: rules name it as little as ICMP, which is there. */
function samplePorts([, ...edges]: readonly number[]): number[] {
  const [next = 65536] = edges;
  if (next === 1) return edges;
  return [next > USUAL_PORT ? USUAL_PORT : next - 1, ...edges];
}
