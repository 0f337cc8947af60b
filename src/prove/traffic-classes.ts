// Cuts everything but the addresses into classes: protocols, ports, ICMPv6 types, TCP flags, connection states.
// The constants come from both sides: port edges, protocol numbers, types, flags and states that either of them names.

import type { Chain, Expression, Field, Rule, Ruleset } from "../backends/nft/ruleset.ts";
import { icmpv6TypeNumber, protocolNumberOf } from "../backends/nft/words.ts";
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
  readonly states: ReadonlySet<string>;
}

export class ConstantsBuilder implements TrafficConstants {
  readonly portCuts = new Set<number>([0]);
  readonly sourcePorts = new Set<number>();
  readonly protocols = new Set<number>();
  readonly icmpv6Types = new Set<number>(NEIGHBOUR_DISCOVERY_TYPES);
  readonly flagTests = new Map<string, { readonly mask: readonly string[]; readonly value: readonly string[] }>();
  readonly states = new Set<string>();

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

  addAll(other: TrafficConstants): void {
    for (const cut of other.portCuts) this.portCuts.add(cut);
    for (const port of other.sourcePorts) this.sourcePorts.add(port);
    for (const protocol of other.protocols) this.protocols.add(protocol);
    for (const type of other.icmpv6Types) this.icmpv6Types.add(type);
    for (const [text, test] of other.flagTests) this.flagTests.set(text, test);
    for (const state of other.states) this.states.add(state);
  }

  addChain(ruleset: Ruleset, chain: Chain): void {
    for (const rule of chain.rules) this.#addRule(ruleset, rule);
  }

  #addRule(ruleset: Ruleset, rule: Rule): void {
    for (const statement of rule.statements) {
      if (statement.kind === "match") {
        const { left, right } = statement;
        this.#addComparison(left, right.kind === "values" ? right.values : keysOf(ruleset, right.name));
      } else if (statement.kind === "vmap") {
        const { key, map } = statement;
        this.#addComparison(
          key,
          map.kind === "values" ? map.entries.map((entry) => entry.element) : keysOf(ruleset, map.name),
        );
      }
    }
  }

  #addComparison(left: Expression, elements: Iterable<string>): void {
    if (left.kind === "masked" && left.field === "tcp flags") {
      this.addFlagTest(left.mask, [...elements]);
      return;
    }
    const fields = left.kind === "concat" ? left.fields : [left.field];
    if (fields.every(isAddress)) return;
    // Elements that name one address are constants of that address: the prover takes them from the address's own answers.
    if (fields.some(isAddress) && fields.includes("th dport")) return;
    for (const element of elements) {
      for (const [index, word] of element.split(" . ").entries()) this.addWord(fields[index] as Field, word);
    }
  }

  /** One word that a selector is compared with. */
  addWord(field: Field, word: string): void {
    const range = /^(\d+)-(\d+)$/.exec(word);
    const first = range === null ? Number(word) : Number(range[1]);
    const last = range === null ? Number(word) : Number(range[2]);
    switch (field) {
      case "tcp dport":
      case "udp dport":
      case "sctp dport":
      case "th dport":
        this.addPorts(first, last);
        break;
      case "udp sport":
        for (const port of [first, last]) this.sourcePorts.add(port);
        break;
      case "meta l4proto":
        if (range === null) this.protocols.add(protocolNumberOf(word) ?? 255);
        break;
      case "icmpv6 type":
        this.icmpv6Types.add(icmpv6TypeNumber(word) ?? 255);
        break;
      case "ct state":
        this.states.add(word);
        break;
      case "tcp flags":
        this.addFlagTest([word], [word]);
        break;
      default:
        break;
    }
  }
}

function keysOf(ruleset: Ruleset, name: string): Iterable<string> {
  const set = ruleset.sets.get(name);
  if (set === undefined) return [];
  return set.kind === "map" ? set.elements.keys() : set.elements;
}

function isAddress(field: Field): boolean {
  return field.endsWith("addr");
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
