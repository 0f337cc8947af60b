// Sockets inside namespaces, opened and used by this process: non-blocking, every call at once, nothing waits.
// Owns the system calls; what is sent and counted is the streams'.

import koffi from "koffi";
import { type Address, addressFamily } from "../../src/net/address.ts";
import { addressToBytes, kernelFamily } from "../../src/netlink/address-bytes.ts";
import { insideNetns } from "../kernel/conntrack-namespace.ts";
import type { Netns } from "./netns.ts";

export interface PacketEnd {
  readonly address: Address;
  readonly port: number;
}

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK_CLOEXEC = 0x80800;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SO_MEMINFO = 55;
const SK_MEMINFO_DROPS = 8;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_INFO_TOTAL_RETRANS = 100;
const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;
const IPV6_CHECKSUM = 7;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
const RECEIVE_BYTES = 32 * 1024 * 1024;

const EAGAIN = 11;
/** Of a TCP connection that is not there yet, or not any more. */
const NOT_CONNECTED = [EAGAIN, 32, 104, 107, 110, 111, 113];
const EINPROGRESS = 115;

/** Calls of the C library on sockets; each throws on an error that its comment does not name. */
export class PacketSockets {
  readonly #libc = bindLibc();
  readonly #open = new Set<number>();

  /** Receives packets to this end; with a buffer that a stalled process does not fill. */
  udp(ns: Netns, at: PacketEnd): number {
    const fd = this.#socket(ns, at, SOCK_DGRAM, 0);
    this.#bind(fd, at);
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(RECEIVE_BYTES);
    this.#check("SO_RCVBUFFORCE", this.#libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes, 4));
    return fd;
  }

  /** Sends packets that begin with a UDP header, from any port. The kernel writes the checksum for IPv6; for IPv4 0 means none. */
  rawUdp(ns: Netns, from: Address): number {
    const fd = this.#socket(ns, { address: from, port: 0 }, SOCK_RAW, IPPROTO_UDP);
    this.#bind(fd, { address: from, port: 0 });
    if (addressFamily(from) === 6) {
      const offset = Buffer.alloc(4);
      offset.writeInt32LE(6);
      this.#check("IPV6_CHECKSUM", this.#libc.setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM, offset, 4));
    }
    return fd;
  }

  listen(ns: Netns, at: PacketEnd): number {
    const fd = this.#socket(ns, at, SOCK_STREAM, 0);
    this.#bind(fd, at);
    this.#check("listen", this.#libc.listen(fd, 128));
    return fd;
  }

  /** Begins to connect. `from.port` 0: any. */
  connect(ns: Netns, from: PacketEnd, to: PacketEnd): number {
    const fd = this.#socket(ns, from, SOCK_STREAM, 0);
    this.#bind(fd, from);
    const address = socketAddress(to);
    const result = this.#libc.connect(fd, address, address.length);
    if (result < 0 && koffi.errno() !== EINPROGRESS) this.#check(`connect to ${to.address}`, result);
    return fd;
  }

  /** undefined: nobody has connected. */
  accept(fd: number): number | undefined {
    const accepted = this.#libc.accept4(fd, null, null, SOCK_NONBLOCK_CLOEXEC);
    if (accepted < 0 && koffi.errno() === EAGAIN) return undefined;
    this.#check("accept", accepted);
    this.#open.add(accepted);
    return accepted;
  }

  /** On a TCP connection; false: not connected, or its buffer is full. */
  send(fd: number, bytes: Buffer): boolean {
    const sent = this.#libc.send(fd, bytes, bytes.length, MSG_NOSIGNAL);
    if (sent < 0 && NOT_CONNECTED.includes(koffi.errno())) return false;
    this.#check("send", sent);
    if (Number(sent) !== bytes.length) throw new Error(`send: ${sent} of ${bytes.length} bytes`);
    return true;
  }

  /** A packet to a `socketAddress`. */
  sendTo(fd: number, bytes: Buffer, address: Buffer): void {
    this.#check("sendto", this.#libc.sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, address, address.length));
  }

  /** How many bytes were there; 0: the other side has closed; undefined: nothing, or no connection. */
  receive(fd: number, buffer: Buffer): number | undefined {
    const received = this.#libc.recv(fd, buffer, buffer.length, MSG_DONTWAIT);
    if (received < 0 && NOT_CONNECTED.includes(koffi.errno())) return undefined;
    this.#check("recv", received);
    return Number(received);
  }

  /** Packets that came and found the receive buffer full: lost by the test, not by the network. */
  overflows(fd: number): number {
    const info = Buffer.alloc(4 * (SK_MEMINFO_DROPS + 1));
    const length = Buffer.alloc(4);
    length.writeInt32LE(info.length);
    this.#check("SO_MEMINFO", this.#libc.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, length));
    return info.readUInt32LE(4 * SK_MEMINFO_DROPS);
  }

  /** Packets of a TCP connection that were sent again. */
  retransmissions(fd: number): number {
    const info = Buffer.alloc(TCP_INFO_TOTAL_RETRANS + 4);
    const length = Buffer.alloc(4);
    length.writeInt32LE(info.length);
    this.#check("TCP_INFO", this.#libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, length));
    return info.readUInt32LE(TCP_INFO_TOTAL_RETRANS);
  }

  close(fd: number): void {
    if (this.#open.delete(fd)) this.#libc.close(fd);
  }

  /** Somebody else closes it. */
  handOver(fd: number): number {
    this.#open.delete(fd);
    return fd;
  }

  closeAll(): void {
    for (const fd of this.#open) this.close(fd);
  }

  #socket(ns: Netns, { address }: PacketEnd, type: number, protocol: number): number {
    const domain = kernelFamily(addressFamily(address));
    const fd = insideNetns(ns, () => this.#libc.socket(domain, type | SOCK_NONBLOCK_CLOEXEC, protocol));
    this.#check("socket", fd);
    this.#open.add(fd);
    return fd;
  }

  #bind(fd: number, at: PacketEnd): void {
    const address = socketAddress(at);
    this.#check(`bind ${at.address} ${at.port}`, this.#libc.bind(fd, address, address.length));
  }

  #check(what: string, result: number | bigint): void {
    if (result < 0) throw new Error(`${what}: errno ${koffi.errno()}`);
  }
}

/** struct sockaddr_in or sockaddr_in6. */
export function socketAddress({ address, port }: PacketEnd): Buffer {
  const isIpv4 = addressFamily(address) === 4;
  const bytes = Buffer.alloc(isIpv4 ? 16 : 28);
  bytes.writeUInt16LE(kernelFamily(isIpv4 ? 4 : 6), 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(addressToBytes(address), isIpv4 ? 4 : 8);
  return bytes;
}

function bindLibc() {
  const library = koffi.load(null);
  return {
    socket: library.func("int socket(int, int, int)"),
    bind: library.func("int bind(int, const void *, unsigned int)"),
    listen: library.func("int listen(int, int)"),
    accept4: library.func("int accept4(int, void *, void *, int)"),
    connect: library.func("int connect(int, const void *, unsigned int)"),
    setsockopt: library.func("int setsockopt(int, int, int, const void *, unsigned int)"),
    getsockopt: library.func("int getsockopt(int, int, int, void *, void *)"),
    send: library.func("intptr_t send(int, const void *, size_t, int)"),
    sendto: library.func("intptr_t sendto(int, const void *, size_t, int, const void *, unsigned int)"),
    recv: library.func("intptr_t recv(int, void *, size_t, int)"),
    close: library.func("int close(int)"),
  };
}
