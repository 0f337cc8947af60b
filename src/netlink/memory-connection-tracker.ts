// A connection table in memory, for tests and for trying the agent without a kernel. Keeps the contract of the real ones:
// a listed connection is deleted once, and another with the same ends is another connection.

import { type Address, addressFamily, type Family } from "../net/address.ts";
import {
  type ConnectionTracker,
  ConnectionTrackerError,
  hasEndIn,
  type TrackedConnection,
} from "./connection-tracker.ts";

export class MemoryConnectionTracker implements ConnectionTracker {
  readonly name = "memory";
  /** By handle, which is a number of this tracker. */
  readonly #connections = new Map<unknown, TrackedConnection>();
  #lastHandle = 0;
  #isClosed = false;

  /** A connection begins; it is listed with the handle that this returns. */
  add(connection: Omit<TrackedConnection, "handle">): TrackedConnection {
    const { family, original, reply } = connection;
    for (const { source, destination } of [original, reply]) {
      if (addressFamily(source) !== family || addressFamily(destination) !== family) {
        throw new Error(`a connection of family ${family} with ${source} and ${destination}`);
      }
    }
    this.#lastHandle += 1;
    const added = { ...connection, handle: this.#lastHandle };
    this.#connections.set(added.handle, added);
    return added;
  }

  /** All that is open now, in the order it began. */
  open(): readonly TrackedConnection[] {
    return [...this.#connections.values()];
  }

  async list(family: Family, addresses?: ReadonlySet<Address>): Promise<readonly TrackedConnection[]> {
    this.#expectOpen();
    return this.open().filter(
      (connection) => connection.family === family && (addresses === undefined || hasEndIn(connection, addresses)),
    );
  }

  async delete(connections: readonly TrackedConnection[]): Promise<number> {
    this.#expectOpen();
    return connections.filter(({ handle }) => this.#connections.delete(handle)).length;
  }

  close(): void {
    this.#isClosed = true;
  }

  #expectOpen(): void {
    if (this.#isClosed) throw new ConnectionTrackerError("failed", "the connection tracker is closed");
  }
}
