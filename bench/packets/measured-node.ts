// A node with a client pod and a server pod, in namespaces of their own. Owns the rules that are loaded there, the connections that
// are known, the packets that the client sends, and what arrives.

import { encodeProbe } from "../../src/lab/probe-packets.ts";
import { PROTOCOL_NUMBER } from "../../src/model/flow.ts";
import type { Address } from "../../src/net/address.ts";
import { mustRun } from "../../test/support/lab-netns.ts";
import type { BenchRules, RunInNode } from "./backend.ts";
import type { PodLines } from "./bench-lines.ts";
import { countersIn } from "./nft-rules.ts";
import type { Burst } from "./packet-sender.ts";
import type { Ends, PacketKind } from "./variant.ts";

/** Bursts of one size; before each, some packets that are not timed: they find other rules' data in the caches. */
export interface BurstPlan {
  readonly bursts: number;
  readonly packets: number;
  readonly untimedPackets: number;
}

export interface NodeParts extends PodLines {
  /** Namespaces. */
  readonly node: string;
  readonly client: string;
  readonly server: string;
  readonly ends: Ends;
}

/** New flows have this source port and those above. */
const FIRST_SOURCE_PORT = 2000;
const ANSWERED_SOURCE_PORT = 1999;
const HELLO_PORT = 9;

/** Nobody sees what arrives but the counter: no socket, no answer. */
const SINK = `table netdev sink {
  counter arrived { }
  chain ingress {
    type filter hook ingress device "eth0" priority 0; policy accept;
    meta l4proto udp counter name arrived drop
  }
}`;

/** Packets of one kind, ready to be sent. */
export interface PreparedBursts {
  readonly bursts: readonly { readonly untimed: Burst; readonly timed: Burst }[];
  readonly packets: number;
}

export class MeasuredNode {
  readonly #parts: NodeParts;
  readonly #prepared = new Map<string, PreparedBursts>();

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  /** From now on; also for the other family's node of the same namespaces. */
  async countArrivals(): Promise<void> {
    const { client, server } = this.#parts;
    for (const ns of [client, server]) await mustRun(ns, ["nft", "-f", "-"], SINK);
  }

  get ends(): Ends {
    return this.#parts.ends;
  }

  /** Where its rules are loaded, and read back. */
  readonly run: RunInNode = (argv, input) => mustRun(this.#parts.node, argv, input);

  /** These rules and no others. */
  load(rules: BenchRules): Promise<void> {
    return rules.load(this.run);
  }

  /** From now on every packet is the first of its flow. */
  async forgetConnections(): Promise<void> {
    await mustRun(this.#parts.node, ["conntrack", "-F"]);
  }

  /** A packet each way, so that neighbours are known. */
  sayHello(): void {
    this.openFlow(HELLO_PORT);
  }

  /** A packet to the port, and an answer: the flow of the `established` packets. */
  openFlow(port: number): void {
    const { ends, there, back } = this.#parts;
    there.send({ count: 1, bytes: udp(ends.client, ANSWERED_SOURCE_PORT, ends.server, port) });
    back.send({ count: 1, bytes: udp(ends.server, port, ends.client, ANSWERED_SOURCE_PORT) });
  }

  /** All packets but those of `established` are the first of their flow. Made once, then kept. */
  prepare(kind: PacketKind, port: number, plan: BurstPlan): PreparedBursts {
    const key = JSON.stringify([kind === "established", port, plan]);
    let prepared = this.#prepared.get(key);
    if (prepared === undefined) {
      prepared = this.#make(kind, port, plan);
      this.#prepared.set(key, prepared);
    }
    return prepared;
  }

  #make(kind: PacketKind, port: number, { bursts, packets, untimedPackets }: BurstPlan): PreparedBursts {
    const { ends } = this.#parts;
    let next = FIRST_SOURCE_PORT;
    const take = (count: number): Burst => {
      const sourcePorts = repeat(count, () => (kind === "established" ? ANSWERED_SOURCE_PORT : next++));
      const packets = sourcePorts.map((sourcePort) => udp(ends.client, sourcePort, ends.server, port));
      return { count, bytes: Buffer.concat(packets) };
    };
    return {
      bursts: repeat(bursts, () => ({ untimed: take(untimedPackets), timed: take(packets) })),
      packets: bursts * (packets + untimedPackets),
    };
  }

  /** In nanoseconds. */
  send(burst: Burst): number {
    return this.#parts.there.send(burst);
  }

  /** So many TCP connections to the port, one after the other; in nanoseconds. */
  connect(count: number, port: number): number {
    const { tcp } = this.#parts;
    return tcp.connect(tcp.prepare(count, port));
  }

  /** Packets at the server's link since it was asked last. */
  async arrived(): Promise<number> {
    const argv = ["nft", "-j", "reset", "counter", "netdev", "sink", "arrived"];
    return countersIn(await mustRun(this.#parts.server, argv)).get("arrived") ?? Number.NaN;
  }
}

function repeat<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

function udp(source: Address, sourcePort: number, destination: Address, destinationPort: number): Buffer {
  return encodeProbe({ number: 0, protocol: PROTOCOL_NUMBER.UDP, source, sourcePort, destination, destinationPort });
}
