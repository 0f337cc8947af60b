// Datagrams of any length between pods of a lab, and how many fragments a pod has got. Owns sending until they arrive.

import { readFileSync } from "node:fs";
import type { LabNetwork } from "../../src/lab/lab-network.ts";
import type { Family } from "../../src/net/address.ts";
import { labNetns } from "./lab-netns.ts";
import type { Place } from "./lab-scene.ts";
import { PacketSockets, socketAddress } from "./packet-sockets.ts";
import { until } from "./until.ts";

const PAUSE_MS = 100;
const LONGEST = 65_536;
/** Of senders; the kernel gives others to those that have none. */
const FIRST_PORT = 20_000;

export interface Mailbox {
  readonly at: Place;
  readonly port: number;
  readonly family: Family;
  readonly fd: number;
}

export class Datagrams {
  readonly #sockets = new PacketSockets();
  readonly #senders = new Map<string, { readonly fd: number; readonly port: number }>();
  readonly #buffer = Buffer.alloc(LONGEST);
  #sent = 0;
  #lastPort = FIRST_PORT;

  open(at: Place, family: Family, port: number): Mailbox {
    const fd = this.#sockets.udp(labNetns(at.ns), { address: at.addresses[family], port });
    return { at, port, family, fd };
  }

  /** Sends one; returns what is in it. */
  send(from: Place, { at, port, family }: Pick<Mailbox, "at" | "port" | "family">, length: number): Buffer {
    const bytes = Buffer.alloc(length, `datagram ${++this.#sent}, `);
    this.#sockets.sendTo(this.#sender(from, family).fd, bytes, socketAddress({ address: at.addresses[family], port }));
    return bytes;
  }

  /** Where its datagrams come from. */
  portOf(from: Place, family: Family): number {
    return this.#sender(from, family).port;
  }

  /** What has come. */
  take({ fd }: Mailbox): Buffer[] {
    const taken: Buffer[] = [];
    for (;;) {
      const length = this.#sockets.receive(fd, this.#buffer);
      if (length === undefined) return taken;
      taken.push(Buffer.from(this.#buffer.subarray(0, length)));
    }
  }

  /** Sends until one has come, whole. Rejects when none does. */
  async arrives(from: Place, to: Mailbox, length: number): Promise<void> {
    const sent: Buffer[] = [];
    let sentAt = -Infinity;
    await until(`${length} bytes from ${from.name} to ${to.at.name}, IPv${to.family}`, () => {
      if (performance.now() > sentAt + PAUSE_MS) {
        sent.push(this.send(from, to, length));
        sentAt = performance.now();
      }
      return this.take(to).some((came) => sent.some((bytes) => bytes.equals(came)));
    });
  }

  /** From now on datagrams come from other ports: to connection tracking they are new. */
  forgetSenders(): void {
    for (const { fd } of this.#senders.values()) this.#sockets.close(fd);
    this.#senders.clear();
  }

  close(): void {
    this.#senders.clear();
    this.#sockets.closeAll();
  }

  #sender(from: Place, family: Family): { readonly fd: number; readonly port: number } {
    const key = `${from.name} ${family}`;
    const known = this.#senders.get(key);
    if (known !== undefined) return known;
    const port = ++this.#lastPort;
    const sender = { fd: this.#sockets.udp(labNetns(from.ns), { address: from.addresses[family], port }), port };
    this.#senders.set(key, sender);
    return sender;
  }
}

/** How many fragments the namespace has taken in so far. */
export function fragmentsTaken({ inside }: LabNetwork, { ns }: Place, family: Family): number {
  return inside(ns, () => (family === 4 ? readIpv4() : readIpv6()));
}

/** Two lines: names, values. */
function readIpv4(): number {
  const [names = [], values = []] = readFileSync("/proc/thread-self/net/snmp", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("Ip:"))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf("ReasmReqds")]);
}

function readIpv6(): number {
  return Number(/^Ip6ReasmReqds\s+(\d+)/m.exec(readFileSync("/proc/thread-self/net/snmp6", "utf8"))?.[1]);
}
