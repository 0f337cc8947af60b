// A packet as rules of any backend see it: what a tracer walks through them.

import { type Flow, ICMPV6, PROTOCOL_NUMBER, protocolNumber, type Traffic } from "../model/flow.ts";
import { type Address, addressFamily, type Family } from "../net/address.ts";

/** Where the kernel asks the rules: of what it routes on, of what is for this node, of what this node sends. */
export const HOOKS = ["forward", "input", "output"] as const;
export type Hook = (typeof HOOKS)[number];

export type ConnectionState = "new" | "established" | "related" | "invalid" | "untracked";

export interface Packet {
  readonly hook: Hook;
  readonly family: Family;
  readonly source: Address;
  readonly destination: Address;
  /** IP protocol number. */
  readonly protocol: number;
  /** Ports of TCP, UDP and SCTP; undefined for other protocols. */
  readonly sourcePort: number | undefined;
  readonly destinationPort: number | undefined;
  readonly icmpv6Type: number | undefined;
  /** Those that are set: `fin`, `syn`, `rst`, `psh`, `ack`, `urg`, `ecn`, `cwr`. */
  readonly tcpFlags: ReadonlySet<string>;
  readonly state: ConnectionState;
  /** Whether the source is an address of this node itself. */
  readonly sourceIsLocal: boolean;
}

/** An ephemeral port: no rule names it. */
export const EPHEMERAL_PORT = 40000;

/** The first packet of a flow. */
export function firstPacket(flow: Flow, hook: Hook, sourceIsLocal: boolean): Packet {
  const { traffic } = flow;
  return {
    hook,
    family: addressFamily(flow.source),
    source: flow.source,
    destination: flow.destination,
    ...transportOf(traffic),
    state: "new",
    sourceIsLocal,
  };
}

export type Transport = Pick<Packet, "protocol" | "sourcePort" | "destinationPort" | "icmpv6Type" | "tcpFlags">;

export function transportOf(traffic: Traffic): Transport {
  const isTcp = traffic.kind === "ports" && traffic.protocol === "TCP";
  return {
    protocol: protocolNumber(traffic),
    sourcePort: traffic.kind === "ports" ? (traffic.sourcePort ?? EPHEMERAL_PORT) : undefined,
    destinationPort: traffic.kind === "ports" ? traffic.port : undefined,
    icmpv6Type: traffic.kind === "icmp" && traffic.protocol === ICMPV6 ? traffic.type : undefined,
    tcpFlags: new Set(isTcp ? ["syn"] : []),
  };
}

export const TCP = PROTOCOL_NUMBER.TCP;
export const UDP = PROTOCOL_NUMBER.UDP;
export const SCTP = PROTOCOL_NUMBER.SCTP;
