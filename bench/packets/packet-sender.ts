// Many packets in one system call, and how long it took. Owns the raw socket and the memory that the kernel reads; what is in the
// packets is the caller's. Between two namespaces on veths, the sender's call does all that is done for a packet, the rules of the
// node between them included: no other thread takes part in what is measured.

import type { InsideNetns } from "../../src/lab/netns.ts";
import { type Address, addressFamily } from "../../src/net/address.ts";
import { kernelFamily } from "../../src/netlink/address-bytes.ts";
import { socketAddress } from "./socket-address.ts";

type Koffi = typeof import("koffi").default;

const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const IPPROTO_UDP = 17;
/** struct mmsghdr and struct iovec where pointers have 64 bits. */
const MMSGHDR_BYTES = 64;
const IOVEC_BYTES = 16;
const MOST_PACKETS = 64;
const MOST_BYTES = 128;

/** Who sends, and whereto. */
export interface Line {
  readonly ns: string;
  readonly from: Address;
  readonly to: Address;
}

/** Packets of one size, one behind the other, from the transport header on. */
export interface Burst {
  readonly count: number;
  readonly bytes: Buffer;
}

/**
 * Sends UDP packets. Whatever they are, the kernel reads them from the same memory: packets that have not been touched for a while
 * would cost a cache miss each. Closes with `close()`.
 */
export class PacketSender {
  readonly #memory: BurstMemory;
  readonly #libc: ReturnType<typeof bindLibc>;
  readonly #fd: number;

  private constructor(koffi: Koffi, inside: InsideNetns, { ns, from, to }: Line) {
    const libc = bindLibc(koffi);
    this.#memory = new BurstMemory(koffi);
    this.#libc = libc;
    this.#fd = inside(ns, () => libc.socket(kernelFamily(addressFamily(from)), SOCK_RAW_CLOEXEC, IPPROTO_UDP));
    this.#check("a raw socket", this.#fd);
    const [source, destination] = [socketAddress(from), socketAddress(to)];
    this.#check(`to send from ${from}`, libc.bind(this.#fd, source, source.length));
    this.#check(`to send to ${to}`, libc.connect(this.#fd, destination, destination.length));
  }

  static async open(inside: InsideNetns, line: Line): Promise<PacketSender> {
    return new PacketSender((await import("koffi")).default, inside, line);
  }

  /** How long it took, in nanoseconds. Throws where the kernel takes fewer packets. */
  send({ count, bytes }: Burst): number {
    this.#memory.fill(bytes, count);
    const begin = process.hrtime.bigint();
    const sent = this.#libc.sendmmsg(this.#fd, this.#memory.messages, count, 0);
    const end = process.hrtime.bigint();
    this.#check("packets", sent);
    if (sent !== count) throw new Error(`the kernel took ${sent} of ${count} packets`);
    return Number(end - begin);
  }

  close(): void {
    this.#libc.close(this.#fd);
  }

  #check(what: string, result: number): void {
    if (result < 0) throw new Error(`the kernel refuses ${what}: errno ${this.#libc.errno()}`);
  }
}

/** What sendmmsg reads. The buffers point into each other, and live as long as each other. */
class BurstMemory {
  readonly messages = ownMemory(MOST_PACKETS * MMSGHDR_BYTES);
  readonly #vectors = ownMemory(MOST_PACKETS * IOVEC_BYTES);
  readonly #bytes = ownMemory(MOST_PACKETS * MOST_BYTES);
  readonly #bytesAt: bigint;

  constructor(koffi: Koffi) {
    this.#bytesAt = koffi.address(this.#bytes);
    const vectorsAt = koffi.address(this.#vectors);
    for (let index = 0; index < MOST_PACKETS; index++) {
      this.messages.writeBigUInt64LE(vectorsAt + BigInt(index * IOVEC_BYTES), index * MMSGHDR_BYTES + 16);
      this.messages.writeBigUInt64LE(1n, index * MMSGHDR_BYTES + 24);
    }
  }

  fill(bytes: Buffer, count: number): void {
    if (count > MOST_PACKETS || bytes.length > this.#bytes.length) throw new Error("too much for one burst");
    const size = bytes.length / count;
    this.#bytes.set(bytes);
    for (let index = 0; index < count; index++) {
      this.#vectors.writeBigUInt64LE(this.#bytesAt + BigInt(index * size), index * IOVEC_BYTES);
      this.#vectors.writeBigUInt64LE(BigInt(size), index * IOVEC_BYTES + 8);
    }
  }
}

/** Zeros at an address that stays. */
function ownMemory(size: number): Buffer {
  return Buffer.allocUnsafeSlow(size).fill(0);
}

function bindLibc(koffi: Koffi) {
  const library = koffi.load(null);
  return {
    socket: library.func("int socket(int, int, int)"),
    bind: library.func("int bind(int, const void *, unsigned int)"),
    connect: library.func("int connect(int, const void *, unsigned int)"),
    sendmmsg: library.func("int sendmmsg(int, void *, unsigned int, int)"),
    close: library.func("int close(int)"),
    errno: () => koffi.errno(),
  };
}
