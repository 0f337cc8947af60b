// Who changes one nftables table: the kernel tells every commit to the multicast group of nfnetlink
// (linux/netfilter/nfnetlink.h NFNLGRP_NFTABLES, nf_tables_api.c nft_commit_notify). Owns the socket and the reading of
// which table a message is about; whose change it was is the caller's to judge.

import { type Libc, loadLibc } from "./libc.ts";
import { expectPayload, forEachAttribute, type NetlinkMessage, readMessages, readText } from "./message-reader.ts";
import { NetlinkError } from "./netlink-error.ts";
import { NETLINK_NETFILTER } from "./netlink-socket.ts";
import {
  EAGAIN,
  EINTR,
  ENOBUFS,
  MSG_DONTWAIT,
  MSG_TRUNC,
  netlinkAddress,
  openSocket,
  SOL_SOCKET,
} from "./open-socket.ts";

const SO_RCVBUFFORCE = 33;

const NFNLGRP_NFTABLES = 7;
const NFNL_SUBSYS_NFTABLES = 10;
/** Its first attribute is no table's name. */
const NFT_MSG_NEWGEN = 15;
const NFGENMSG_BYTES = 4;
const NFPROTO_INET = 1;
/** NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE and so on: 1 in all messages about a table. */
const NFTA_TABLE = 1;

/** Messages of a commit come in pieces of some kilobytes (NLMSG_GOODSIZE). */
const RECEIVE_BYTES = 64 * 1024;
/** Room for some thousand set elements; with more the kernel says that it lost some. */
const QUEUE_BYTES = 1 << 20;

/** Opens a socket in the network namespace of the calling thread; needs CAP_NET_ADMIN. Throws NetlinkError. */
export type OpenTableEvents = (table: string) => TableEvents;

/** Throws NetlinkError `unavailable`. */
export async function loadTableEvents(): Promise<OpenTableEvents> {
  const libc = await loadLibc();
  return (table) => new TableEvents(libc, table);
}

/** Changes of the inet table of this name. While it is open the kernel makes messages of every commit (docs/data-plane.md has the cost). */
export class TableEvents {
  readonly #libc: Libc;
  readonly #table: string;
  readonly #buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  #fd: number;

  constructor(libc: Libc, table: string) {
    this.#libc = libc;
    this.#table = table;
    this.#fd = openSocket(libc, NETLINK_NETFILTER, (fd) => this.#subscribe(fd));
  }

  #subscribe(fd: number): void {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(QUEUE_BYTES, 0);
    // Without it more is lost, and it is said so.
    this.#libc.setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, size);
    const result = this.#libc.bind(fd, netlinkAddress(1 << (NFNLGRP_NFTABLES - 1)));
    if (result < 0) throw new NetlinkError("refused", "changes of nftables cannot be followed", { errno: -result });
  }

  /**
   * Netlink ports (of processes) that have changed the table since the last call; a commit is told before its sender has its
   * answer. "overrun": some were lost. Never waits. Cost: a microsecond when nothing happened. Throws NetlinkError.
   */
  take(): ReadonlySet<number> | "overrun" {
    const ports = new Set<number>();
    let isOverrun = false;
    for (;;) {
      const length = this.#libc.receiveNow(this.#fd, this.#buffer, MSG_DONTWAIT | MSG_TRUNC);
      if (length === -EAGAIN) return isOverrun ? "overrun" : ports;
      if (length === -EINTR) continue;
      if (length === -ENOBUFS || length > this.#buffer.length) isOverrun = true;
      else if (length < 0) {
        throw new NetlinkError("refused", "changes of nftables cannot be read", { errno: -length });
      } else {
        for (const message of readMessages(this.#buffer.subarray(0, length))) {
          if (this.#isAboutTable(message)) ports.add(message.port);
        }
      }
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    this.#libc.close(fd);
  }

  #isAboutTable({ type, bytes, start, end }: NetlinkMessage): boolean {
    if (type >> 8 !== NFNL_SUBSYS_NFTABLES || (type & 0xff) === NFT_MSG_NEWGEN) return false;
    if (bytes[expectPayload(start, end, NFGENMSG_BYTES)] !== NFPROTO_INET) return false;
    let isAbout = false;
    forEachAttribute(bytes, start + NFGENMSG_BYTES, end, (attribute, from, to) => {
      if (attribute === NFTA_TABLE) isAbout = readText(bytes, from, to) === this.#table;
    });
    return isAbout;
  }
}
