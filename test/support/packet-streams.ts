// Streams of numbers between two ends, UDP and TCP, each number a packet: as one flow that lasts, or as a new flow for each.
// Owns what is on the wire and which numbers arrived; when to send is packet-traffic.ts's.

import type { Address } from "../../src/net/address.ts";
import type { Netns } from "./netns.ts";
import { PacketNumbers } from "./packet-numbers.ts";
import { type PacketEnd, type PacketSockets, socketAddress } from "./packet-sockets.ts";

export interface StreamSpec {
  readonly name: string;
  /** `fresh-…`: every number in a flow of its own, from another port, so that connection tracking hides nothing. */
  readonly kind: "fresh-udp" | "udp" | "fresh-tcp" | "tcp";
  readonly from: { readonly ns: Netns; readonly address: Address };
  /** Where the numbers arrive; every stream needs a port of its own. */
  readonly to: PacketEnd & { readonly ns: Netns };
  /** What the sender dials, if that is translated to `to` on the way. */
  readonly dials?: PacketEnd | undefined;
  readonly perSecond: number;
}

export interface Stream {
  readonly spec: StreamSpec;
  /** Numbers that were sent: 0 up to and without this one. */
  readonly sent: number;
  readonly arrived: PacketNumbers;
  /** Those that came back to the sender. Nothing answers `fresh-udp`. */
  readonly answered: PacketNumbers;
  /** Sends the next number, if that is possible now. */
  send(): void;
  /** Takes what has come. */
  receive(): void;
  /** Packets that the test itself lost. */
  overflows(): number;
}

export function openStream(sockets: PacketSockets, spec: StreamSpec): Stream {
  switch (spec.kind) {
    case "fresh-udp":
      return new FreshUdpStream(sockets, spec);
    case "udp":
      return new UdpStream(sockets, spec);
    case "fresh-tcp":
    case "tcp":
      return new TcpStream(sockets, spec);
  }
}

/** Tells our packets from stray ones. */
const MAGIC = 0x6e667470;
const RECORD_BYTES = 8;
const UDP_HEADER_BYTES = 8;
const FIRST_PORT = 1024;
const PORTS = 64_000;

abstract class NumberStream {
  readonly spec: StreamSpec;
  readonly arrived = new PacketNumbers();
  readonly answered = new PacketNumbers();
  sent = 0;
  protected readonly sockets: PacketSockets;
  protected readonly dials: PacketEnd;
  readonly #incoming = Buffer.alloc(4096);

  constructor(sockets: PacketSockets, spec: StreamSpec) {
    this.sockets = sockets;
    this.spec = spec;
    this.dials = spec.dials ?? spec.to;
  }

