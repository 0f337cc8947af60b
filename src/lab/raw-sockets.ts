// Raw sockets inside namespaces, used by this process: non-blocking, every call at once. Owns the system calls.

import { type Address, addressFamily, type Family } from "../net/address.ts";
import { addressToBytes, kernelFamily } from "../netlink/address-bytes.ts";
import { LabError } from "./lab-error.ts";
import type { InsideNetns } from "./netns.ts";

const SOCK_RAW_NONBLOCK_CLOEXEC = 3 | 0x80800;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const EAGAIN = 11;
/** The queue of a link was full: the packet is lost, as packets may be. */
const ENOBUFS = 105;

type Libc = ReturnType<typeof bindLibc>;

export async function openRawSockets(inside: InsideNetns): Promise<RawSockets> {
  return new RawSockets(bindLibc((await import("koffi")).default), inside);
}

/** Closes with `close()`. Failing calls throw LabError. */
export class RawSockets {
  readonly #libc: Libc;
  readonly #inside: InsideNetns;
  readonly #open = new Set<number>();

  constructor(libc: Libc, inside: InsideNetns) {
    this.#libc = libc;
    this.#inside = inside;
  }

  /** Gets a copy of what the namespace takes in of the protocol; with `address`, sends from there. */
  open(ns: string, family: Family, protocol: number, address?: Address): number {
    const domain = kernelFamily(family);
    const fd = this.#inside(ns, () => this.#libc.socket(domain, SOCK_RAW_NONBLOCK_CLOEXEC, protocol));
    this.#check("a raw socket", fd);
    this.#open.add(fd);
    const size = Buffer.alloc(4);
    size.writeInt32LE(RECEIVE_BUFFER_BYTES);
    this.#check("a larger buffer", this.#libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.length));
    if (address !== undefined) {
      const bytes = socketAddress(address);
      this.#check(`to send from ${address}`, this.#libc.bind(fd, bytes, bytes.length));
    }
    return fd;
  }

  /** `bytes`: from the transport header on. */
  send(fd: number, bytes: Buffer, to: Address): void {
    const address = socketAddress(to);
    const sent = this.#libc.sendto(fd, bytes, bytes.length, MSG_NOSIGNAL | MSG_DONTWAIT, address, address.length);
    if (sent < 0 && [EAGAIN, ENOBUFS].includes(this.#libc.errno())) return;
    this.#check(`a packet to ${to}`, Number(sent));
  }

  /** How many bytes were there, an IPv4 header included; undefined: nothing. */
  receive(fd: number, buffer: Buffer): number | undefined {
    const received = Number(this.#libc.recv(fd, buffer, buffer.length, MSG_DONTWAIT));
    if (received < 0 && this.#libc.errno() === EAGAIN) return undefined;
    this.#check("to receive", received);
    return received;
  }

  close(): void {
    for (const fd of this.#open) this.#libc.close(fd);
    this.#open.clear();
  }

  #check(what: string, result: number): void {
    if (result < 0) throw new LabError(`the kernel refuses ${what}: errno ${this.#libc.errno()}`);
  }
}

/** struct sockaddr_in or sockaddr_in6, port 0. */
function socketAddress(address: Address): Buffer {
  const family = addressFamily(address);
  const bytes = Buffer.alloc(family === 4 ? 16 : 28);
  bytes.writeUInt16LE(kernelFamily(family), 0);
  bytes.set(addressToBytes(address), family === 4 ? 4 : 8);
  return bytes;
}

function bindLibc(koffi: typeof import("koffi").default) {
  const library = koffi.load(null);
  return {
    socket: library.func("int socket(int, int, int)"),
    bind: library.func("int bind(int, const void *, unsigned int)"),
    setsockopt: library.func("int setsockopt(int, int, int, const void *, unsigned int)"),
    sendto: library.func("intptr_t sendto(int, const void *, size_t, int, const void *, unsigned int)"),
    recv: library.func("intptr_t recv(int, void *, size_t, int)"),
    close: library.func("int close(int)"),
    errno: () => koffi.errno(),
  };
}
