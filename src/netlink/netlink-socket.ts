// A netlink socket for requests to the kernel: open, send, receive, close. Owns the file descriptor and nothing of what
// is said on it. What the kernel tells by itself is read otherwise: table-events.ts.

import { type Libc, loadLibc } from "./libc.ts";
import { NetlinkError } from "./netlink-error.ts";
import { answerShortly, EINTR, ENOBUFS, MSG_TRUNC, netlinkAddress, openSocket, SOL_SOCKET } from "./open-socket.ts";

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

/** What requests are made on: a NetlinkSocket, or in tests a script of answers. */
export interface NetlinkChannel {
  /** Sends one datagram of messages. The kernel has done its work, the first part of a dump included, when it returns. */
  send(bytes: Buffer): Promise<void>;
  /** The next datagram; valid until the next call. Throws NetlinkError `overrun`, `truncated`, `refused`. */
  receive(): Promise<Buffer>;
  /** Only between calls; a second time does nothing. */
  close(): void;
}

/** Opens a socket in the network namespace of the calling thread, for one conversation. Throws NetlinkError. */
export type OpenNetlink = (protocol: number, receiveBytes?: number) => NetlinkChannel;

/** Throws NetlinkError `unavailable`; then the caller falls back to a program. Cost: see loadLibc. */
export async function loadNetlink(): Promise<OpenNetlink> {
  const libc = await loadLibc();
  return (protocol, receiveBytes) => new NetlinkSocket(libc, protocol, receiveBytes);
}

const SO_RCVTIMEO = 20;

/** The kernel fills dumps into pieces of at most 32 KiB. */
const DEFAULT_RECEIVE_BYTES = 64 * 1024;
/** Answers are there when a request returns. This only bounds how long a broken promise of the kernel holds a thread. */
const RECEIVE_TIMEOUT_S = 5n;

class NetlinkSocket implements NetlinkChannel {
  readonly #libc: Libc;
  readonly #buffer: Buffer;
  #fd: number;
  #isCalling = false;

  constructor(libc: Libc, protocol: number, receiveBytes = DEFAULT_RECEIVE_BYTES) {
    this.#libc = libc;
    // Not from the shared pool: another thread writes into it.
    this.#buffer = Buffer.allocUnsafeSlow(receiveBytes);
    this.#fd = openSocket(libc, protocol, (fd) => this.#prepare(fd));
  }

  #prepare(fd: number): void {
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(RECEIVE_TIMEOUT_S, 0);
    this.#check(this.#libc.setOption(fd, SOL_SOCKET, SO_RCVTIMEO, timeout), "no time limit for a netlink socket");
    answerShortly(this.#libc, fd);
    // Connected to the kernel (port 0): messages of other processes are not delivered.
    this.#check(this.#libc.connect(fd, netlinkAddress()), "no connection of a netlink socket");
  }

  async send(bytes: Buffer): Promise<void> {
    const sent = await this.#call(() => this.#libc.send(this.#fd, bytes));
    this.#check(sent, "a netlink request was not taken");
  }

  async receive(): Promise<Buffer> {
    for (;;) {
      // MSG_TRUNC: the real length, also of a datagram that does not fit.
      const length = await this.#call(() => this.#libc.receive(this.#fd, this.#buffer, MSG_TRUNC));
      if (length === -EINTR) continue;
      if (length === -ENOBUFS) throw new NetlinkError("overrun", "the kernel dropped an answer", { errno: ENOBUFS });
      this.#check(length, "no answer of the kernel");
      if (length <= this.#buffer.length) return this.#buffer.subarray(0, length);
      throw new NetlinkError("truncated", `an answer of ${length} bytes, room for ${this.#buffer.length}`);
    }
  }

  close(): void {
    if (this.#isCalling) throw new Error("a netlink socket was closed in the middle of a call");
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    this.#libc.closeOnThread(fd);
  }

  /** One call at a time: a descriptor closed, or a buffer reused, under a running call would reach someone else's. */
  async #call(run: () => Promise<number>): Promise<number> {
    if (this.#isCalling || this.#fd < 0) throw new Error("a netlink socket is used twice at once, or after its end");
    this.#isCalling = true;
    try {
      return await run();
    } finally {
      this.#isCalling = false;
    }
  }

  #check(result: number, what: string): void {
    if (result < 0) throw new NetlinkError("refused", what, { errno: -result });
  }
}
