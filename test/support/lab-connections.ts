// TCP connections between pods of a lab, one by one: opened, used in both directions, and looked at. Owns their sockets.

import type { Family } from "../../src/net/address.ts";
import type { Addresses } from "./lab-manifests.ts";
import { labNetns } from "./lab-netns.ts";
import type { Place, Scene } from "./lab-scene.ts";
import { PacketSockets } from "./packet-sockets.ts";
import { until } from "./until.ts";

export interface ConnectionEnds {
  readonly from: Place;
  readonly to: Place;
  readonly family: Family;
  /** What the client dials, if that is translated to the server on the way. */
  readonly dials?: Addresses;
}

const FIRST_PORT = 7000;
const CUT = "connections cut that policies no longer allow";

/** How many connections the agents of all nodes have cut. */
export function cutBy({ lab }: Scene): number {
  const lines = lab.agents.flatMap(({ log }) => log).filter(({ msg }) => msg === CUT);
  return lines.reduce((sum, line) => sum + Number(line.cut), 0);
}

/** Calls `body` with connections that close with it. */
export async function withConnections(body: (connections: Connections) => Promise<void>): Promise<void> {
  const sockets = new PacketSockets();
  try {
    await body(new Connections(sockets));
  } finally {
    sockets.closeAll();
  }
}

export class Connections {
  readonly #sockets: PacketSockets;
  #lastPort = FIRST_PORT;

  constructor(sockets: PacketSockets) {
    this.#sockets = sockets;
  }

  /** Begins to connect, to a port of its own. */
  begin({ from, to, family, dials = to.addresses }: ConnectionEnds): Connection {
    const at = { address: to.addresses[family], port: ++this.#lastPort };
    const listener = this.#sockets.listen(labNetns(to.ns), at);
    const client = this.#sockets.connect(
      labNetns(from.ns),
      { address: from.addresses[family], port: 0 },
      { address: dials[family], port: at.port },
    );
    return new Connection(this.#sockets, `${from.name} -> ${to.name}, IPv${family}`, listener, client);
  }

  /** Connected, and both sides have heard of each other. */
  async open(ends: ConnectionEnds): Promise<Connection> {
    const connection = this.begin(ends);
    await connection.flows();
    return connection;
  }
}

export class Connection {
  readonly name: string;
  readonly #sockets: PacketSockets;
  readonly #listener: number;
  readonly #client: number;
  readonly #buffer = Buffer.alloc(4096);
  #server: number | undefined;
  #toServer = "";
  #toClient = "";
  #words = 0;

  constructor(sockets: PacketSockets, name: string, listener: number, client: number) {
    this.#sockets = sockets;
    this.name = name;
    this.#listener = listener;
    this.#client = client;
  }

  /** The server has taken it. */
  isAccepted(): boolean {
    this.#server ??= this.#sockets.accept(this.#listener);
    return this.#server !== undefined;
  }

  /** A new word of the client gets to the server, then one of the server to the client. Rejects when that does not happen. */
  async flows(): Promise<void> {
    await until(`${this.name}: accepted`, () => this.isAccepted());
    await this.#wordArrives(this.#client, () => this.receivedByServer());
    await this.#wordArrives(this.#server as number, () => this.receivedByClient());
  }

  /** Both sides say something, in the connection as it is; whether it gets anywhere is seen later. */
  speak(): void {
    for (const fd of [this.#client, this.#server])
      if (fd !== undefined) this.#sockets.send(fd, Buffer.from(`word ${++this.#words}.`));
  }

  receivedByServer(): string {
    if (this.#server !== undefined) this.#toServer += this.#read(this.#server);
    return this.#toServer;
  }

  receivedByClient(): string {
    this.#toClient += this.#read(this.#client);
    return this.#toClient;
  }

  /** Packets that the client sent again: each is an attempt to go on. */
  retries(): number {
    return this.#sockets.retransmissions(this.#client);
  }

  async #wordArrives(fd: number, received: () => string): Promise<void> {
    const word = `word ${++this.#words}.`;
    await until(`${this.name}: connected`, () => this.#sockets.send(fd, Buffer.from(word)));
    await until(`${this.name}: ${word}`, () => received().includes(word));
  }

  #read(fd: number): string {
    const length = this.#sockets.receive(fd, this.#buffer);
    return length === undefined ? "" : this.#buffer.toString("utf8", 0, length);
  }
}
