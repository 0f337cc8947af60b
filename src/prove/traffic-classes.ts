// Cuts everything but the addresses into classes: protocols, ports, ICMPv6 types, TCP flags, connection states.
// The constants come from both sides: port edges, protocol numbers, types, flags and states that either of them names.

import type { ConstantsSink } from "../backends/node-rules.ts";
import { type ConnectionState, EPHEMERAL_PORT, type Transport, transportOf } from "../backends/packet.ts";
import type { PortProtocol } from "../model/cluster.ts";
import { DHCP_ANSWER_PORTS, ICMP, ICMPV6, NEIGHBOUR_DISCOVERY_TYPES, type Traffic } from "../model/flow.ts";
import { DHCP_PORTS } from "../model/link-scope.ts";
import type { Family } from "../net/address.ts";

/** What a packet carries: the flow's traffic, and for TCP whether this packet could begin a connection. */
export interface TrafficClass {
  readonly traffic: Traffic;
  readonly transport: Transport;
  readonly state: ConnectionState;
}

/** Constants that traffic is compared with. */
export interface TrafficConstants {
  /** First ports of intervals, without protocol: a cut for one protocol is a cut for all. */
  readonly portCuts: ReadonlySet<number>;
  readonly sourcePorts: ReadonlySet<number>;
  readonly protocols: ReadonlySet<number>;
  readonly icmpv6Types: ReadonlySet<number>;
  /** Texts of flag tests: mask and value. */
  readonly flagTests: ReadonlyMap<string, { readonly mask: readonly string[]; readonly value: readonly string[] }>;
  readonly states: ReadonlySet<ConnectionState>;
}

export class ConstantsBuilder implements TrafficConstants, ConstantsSink {
  readonly portCuts = new Set<number>([0]);
  readonly sourcePorts = new Set<number>();
  readonly protocols = new Set<number>();
  readonly icmpv6Types = new Set<number>(NEIGHBOUR_DISCOVERY_TYPES);
  readonly flagTests = new Map<string, { readonly mask: readonly string[]; readonly value: readonly string[] }>();
  readonly states = new Set<ConnectionState>();

  constructor() {
    for (const { sourcePort, port } of Object.values(DHCP_ANSWER_PORTS)) {
      this.sourcePorts.add(sourcePort);
      this.addPorts(port, port);
    }
    for (const port of DHCP_PORTS) this.addPorts(port, port);
    this.addFlagTest(["fin", "syn", "rst", "ack"], ["syn"]);
  }

  addPorts(first: number, last: number): void {
    this.portCuts.add(first);
    if (last < 65535) this.portCuts.add(last + 1);
  }

  addFlagTest(mask: readonly string[], value: readonly string[]): void {
    this.flagTests.set(`${mask.join("|")}=${value.join("|")}`, { mask, value });
  }

  addSourcePort(port: number): void {
    this.sourcePorts.add(port);
  }

  addProtocol(protocol: number): void {
    this.protocols.add(protocol);
  }

  addIcmpv6Type(type: number): void {
    this.icmpv6Types.add(type);
  }

  addState(state: ConnectionState): void {
    this.states.add(state);
  }
}

/** Every class of traffic that these constants tell apart, simple ones first. */
export function trafficClasses(constants: TrafficConstants, family: Family): TrafficClass[] {
  const cuts = [...constants.portCuts].sort((a, b) => a - b);
  const classes: TrafficClass[] = [];
  const states = connectionStates(constants);
  const add = (traffic: Traffic, tcpFlags?: readonly string[]) => {
    const transport = transportOf(traffic);
    const withFlags = tcpFlags === undefined ? transport : { ...transport, tcpFlags: new Set(tcpFlags) };
    for (const state of states) classes.push({ traffic, transport: withFlags, state });
  };
  const flags = flagClasses(constants);
  for (const port of cuts) for (const each of flags) add({ kind: "ports", protocol: "TCP", port }, each);
  for (const port of cuts) for (const sourcePort of sourcePorts(constants)) add(portTraffic("UDP", port, sourcePort));
  for (const port of cuts) add({ kind: "ports", protocol: "SCTP", port });
  if (family === 4) add({ kind: "icmp", protocol: ICMP, type: 8 });
  else for (const type of [128, ...constants.icmpv6Types]) add({ kind: "icmp", protocol: ICMPV6, type });
  for (const protocol of otherProtocols(constants, family)) add({ kind: "other", protocol });
  return classes;
}

function portTraffic(protocol: PortProtocol, port: number, sourcePort: number | undefined): Traffic {
  return sourcePort === undefined ? { kind: "ports", protocol, port } : { kind: "ports", protocol, port, sourcePort };
}

function sourcePorts(constants: TrafficConstants): (number | undefined)[] {
  return [undefined, ...[...constants.sourcePorts].filter((port) => port !== EPHEMERAL_PORT)];
}

/** Protocols that have ports or types of their own are covered above; 253 is reserved for experiments and stands for the rest. */
function otherProtocols(constants: TrafficConstants, family: Family): number[] {
  const covered = new Set([6, 17, 132, family === 4 ? ICMP : ICMPV6]);
  return [253, ...constants.protocols].filter((protocol) => !covered.has(protocol));
}

/** States that no rule names are alike: `new` stands for them. */
function connectionStates(constants: TrafficConstants): ConnectionState[] {
  const known: readonly ConnectionState[] = ["new", "established", "related", "invalid", "untracked"];
  return known.filter(
    (state) => state === "new" || state === "established" || state === "related" || constants.states.has(state),
  );
}

/** One set of flags for every combination of answers that the flag tests can give; that of a first packet (SYN) first. */
function flagClasses(constants: TrafficConstants): (readonly string[])[] {
  const words = [...new Set([...constants.flagTests.values()].flatMap(({ mask, value }) => [...mask, ...value]))];
  const byAnswers = new Map<string, readonly string[]>();
  const subsets = Array.from({ length: 2 ** words.length }, (_, bits) =>
    words.filter((_, index) => (bits >> index) & 1),
  );
  for (const flags of [["syn"], ["ack"], ...subsets]) {
    const answers = [...constants.flagTests.values()].map(({ mask, value }) => {
      const masked = flags.filter((flag) => mask.includes(flag));
      return masked.length === value.length && masked.every((flag) => value.includes(flag));
    });
    const key = answers.join();
    if (!byAnswers.has(key)) byAnswers.set(key, flags);
  }
  return [...byAnswers.values()];
}
