// The network between client and API server: a TCP proxy whose bytes can vanish without anybody being told.

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class UnreliableNetwork {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #lost = new Set<Socket>();
  #isBlackhole = false;
  #isRefusing = false;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#accept(client, targetPort));
  }

  static async start(targetPort: number): Promise<UnreliableNetwork> {
    const network = new UnreliableNetwork(targetPort);
    await new Promise<void>((resolve) => network.#server.listen(0, "127.0.0.1", resolve));
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on nothing arrives on either side. New connections are taken and stay silent, too. */
  blackhole(): void {
    this.#isBlackhole = true;
    this.loseConnections();
  }

  /** Cuts all connections, and from now on new ones at once. */
  refuse(): void {
    this.#isRefusing = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** All connections so far work no more, as with a lost NAT entry; new ones do. */
  loseConnections(): void {
    for (const socket of this.#sockets) this.#lose(socket);
  }

  /** New connections work again. Those that are lost stay lost. */
  heal(): void {
    this.#isBlackhole = false;
    this.#isRefusing = false;
  }

  /** Both ends are told about lost connections. */
  resetLostConnections(): void {
    for (const socket of this.#lost) socket.destroy();
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
      this.#lose(client);
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
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#lost.delete(socket);
    });
  }

  /** Whatever comes is left unread in the kernel, and whatever is on its way is forgotten. */
  #lose(socket: Socket): void {
    this.#lost.add(socket);
    socket.unpipe();
    socket.pause();
  }
}
