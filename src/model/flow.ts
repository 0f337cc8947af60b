// A flow: what a verdict is asked about. Addresses as the pod's node sees them, after service translation.

import type { Address } from "../net/address.ts";
import type { PortProtocol } from "./cluster.ts";

export const PROTOCOL_NUMBER: Readonly<Record<PortProtocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };
export const ICMP = 1;
export const ICMPV6 = 58;
/** ICMP and ICMPv6 echo request types: what "ICMP" means where no type is given. */
export const ECHO_REQUEST: Readonly<Record<typeof ICMP | typeof ICMPV6, number>> = { [ICMP]: 8, [ICMPV6]: 128 };

/** ICMPv6 types that are never blocked: multicast listener discovery (RFC 2710, 3810) and neighbour discovery (RFC 4861). */
export const NEIGHBOUR_DISCOVERY_TYPES: readonly number[] = [130, 131, 132, 133, 134, 135, 136, 137, 143];

export type Traffic =
  | {
      readonly kind: "ports";
      readonly protocol: PortProtocol;
      /** Destination port, 0..65535. */
      readonly port: number;
      /** Only DHCP answers are told apart by it; absent means an ephemeral port. */
      readonly sourcePort?: number;
    }
  /** `type` is the ICMP (protocol 1) or ICMPv6 (protocol 58) message type. */
  | { readonly kind: "icmp"; readonly protocol: typeof ICMP | typeof ICMPV6; readonly type: number }
  /** Any other IP protocol, by number. */
  | { readonly kind: "other"; readonly protocol: number };

/** Source and destination are of one family. */
export interface Flow {
  readonly source: Address;
  readonly destination: Address;
  readonly traffic: Traffic;
  /** Matters where both are one pod: only through a service do such packets leave the pod and come back. */
  readonly throughService?: boolean;
  /** The destination is an address of the source's node, also one that no Node object names (a bridge's). */
  readonly toOwnNode?: boolean;
}

export function protocolNumber(traffic: Traffic): number {
  return traffic.kind === "ports" ? PROTOCOL_NUMBER[traffic.protocol] : traffic.protocol;
}

/** `80/TCP`, `ICMP`, `ICMPv6 type 135`, `proto/47`. */
export function formatTraffic(traffic: Traffic): string {
  switch (traffic.kind) {
    case "ports": {
      const from = traffic.sourcePort === undefined ? "" : ` from source port ${traffic.sourcePort}`;
      return `${traffic.port}/${traffic.protocol}${from}`;
    }
    case "icmp": {
      const name = traffic.protocol === ICMP ? "ICMP" : "ICMPv6";
      return traffic.type === ECHO_REQUEST[traffic.protocol] ? name : `${name} type ${traffic.type}`;
    }
    case "other":
      return `proto/${traffic.protocol}`;
  }
}

/** Neighbour discovery and MLD keep IPv6 itself working: no policy blocks them (SEMANTICS "What is never blocked"). */
export function isNeighbourDiscovery(traffic: Traffic): boolean {
  return traffic.kind === "icmp" && traffic.protocol === ICMPV6 && NEIGHBOUR_DISCOVERY_TYPES.includes(traffic.type);
}

/** Server-to-client DHCP port pairs (RFC 2131: 67 -> 68; RFC 8415: 547 -> 546). */
export const DHCP_ANSWER_PORTS = {
  4: { sourcePort: 67, port: 68 },
  6: { sourcePort: 547, port: 546 },
} as const;

/** An answer of a DHCP or DHCPv6 server to a client. */
export function isDhcpAnswer(traffic: Traffic, family: 4 | 6): boolean {
  const ports = DHCP_ANSWER_PORTS[family];
  return (
    traffic.kind === "ports" &&
    traffic.protocol === "UDP" &&
    traffic.sourcePort === ports.sourcePort &&
    traffic.port === ports.port
  );
}
