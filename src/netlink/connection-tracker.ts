// The kernel's table of connections (conntrack) as the agent uses it. Owns the contract only.

import type { Address, Family } from "../net/address.ts";

/** One direction of a tracked connection. Ports are 0 for protocols without. */
export interface TrackedTuple {
  readonly source: Address;
  readonly destination: Address;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export interface TrackedConnection {
  readonly family: Family;
  /** IP protocol number. */
  readonly protocol: number;
  /** As its first packet was sent: before destination translation. */
  readonly original: TrackedTuple;
  /** As answers come back: its source is the translated destination, its destination the translated source. */
  readonly reply: TrackedTuple;
  /** ICMP and ICMPv6 message type of the original direction; undefined for other protocols. */
  readonly icmpType: number | undefined;
  /** What else identifies the entry to the kernel; opaque. */
  readonly handle: unknown;
}

export interface ConnectionTracker {
  /** `ctnetlink`, `conntrack`, `memory`. */
  readonly name: string;

  /**
   * Connections that have one of the addresses at either end of either direction; all connections of the family without
   * `addresses`. The order is not defined, an entry may come twice. Does not block the event loop for the kernel's walk.
   * Throws ConnectionTrackerError.
   */
  list(family: Family, addresses?: ReadonlySet<Address>): Promise<readonly TrackedConnection[]>;

  /** Deletes exactly these entries; one that has gone meanwhile is no error. Returns how many were deleted. Throws ConnectionTrackerError. */
  delete(connections: readonly TrackedConnection[]): Promise<number>;

  close(): void;
}

export class ConnectionTrackerError extends Error {
  readonly kind: "not-permitted" | "unsupported" | "failed";

  constructor(kind: ConnectionTrackerError["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ConnectionTrackerError";
    this.kind = kind;
  }
}
