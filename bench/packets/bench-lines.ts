// What opens and closes the sockets of all pods.

import type { InsideNetns } from "../../src/lab/netns.ts";
import { PacketSender } from "./packet-sender.ts";
import { TcpLine } from "./tcp-line.ts";
import type { Ends } from "./variant.ts";

/** Between a client and a server. */
export interface PodLines {
  readonly there: PacketSender;
  readonly back: PacketSender;
  readonly tcp: TcpLine;
}

export class BenchLines {
  readonly #inside: InsideNetns;
  readonly #open: { close(): void }[] = [];

  constructor(inside: InsideNetns) {
    this.#inside = inside;
  }

  async open(namespaces: Readonly<Record<"client" | "server", string>>, ends: Ends): Promise<PodLines> {
    const { client, server } = ends;
    const there = await PacketSender.open(this.#inside, { ns: namespaces.client, from: client, to: server });
    const back = await PacketSender.open(this.#inside, { ns: namespaces.server, from: server, to: client });
    const tcp = await TcpLine.open(this.#inside, namespaces, ends);
    this.#open.push(there, back, tcp);
    return { there, back, tcp };
  }

  close(): void {
    for (const line of this.#open) line.close();
  }
}
