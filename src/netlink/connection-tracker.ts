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
  /** What else identifies the entry to the kernel; opaque. Only the tracker that listed it understands it. */
  readonly handle: unknown;
}

export interface ConnectionTracker {
  /** `ctnetlink`, `conntrack`, `memory`. */
  readonly name: string;

  /**
   * Connections that one of the addresses began (source of the original direction) or that it answers (source of the
   * reply direction: the server, also behind destination translation); all connections of the family without
   * `addresses`. These are the two ends that rules after destination and before source translation see.
   *
   * The order is not defined, an entry may come twice. What begins or ends meanwhile may be there or not, and so may a
   * connection whose first packet the rules passed just before: the kernel enters it when that packet leaves. Does not
   * block the event loop for the kernel's walk. Throws ConnectionTrackerError.
   */
  list(family: Family, addresses?: ReadonlySet<Address>): Promise<readonly TrackedConnection[]>;

  /**
   * Deletes exactly these entries; one that has gone meanwhile is no error. Returns how many were deleted. When some
   * cannot be deleted the others are all the same, and then it throws ConnectionTrackerError.
   */
  delete(connections: readonly TrackedConnection[]): Promise<number>;

  /** Ends it; calls under way finish, later ones throw ConnectionTrackerError. */
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

/** Whether `list` with these addresses contains the connection. */
export function hasEndIn(connection: TrackedConnection, addresses: ReadonlySet<Address>): boolean {
  return addresses.has(connection.original.source) || addresses.has(connection.reply.source);
}
