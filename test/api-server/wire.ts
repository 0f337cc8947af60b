// The network between client and server: a TCP proxy whose bytes can vanish. Connections that were there when they
// vanished stay dead after it has healed, as with a lost NAT entry.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class Wire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isBlackhole = false;
  #isRefusing = false;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#accept(client, targetPort));
  }

  static async start(targetPort: number): Promise<Wire> {
    const wire = new Wire(targetPort);
    await new Promise<void>((resolve) => wire.#server.listen(0, "127.0.0.1", resolve));
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on nothing arrives on either side, and nobody is told. New connections are taken and stay silent, too. */
  blackhole(): void {
    this.#isBlackhole = true;
    for (const socket of this.#sockets) silence(socket);
  }

  /** Cuts all connections, and from now on new ones at once. */
  refuse(): void {
    this.#isRefusing = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** New connections work again. */
  heal(): void {
    this.#isBlackhole = false;
    this.#isRefusing = false;
  }

  /** All connections so far work no more; new ones do. */
  loseConnections(): void {
    for (const socket of this.#sockets) silence(socket);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(client: Socket, targetPort: number): void {
    this.#keep(client);
    if (this.#isRefusing) {
      client.destroy();
      return;
    }
    if (this.#isBlackhole) {
      silence(client);
      return;
    }
    const server = connect(targetPort, "127.0.0.1");
    this.#keep(server);
    client.pipe(server).pipe(client);
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
  }
}

/** Whatever comes is left unread in the kernel, and whatever is on its way is forgotten. */
function silence(socket: Socket): void {
  socket.unpipe();
  socket.pause();
}
