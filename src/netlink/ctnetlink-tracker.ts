// The connection table through ctnetlink. Owns which way it is read, how entries are deleted, and what errors mean; bytes
// are ctnetlink-entry.ts's and ctnetlink-requests.ts's. Every request has a socket of its own; calls follow each other, so
// that at most one thread of the pool is held.

import { type Address, addressFamily, type Family } from "../net/address.ts";
import { AddressTexts, addressKey } from "./address-bytes.ts";
import { AddressFilter, isFilterCheaper } from "./address-filter.ts";
import {
  type ConnectionTracker,
  ConnectionTrackerError,
  hasEndIn,
  type TrackedConnection,
} from "./connection-tracker.ts";
import { conntrackBuckets } from "./conntrack-buckets.ts";
import { ask, dump, sendBatch } from "./conversation.ts";
import { type CtnetlinkConnection, CtnetlinkHandle, readConnection } from "./ctnetlink-entry.ts";
import { readCount, requestAll, requestCount, requestDelete } from "./ctnetlink-requests.ts";
import { NetlinkError } from "./netlink-error.ts";
import { NETLINK_NETFILTER, type OpenNetlink } from "./netlink-socket.ts";
import { SerialQueue } from "./serial-queue.ts";

/** Each failed delete is an answer of about 1 KiB in the socket, which has room for 200 KiB by default. */
const DELETE_BATCH = 100;
const RESIZE_ATTEMPTS = 3;

export class CtnetlinkTracker implements ConnectionTracker {
  readonly name = "ctnetlink";
  readonly #open: OpenNetlink;
  readonly #readBuckets: () => Promise<string | undefined>;
  readonly #filter: AddressFilter;
  readonly #queue = new SerialQueue();
  #isClosed = false;

  private constructor(open: OpenNetlink, readBuckets: () => Promise<string | undefined>) {
    this.#open = open;
    this.#readBuckets = readBuckets;
    this.#filter = new AddressFilter(open);
  }

  /** Throws ConnectionTrackerError when the kernel has no ctnetlink for us. */
  static async start(open: OpenNetlink, readBuckets = conntrackBuckets): Promise<CtnetlinkTracker> {
    const tracker = new CtnetlinkTracker(open, readBuckets);
    try {
      await tracker.#count();
    } catch (error) {
      throw error instanceof NetlinkError ? explainStart(error) : error;
    }
    return tracker;
  }

  list(family: Family, addresses?: ReadonlySet<Address>): Promise<readonly CtnetlinkConnection[]> {
    return this.#run(async () => {
      if (addresses === undefined) return this.#listAll(family);
      const wanted = [...addresses].filter((address) => addressFamily(address) === family);
      if (wanted.length === 0) return [];
      const few = family === 4 ? await this.#listFew(wanted) : undefined;
      return few ?? this.#listAll(family, wanted);
    });
  }

  delete(connections: readonly TrackedConnection[]): Promise<number> {
    const own = connections.map(ownConnection);
    return this.#run(async () => {
      let gone = 0;
      const refusals: NetlinkError[] = [];
      for (let at = 0; at < own.length; at += DELETE_BATCH) {
        const requests = own.slice(at, at + DELETE_BATCH).map(requestDelete);
        await sendBatch(this.#open, NETLINK_NETFILTER, requests, (_index, error) => {
          if (error.code === "ENOENT") gone += 1;
          else refusals.push(error);
        });
      }
      if (refusals.length > 0) throw notDeleted(refusals, own.length);
      return own.length - gone;
    });
  }

  close(): void {
    this.#isClosed = true;
  }

  /** The whole table, less what has none of the addresses. */
  async #listAll(family: Family, wanted?: readonly Address[]): Promise<CtnetlinkConnection[]> {
    const keys = wanted === undefined ? undefined : new Set(wanted.map(addressKey));
    for (let attempt = 0; attempt < RESIZE_ATTEMPTS; attempt++) {
      const texts = new AddressTexts();
      const buckets = await this.#readBuckets();
      const connections = await dump(this.#open, NETLINK_NETFILTER, requestAll(family), (message) =>
        readConnection(message, texts, keys),
      );
      // The walk goes by place in the hash table: a resize meanwhile moves entries to where it has already been.
      if (buckets === (await this.#readBuckets())) return connections;
    }
    throw new NetlinkError("interrupted", `the connection table was resized in each of ${RESIZE_ATTEMPTS} readings`);
  }

  /** By the kernel's filter, or on the way to it; undefined where it is not cheaper or not to be believed. IPv4 only. */
  async #listFew(wanted: readonly Address[]): Promise<readonly CtnetlinkConnection[] | undefined> {
    if (this.#filter.state === "broken" || !isFilterCheaper(wanted.length, await this.#count())) return undefined;
    if (this.#filter.state === "works") {
      const buckets = await this.#readBuckets();
      const connections = await this.#filter.list(wanted);
      return buckets === (await this.#readBuckets()) ? connections : undefined;
    }
    const all = await this.#listAll(4);
    await this.#filter.prove(all);
    const addresses = new Set(wanted);
    return all.filter((connection) => hasEndIn(connection, addresses));
  }

  async #count(): Promise<number> {
    const count = await ask(this.#open, NETLINK_NETFILTER, requestCount, readCount);
    if (count === undefined)
      throw new NetlinkError("malformed", "the kernel did not say how many connections there are");
    return count;
  }

  #run<T>(task: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      if (this.#isClosed) throw new ConnectionTrackerError("failed", "the connection tracker is closed");
      try {
        return await task();
      } catch (error) {
        throw error instanceof NetlinkError ? explain(error) : error;
      }
    });
  }
}

function ownConnection(connection: TrackedConnection): CtnetlinkConnection {
  const { handle } = connection;
  if (!(handle instanceof CtnetlinkHandle)) throw new Error("a connection of another tracker was given to ctnetlink");
  return { ...connection, handle };
}

function notDeleted(refusals: readonly NetlinkError[], asked: number): ConnectionTrackerError {
  const [first] = refusals;
  // Older kernels do not delete what a flowtable carries.
  const hint = first?.code === "EBUSY" ? "; they are offloaded to a flowtable" : "";
  return new ConnectionTrackerError(
    first?.code === "EPERM" ? "not-permitted" : "failed",
    `${refusals.length} of ${asked} connections could not be deleted: ${first?.message}${hint}`,
    { cause: first },
  );
}

/** What nfnetlink says when nobody answers for ctnetlink, and socket() where there is no nfnetlink. */
const NO_CTNETLINK: readonly string[] = ["EINVAL", "ENOTSUP", "EPROTONOSUPPORT"];

function explainStart(error: NetlinkError): ConnectionTrackerError {
  if (!NO_CTNETLINK.includes(error.code ?? "")) return explain(error);
  const hint = "load the module nf_conntrack_netlink";
  return new ConnectionTrackerError("unsupported", `the kernel offers no ctnetlink: ${hint}`, { cause: error });
}

function explain(error: NetlinkError): ConnectionTrackerError {
  if (error.code === "EPERM") {
    const hint = "the capability NET_ADMIN is needed";
    return new ConnectionTrackerError("not-permitted", `connections may not be read: ${hint}`, { cause: error });
  }
  return new ConnectionTrackerError("failed", `connection tracking: ${error.message}`, { cause: error });
}
