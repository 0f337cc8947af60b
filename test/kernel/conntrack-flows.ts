// Real packets, sent by this process from sockets inside a namespace: TCP, UDP, ICMP echo, and packets of any protocol.
// Owns the system calls; everything is synchronous, and what a flow leaves behind is the kernel's entry.

import { closeSync } from "node:fs";
import koffi from "koffi";
import { type Address, addressFamily } from "../../src/net/address.ts";
import { addressToBytes, kernelFamily } from "../../src/netlink/address-bytes.ts";
import type { Netns } from "../support/netns.ts";
import { insideNetns } from "./conntrack-namespace.ts";

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;

export interface Endpoint {
  readonly address: Address;
  readonly port: number;
}

/** Sockets that stay open for a test; close() ends them all. */
export class Flows {
  readonly #open: number[] = [];
  readonly #libc = bindLibc();

  /** Accepts connections: the kernel does, nobody reads them. */
  listen(ns: Netns, at: Endpoint): void {
    const fd = this.#socket(ns, SOCK_STREAM, 0, at);
    check("listen", this.#libc.listen(fd, 16));
  }

  connect(ns: Netns, from: Endpoint, to: Endpoint): void {
    const fd = this.#socket(ns, SOCK_STREAM, 0, from);
    const limit = Buffer.alloc(16);
    limit.writeBigInt64LE(10n, 0);
    check("setsockopt", this.#libc.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, limit, limit.length));
    const address = socketAddress(to);
    check(`connect to ${to.address}`, this.#libc.connect(fd, address, address.length));
  }

  sendUdp(ns: Netns, from: Endpoint, to: Endpoint): void {
    const fd = this.#socket(ns, SOCK_DGRAM, 0, from);
    this.#send(fd, to, Buffer.from("hello"));
  }

  /** An echo request. */
  ping(ns: Netns, from: Address, to: Address, id: number): void {
    const isIpv4 = addressFamily(from) === 4;
    const fd = this.#socket(ns, SOCK_RAW, isIpv4 ? 1 : 58, { address: from, port: 0 });
    const request = Buffer.alloc(8);
    request.writeUInt8(isIpv4 ? 8 : 128, 0);
    request.writeUInt16BE(id, 4);
    request.writeUInt16BE(1, 6);
    // The kernel writes ICMPv6's checksum itself.
    if (isIpv4) request.writeUInt16BE(checksum(request), 2);
    this.#send(fd, { address: to, port: 0 }, request);
  }

  /** A packet of a protocol without ports. */
  sendRaw(ns: Netns, protocol: number, from: Address, to: Address): void {
    const fd = this.#socket(ns, SOCK_RAW, protocol, { address: from, port: 0 });
    this.#send(fd, { address: to, port: 0 }, Buffer.alloc(16));
  }

  close(): void {
    for (const fd of this.#open.splice(0)) closeSync(fd);
  }

  #socket(ns: Netns, type: number, protocol: number, at: Endpoint): number {
    const domain = kernelFamily(addressFamily(at.address));
    const fd = insideNetns(ns, () => this.#libc.socket(domain, type | SOCK_CLOEXEC, protocol));
    check("socket", fd);
    this.#open.push(fd);
    const address = socketAddress(at);
    check(`bind ${at.address}`, this.#libc.bind(fd, address, address.length));
    return fd;
  }

  #send(fd: number, to: Endpoint, bytes: Buffer): void {
    const address = socketAddress(to);
    check(`send to ${to.address}`, this.#libc.sendto(fd, bytes, bytes.length, 0, address, address.length));
  }
}

function bindLibc() {
  const library = koffi.load(null);
  return {
    socket: library.func("int socket(int, int, int)"),
    bind: library.func("int bind(int, const void *, unsigned int)"),
    listen: library.func("int listen(int, int)"),
    connect: library.func("int connect(int, const void *, unsigned int)"),
    setsockopt: library.func("int setsockopt(int, int, int, const void *, unsigned int)"),
    sendto: library.func("intptr_t sendto(int, const void *, size_t, int, const void *, unsigned int)"),
  };
}

function check(what: string, result: number | bigint): void {
  if (result < 0) throw new Error(`${what}: errno ${koffi.errno()}`);
}

function socketAddress({ address, port }: Endpoint): Buffer {
  const isIpv4 = addressFamily(address) === 4;
  const bytes = Buffer.alloc(isIpv4 ? 16 : 28);
  bytes.writeUInt16LE(kernelFamily(isIpv4 ? 4 : 6), 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(addressToBytes(address), isIpv4 ? 4 : 8);
  return bytes;
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
