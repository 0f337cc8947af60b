// What one row of the packet benchmark is. Owns the types; the rows are variants.ts's.

import type { Address, Family } from "../../src/net/address.ts";
import type { BackendName, BenchBackend, BenchRules } from "./backend.ts";

/**
 * `new`: the first packet of a flow that is allowed; `established`: a later one of an answered flow; `denied`: every one is dropped;
 * `connection`: all packets of a TCP connection, from its beginning over a byte each way to its end.
 */
export const PACKET_KINDS = ["new", "established", "denied", "connection"] as const;
export type PacketKind = (typeof PACKET_KINDS)[number];

/** What happens to the flow that a scenario's rules are made for: UDP, and `connected` is allowed TCP. */
export const OUTCOMES = ["allowed", "denied", "connected"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const KINDS_OF: Readonly<Record<Outcome, readonly PacketKind[]>> = {
  allowed: ["new", "established"],
  denied: ["denied"],
  connected: ["connection"],
};

/** How client and server hang on their node, and what they speak. */
export interface Place {
  readonly family: Family;
  readonly topology: "routed" | "bridged";
}

export const IPV4_ROUTED: Place = { family: 4, topology: "routed" };

/** Two pods of one node: the client sends to the server. */
export interface Ends {
  readonly client: Address;
  readonly server: Address;
  /** Default: routed. */
  readonly topology?: Place["topology"];
}

/** Rules, and the flow that is measured through them. */
export interface Scenario {
  readonly rules: BenchRules;
  readonly port: number;
  /** In the comment of the rule that decides (`ClusterNetworkPolicy/admin-4[24]`); undefined: none does, or one that stands for many. */
  readonly decidedBy: string | undefined;
}

/** One row, for each backend. */
export interface Variant {
  /** What is varied: rows of one axis stand together. */
  readonly axis: string;
  readonly name: string;
  /** undefined: this backend has no such rules, or they have no such flow. */
  readonly scenario: (outcome: Outcome, ends: Ends, backend: BenchBackend) => Scenario | undefined;
  /** The backend whose floor it is compared with; undefined: its own. */
  readonly floorOf?: BackendName;
  /** Default: IPV4_ROUTED. */
  readonly place?: Place;
  /** Default: UDP, allowed and denied. */
  readonly outcomes?: readonly Outcome[];
  /** Where it stands on its axis; undefined: beside it. */
  readonly x?: number;
}

export const UDP_OUTCOMES: readonly Outcome[] = ["allowed", "denied"];
