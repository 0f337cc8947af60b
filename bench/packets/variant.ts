// What one row of the packet benchmark is. Owns the types; the rows are variants.ts's.

import type { Address } from "../../src/net/address.ts";
import type { BackendName, BenchBackend, BenchRules } from "./backend.ts";

/** `new`: the first packet of a flow that is allowed; `established`: a later one of an answered flow; `denied`: every one is dropped. */
export const PACKET_KINDS = ["new", "established", "denied"] as const;
export type PacketKind = (typeof PACKET_KINDS)[number];

/** What happens to the flow that a scenario's rules are made for. */
export const OUTCOMES = ["allowed", "denied"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const KINDS_OF: Readonly<Record<Outcome, readonly PacketKind[]>> = {
  allowed: ["new", "established"],
  denied: ["denied"],
};

/** Two pods of one node: the client sends UDP to the server. */
export interface Ends {
  readonly client: Address;
  readonly server: Address;
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
}
