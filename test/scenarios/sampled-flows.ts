// Flows between all addresses that random clusters use, and some outside: every pair, each with a few kinds of traffic.

import { type Flow, ICMP, ICMPV6, type Traffic } from "../../src/model/flow.ts";
import { type Address, addressFamily } from "../../src/net/address.ts";
import type { RandomSource } from "./random-source.ts";

/** Without the addresses of our own node: what is between it and its pods does not pass the forward hook. */
const ADDRESSES = [
  ...["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.1.1", "10.0.1.2", "192.0.2.7", "198.51.100.3", "10.9.0.2"],
  ...["fd00::1", "fd00::2", "fd00::3", "fd00::1:1", "2001:db8::1", "fd09::2"],
] as Address[];
const PORTS = [53, 67, 80, 81, 443, 546, 8080, 65_535];
const KINDS_PER_PAIR = 3;

/** About 350. */
export function sampledFlows(random: RandomSource): Flow[] {
  const flows: Flow[] = [];
  for (const source of ADDRESSES) {
    for (const destination of ADDRESSES) {
      if (addressFamily(source) !== addressFamily(destination)) continue;
      for (let count = 0; count < KINDS_PER_PAIR; count++)
        flows.push({ source, destination, traffic: someTraffic(random, addressFamily(source)) });
    }
  }
  return flows;
}

function someTraffic(random: RandomSource, family: 4 | 6): Traffic {
  if (random.chance(0.1)) return { kind: "other", protocol: 47 };
  if (random.chance(0.1))
    return family === 4 ? { kind: "icmp", protocol: ICMP, type: 8 } : { kind: "icmp", protocol: ICMPV6, type: 128 };
  return { kind: "ports", protocol: random.pick(["TCP", "TCP", "UDP", "SCTP"]), port: random.pick(PORTS) };
}
