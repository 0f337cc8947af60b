// Probes over raw sockets: one for each sender, one for each namespace that receives. Opened when they are needed, once.

import { type Address, addressFamily, type Family } from "../net/address.ts";
import type { LabNetwork } from "./lab-network.ts";
import type { Arrival, Probe, ProbeLine } from "./measure.ts";
import { encodeProbe, probeNumber } from "./probe-packets.ts";
import { openRawSockets, type RawSockets } from "./raw-sockets.ts";
import { forgetConnections } from "./tracked-connections.ts";

const FIRST_SOURCE_PORT = 10_000;
const LAST_SOURCE_PORT = 59_999;
const LONGEST_PACKET = 2048;

interface Receiver {
  readonly fd: number;
  readonly ns: string;
  readonly family: Family;
  readonly protocol: number;
}

/** Throws LabError where raw sockets cannot be had. */
export async function openProbeLine(network: LabNetwork): Promise<RawProbeLine> {
  return new RawProbeLine(network, await openRawSockets(network.inside));
}

export class RawProbeLine implements ProbeLine {
  readonly #network: LabNetwork;
  readonly #sockets: RawSockets;
  readonly #senders = new Map<string, number>();
  readonly #receivers = new Map<string, Receiver>();
  /** The last source port of each (source, destination, protocol, port): connection tracking must not know a packet already. */
  readonly #lastPorts = new Map<string, number>();
  readonly #buffer = Buffer.alloc(LONGEST_PACKET);

  constructor(network: LabNetwork, sockets: RawSockets) {
    this.#network = network;
    this.#sockets = sockets;
  }

  send(probe: Probe, number: number): void {
    const { from, to, protocol, port } = probe;
    this.#listen(to.ns, addressFamily(to.address), protocol);
    const bytes = encodeProbe({
      number,
      protocol,
      source: from.address,
      destination: to.address,
      sourcePort: this.#nextPort(probe),
      destinationPort: port,
    });
    this.#sockets.send(this.#sender(from.ns, from.address, protocol), bytes, to.address);
  }

  *arrivals(): Generator<Arrival> {
    for (const { fd, ns, family, protocol } of this.#receivers.values()) {
      for (;;) {
        const length = this.#sockets.receive(fd, this.#buffer);
        if (length === undefined) break;
        // Of IPv4 the header comes with it; its length stands in the first byte, in words.
        const start = family === 4 ? ((this.#buffer[0] as number) & 15) * 4 : 0;
        const number = probeNumber(protocol, this.#buffer.subarray(start, length));
        if (number !== undefined) yield { number, ns };
      }
    }
  }

  forget(protocols: ReadonlySet<number>): Promise<void> {
    return forgetConnections(this.#network, protocols);
  }

  close(): void {
    this.#sockets.close();
  }

  #nextPort({ from, to, protocol, port }: Probe): number {
    const key = `${from.address} ${to.address} ${protocol} ${port}`;
    const last = this.#lastPorts.get(key) ?? FIRST_SOURCE_PORT + Math.floor(Math.random() * 10_000);
    const next = last >= LAST_SOURCE_PORT ? FIRST_SOURCE_PORT : last + 1;
    this.#lastPorts.set(key, next);
    return next;
  }

  #sender(ns: string, address: Address, protocol: number): number {
    const key = `${ns} ${address} ${protocol}`;
    const known = this.#senders.get(key);
    if (known !== undefined) return known;
    const fd = this.#sockets.open(ns, addressFamily(address), protocol, address);
    this.#senders.set(key, fd);
    return fd;
  }

  #listen(ns: string, family: Family, protocol: number): void {
    const key = `${ns} ${family} ${protocol}`;
    if (this.#receivers.has(key)) return;
    this.#receivers.set(key, { fd: this.#sockets.open(ns, family, protocol), ns, family, protocol });
  }
}