  /** The records of everything that has come; UDP packets and TCP chunks hold whole ones. */
  protected readRecords(fd: number, take: (number: number) => void): "open" | "closed" {
    for (;;) {
      const length = this.sockets.receive(fd, this.#incoming);
      if (length === undefined) return "open";
      if (length === 0) return "closed";
      if (length % RECORD_BYTES !== 0) throw new Error(`${this.spec.name}: ${length} bytes came`);
      for (let at = 0; at < length; at += RECORD_BYTES) {
        if (this.#incoming.readUInt32BE(at) !== MAGIC) throw new Error(`${this.spec.name}: somebody else's bytes`);
        take(this.#incoming.readUInt32BE(at + 4));
      }
    }
  }
}

function record(number: number): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt32BE(number, 4);
  return bytes;
}

class FreshUdpStream extends NumberStream implements Stream {
  readonly #sender: number;
  readonly #receiver: number;
  readonly #address: Buffer;
  readonly #packet = Buffer.alloc(UDP_HEADER_BYTES + RECORD_BYTES);

  constructor(sockets: PacketSockets, spec: StreamSpec) {
    super(sockets, spec);
    this.#receiver = sockets.udp(spec.to.ns, spec.to);
    this.#sender = sockets.rawUdp(spec.from.ns, spec.from.address);
    // The port is in the packet: for a raw socket that of the address means something else.
    this.#address = socketAddress({ address: this.dials.address, port: 0 });
    this.#packet.writeUInt16BE(this.dials.port, 2);
    this.#packet.writeUInt16BE(this.#packet.length, 4);
  }

  send(): void {
    const number = this.sent++;
    this.#packet.writeUInt16BE(FIRST_PORT + (number % PORTS), 0);
    this.#packet.set(record(number), UDP_HEADER_BYTES);
    this.sockets.sendTo(this.#sender, this.#packet, this.#address);
  }

  receive(): void {
    this.readRecords(this.#receiver, (number) => this.arrived.add(number));
  }

  overflows(): number {
    return this.sockets.overflows(this.#receiver);
  }
}

/** One flow; the receiver sends every number back. */
export class UdpStream extends NumberStream implements Stream {
  /** While true the receiver keeps its answers. */
  holdsAnswers = false;
  readonly #owed: number[] = [];
  readonly #sender: number;
  readonly #receiver: number;
  readonly #forward: Buffer;
  readonly #back: Buffer;

  constructor(sockets: PacketSockets, spec: StreamSpec) {
    super(sockets, spec);
    const from = { address: spec.from.address, port: spec.to.port };
    this.#receiver = sockets.udp(spec.to.ns, spec.to);
    this.#sender = sockets.udp(spec.from.ns, from);
    this.#forward = socketAddress(this.dials);
    this.#back = socketAddress(from);
  }

  send(): void {
    this.sockets.sendTo(this.#sender, record(this.sent++), this.#forward);
  }

  receive(): void {
    this.readRecords(this.#receiver, (number) => {
      this.arrived.add(number);
      this.#owed.push(number);
    });
    if (!this.holdsAnswers)
      for (const number of this.#owed.splice(0)) this.sockets.sendTo(this.#receiver, record(number), this.#back);
    this.readRecords(this.#sender, (number) => this.answered.add(number));
  }

  overflows(): number {
    return this.sockets.overflows(this.#receiver) + this.sockets.overflows(this.#sender);
  }
}

/** One connection, or one for each number, which ends when that has come back. The receiver sends every number back. */
export class TcpStream extends NumberStream implements Stream {
  readonly #listener: number;
  readonly #accepted = new Set<number>();
  /** Connections of the sender, each with the number that it has yet to send. */
  readonly #connections = new Map<number, number | undefined>();

  constructor(sockets: PacketSockets, spec: StreamSpec) {
    super(sockets, spec);
    this.#listener = sockets.listen(spec.to.ns, spec.to);
    if (spec.kind === "tcp") this.#connect();
  }

  send(): void {
    if (this.spec.kind === "fresh-tcp") {
      this.#connections.set(this.#connect(), this.sent++);
      return;
    }
    for (const fd of this.#connections.keys()) if (this.sockets.send(fd, record(this.sent))) this.sent++;
  }

  receive(): void {
    for (let fd = this.sockets.accept(this.#listener); fd !== undefined; fd = this.sockets.accept(this.#listener))
      this.#accepted.add(fd);
    for (const fd of this.#accepted) {
      const end = this.readRecords(fd, (number) => {
        this.arrived.add(number);
        this.sockets.send(fd, record(number));
      });
      if (end === "closed") {
        this.#accepted.delete(fd);
        this.sockets.close(fd);
      }
    }
    for (const [fd, number] of this.#connections) {
      if (number !== undefined && this.sockets.send(fd, record(number))) this.#connections.set(fd, undefined);
      const answers = this.answered.count;
      this.readRecords(fd, (answer) => this.answered.add(answer));
      if (this.spec.kind === "fresh-tcp" && this.answered.count > answers) this.#close(fd);
    }
  }

  /** The receiver sends a number of its own accord, in its connections as they are; it counts as an answer. */
  sendBack(number: number): void {
    for (const fd of this.#accepted) this.sockets.send(fd, record(number));
  }

  /** Packets that were sent again, by the fewer of both sides: each is an attempt to go on. */
  retries(): number {
    const sum = (fds: Iterable<number>) => [...fds].reduce((total, fd) => total + this.sockets.retransmissions(fd), 0);
    return Math.min(sum(this.#connections.keys()), sum(this.#accepted));
  }

  overflows(): number {
    return 0;
  }

  #connect(): number {
    const fd = this.sockets.connect(this.spec.from.ns, { address: this.spec.from.address, port: 0 }, this.dials);
    this.#connections.set(fd, undefined);
    return fd;
  }

  #close(fd: number): void {
    this.#connections.delete(fd);
    this.sockets.close(fd);
  }
}
