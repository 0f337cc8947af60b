// What the prover and `explain` ask of the rules of one node, whichever backend made them. Owns the contract only.
//
//   hook -> chains: always -> chains          whatever the addresses are
//                   test, entry -> chain      only packets with an address that the entry covers: a guarded link
//
// Facts about chains may say more than the rules do (a link that no packet takes, a constant that nothing is compared with): a
// proof then costs more. They must never say less: what is not said is not compared.

import type { Address, Family } from "../net/address.ts";
import type { AddressRange } from "../net/range.ts";
import type { ConnectionState, Hook, Packet } from "./packet.ts";

export interface NodeRules {
  /** For people: `nft`, `iptables`. */
  readonly language: string;

  /** Where packets of a family begin at a hook; empty: the hook lets everything pass. */
  hookChains(hook: Hook, family: Family): readonly string[];

  /** Every chain that packets of the family can meet, and perhaps more. */
  chainNames(family: Family): Iterable<string>;

  /** What the rules of one of `chainNames` ask of addresses of the family, and where they lead. Throws UnprovableRule. */
  chainFacts(chain: string, family: Family): ChainFacts;

  /** Adds everything but addresses that the rules of one of `chainNames` compare packets with. */
  addConstants(chain: string, family: Family, constants: ConstantsSink): void;

  /** What the rules do to the packet. Throws Untraceable. Called for each packet of a proof, millions of times. */
  trace(packet: Packet): RuleTrace;
}

/** A link to a chain that is not among `chainNames` leads nowhere; the tracer says so where a packet gets there. */
export interface ChainFacts {
  readonly tests: readonly AddressTest[];
  /** Looked at pair by pair, not by address. */
  readonly pairs: readonly AddressPair[];
  /** Whether any rule compares the two addresses of a packet with each other. */
  readonly comparesEnds: boolean;
  /** Chains that packets reach whatever their addresses are: by jump, by goto, by maps of other keys. */
  readonly always: readonly string[];
}

export type Side = "source" | "destination";

/** One question to one address of the packet, and its answers. */
export interface AddressTest {
  /** Within a family equal for equal tests only: a set that many rules ask in the same way is one test. */
  readonly id: string;
  readonly side: Side;
  /** Elements that cover some addresses. An address that none covers gets the answer "no". They may overlap. */
  readonly entries: readonly TestEntry[];
}

/** An element of a test: the addresses that it covers, and what it says of them. */
export interface TestEntry {
  readonly range: AddressRange;
  /** All that distinguishes the element once the address is covered (its other parts, its verdict): equal answers, equal `ports` and `target`. */
  readonly answer: string;
  /** Destination ports that the element names beside the address. */
  readonly ports: readonly PortInterval[];
  /** The chain that packets reach by this element: a guarded link. */
  readonly target: string | undefined;
}

/** Both ends included. */
export interface PortInterval {
  readonly first: number;
  readonly last: number;
}

/** An element that names both addresses of a packet. */
export interface AddressPair {
  readonly source: Address;
  readonly destination: Address;
}

/** Takes what rules compare packets with. Between two constants all packets are alike. */
export interface ConstantsSink {
  /** Destination ports, both ends included, of whatever protocol. */
  addPorts(first: number, last: number): void;
  /** A source port of UDP. */
  addSourcePort(port: number): void;
  addProtocol(protocol: number): void;
  addIcmpv6Type(type: number): void;
  /** Of the flags of the mask exactly these are set. Names as in `Packet.tcpFlags`. */
  addFlagTest(mask: readonly string[], value: readonly string[]): void;
  addState(state: ConnectionState): void;
}

export interface RuleTrace {
  readonly verdict: "accept" | "drop";
  /** No rule decided: the end of the hook's chain was reached. */
  readonly byPolicy: boolean;
  /** Rules that matched, in order; the last one decided, unless `byPolicy`. Made when they are asked for. */
  steps(): readonly RuleStep[];
}

/** A rule that matched a packet. */
export interface RuleStep {
  readonly chain: string;
  /** From 0. */
  readonly ruleIndex: number;
  /** On one line, as the backend's own tool writes it. */
  readonly rule: string;
  /** The element that gave the verdict, where a map did. */
  readonly element: string | undefined;
  /** As the tool writes it: `accept`, `jump egress4_…`; undefined: the packet went on to the next rule. */
  readonly verdict: string | undefined;
}

/** A rule or set does something that the tracer does not model; a verdict would be a guess. */
export class Untraceable extends Error {}

/** A rule asks something of packets that the prover cannot cut into classes; a proof would be a guess. */
export class UnprovableRule extends Error {}
