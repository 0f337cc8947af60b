// Elements of nf_tables sets, changed without the nft program: some 20 microseconds for one. Owns the socket, and what the kernel's
// answers say of a batch.

import { readError } from "./conversation.ts";
import { type ElementBatch, type ElementChange, elementBatch } from "./element-batch.ts";
import { type Libc, loadLibc } from "./libc.ts";
import { readMessages } from "./message-reader.ts";
import { NetlinkError } from "./netlink-error.ts";
import { NETLINK_NETFILTER } from "./netlink-socket.ts";
import {
  answerShortly,
  EAGAIN,
  EINTR,
  ENOBUFS,
  MSG_DONTWAIT,
  MSG_TRUNC,
  netlinkAddress,
  openSocket,
  SOL_SOCKET,
} from "./open-socket.ts";

const SO_SNDBUFFORCE = 32;
/** Room for a batch of some 100,000 elements. */
const SEND_BYTES = 16 << 20;
const RECEIVE_BYTES = 64 * 1024;
/** The kernel is at work while a batch is sent. From so many bytes on (some 1,000 elements, 0.7 ms) on another thread. */
const SEND_ON_THREAD_BYTES = 64 * 1024;

export type ElementAnswer =
  | { readonly kind: "written" }
  | { readonly kind: "not-sent"; readonly reason: string }
  | {
      readonly kind: "refused";
      readonly reason: string;
      /** libuv's name of the error number. */
      readonly code: string | undefined;
      readonly set: string | undefined;
    }
  | { readonly kind: "unknown"; readonly reason: string };

/** In the network namespace of the calling thread; needs CAP_NET_ADMIN there. Throws NetlinkError. */
export type OpenSetElements = () => SetElements;

/** Throws NetlinkError `unavailable`. */
export async function loadSetElements(): Promise<OpenSetElements> {
  const libc = await loadLibc();
  return () => new SetElements(libc);
}

export class SetElements {
  readonly #libc: Libc;
  readonly #buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  #fd = -1;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#open();
  }

  /** Asks for what cannot be, a table without a name; undefined: the kernel refuses it as it should, so it understands us. */
  async refusal(): Promise<string | undefined> {
    const key = { keyLength: 4, keys: new Uint8Array(4), keyEnds: undefined, verdicts: undefined };
    const answer = await this.write("", [{ kind: "delete", set: "none", ...key }]);
    if (answer.kind === "written") return "the kernel says that a set changed which does not exist";
    return answer.kind === "refused" && answer.code === "ENOENT" ? undefined : answer.reason;
  }

  /** One atomic batch, at least one change. Calls must not overlap. */
  async write(table: string, changes: readonly ElementChange[]): Promise<ElementAnswer> {
    const batch = elementBatch(table, changes);
    try {
      this.#open();
    } catch (error) {
      return { kind: "not-sent", reason: asNetlinkError(error).message };
    }
    const isLong = batch.bytes.length >= SEND_ON_THREAD_BYTES;
    const sent = isLong ? await this.#libc.send(this.#fd, batch.bytes) : this.#libc.sendNow(this.#fd, batch.bytes);
    // The kernel does its work inside the call, and fails it only before: a batch that is too long, no memory.
    if (sent < 0) return { kind: "not-sent", reason: notTaken(-sent).message };
    try {
      return this.#readAnswer(batch);
    } catch (error) {
      // What is still to be read would be taken for the next batch's answer, which begins with another socket.
      this.close();
      return { kind: "unknown", reason: asNetlinkError(error).message };
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    this.#libc.close(fd);
  }

  #open(): void {
    if (this.#fd < 0) this.#fd = openSocket(this.#libc, NETLINK_NETFILTER, (fd) => this.#prepare(fd));
  }

  #prepare(fd: number): void {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(SEND_BYTES, 0);
    // Without it long batches are not taken, and it is said so.
    this.#libc.setOption(fd, SOL_SOCKET, SO_SNDBUFFORCE, size);
    answerShortly(this.#libc, fd);
    const connected = this.#libc.connect(fd, netlinkAddress());
    if (connected < 0) throw new NetlinkError("refused", "no connection of a netlink socket", { errno: -connected });
  }

  /** Everything is there when the batch is sent. A refusal comes before the acknowledgement, also that of the whole batch. */
  #readAnswer(batch: ElementBatch): ElementAnswer {
    let refused: ElementAnswer | undefined;
    let isAcknowledged = false;
    for (let datagram = this.#receive(); datagram !== undefined; datagram = this.#receive()) {
      for (const message of readMessages(datagram)) {
        const error = readError(message);
        if (error === undefined) isAcknowledged ||= message.sequence === batch.lastSequence;
        else
          refused ??= {
            kind: "refused",
            reason: error.message,
            code: error.code,
            set: batch.setOf(message.sequence),
          };
      }
    }
    if (refused !== undefined) return refused;
    if (isAcknowledged) return { kind: "written" };
    throw new NetlinkError("malformed", "no answer to a batch of element changes");
  }

  /** undefined: nothing more is there. */
  #receive(): Buffer | undefined {
    for (;;) {
      const length = this.#libc.receiveNow(this.#fd, this.#buffer, MSG_DONTWAIT | MSG_TRUNC);
      if (length === -EAGAIN) return undefined;
      if (length === -EINTR) continue;
      if (length === -ENOBUFS) throw new NetlinkError("overrun", "the kernel dropped an answer", { errno: ENOBUFS });
      if (length < 0) throw new NetlinkError("refused", "no answer of the kernel", { errno: -length });
      if (length <= this.#buffer.length) return this.#buffer.subarray(0, length);
      throw new NetlinkError("truncated", `an answer of ${length} bytes, room for ${this.#buffer.length}`);
    }
  }
}

function notTaken(errno: number): NetlinkError {
  return new NetlinkError("refused", "a batch of element changes was not taken", { errno });
}

function asNetlinkError(error: unknown): NetlinkError {
  if (error instanceof NetlinkError) return error;
  throw error;
}
