// TCP connections from one pod to another, one after the other: connect, a byte each way, close. Owns the sockets, which are opened in
// the pods' namespaces, and how long it took. On veths between namespaces, a system call does all that is done for the packets it
// sends, those that answer included: nobody waits, and no other process takes part. Eight calls a connection go through koffi, some
// 0.2 us each: a twentieth of what is measured is neither rules nor network, and ratios to the floor are that much too near to 1.

import type { InsideNetns } from "../../src/lab/netns.ts";
import { type Address, addressFamily } from "../../src/net/address.ts";
import { kernelFamily } from "../../src/netlink/address-bytes.ts";
import { socketAddress } from "./socket-address.ts";
import type { Ends } from "./variant.ts";

type Koffi = typeof import("koffi").default;

const SOCK_STREAM_CLOEXEC = 1 | 0x80000;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const BACKLOG = 16;
/** What was lost shall end the benchmark, not stop it. */
const PATIENCE_SECONDS = 3n;

export interface TcpNamespaces {
  readonly client: string;
  readonly server: string;
}

/** Sockets that are to be connected. */
export interface PreparedConnections {
  readonly clients: readonly number[];
  readonly listener: number;
  readonly to: Buffer;
}

/** Closes with `close()`. */
export class TcpLine {
  readonly #libc: ReturnType<typeof bindLibc>;
  readonly #inside: InsideNetns;
  readonly #namespaces: TcpNamespaces;
  readonly #server: Address;
  readonly #listeners = new Map<number, number>();
  readonly #byte = Buffer.alloc(1);

  private constructor(koffi: Koffi, inside: InsideNetns, namespaces: TcpNamespaces, { server }: Ends) {
    this.#libc = bindLibc(koffi);
    this.#inside = inside;
    this.#namespaces = namespaces;
    this.#server = server;
  }

  static async open(inside: InsideNetns, namespaces: TcpNamespaces, ends: Ends): Promise<TcpLine> {
    return new TcpLine((await import("koffi")).default, inside, namespaces, ends);
  }

  /** Nothing is sent yet. Each can be used once. */
  prepare(count: number, port: number): PreparedConnections {
    const listener = this.#listeners.get(port) ?? this.#listen(port);
    this.#listeners.set(port, listener);
    const clients = this.#inside(this.#namespaces.client, () => Array.from({ length: count }, () => this.#socket()));
    return { clients, listener, to: socketAddress(this.#server, port) };
  }

  /** In nanoseconds. Throws where a packet is lost. */
  connect({ clients, listener, to }: PreparedConnections): number {
    const begin = process.hrtime.bigint();
    for (const client of clients) this.#connection(client, listener, to);
    return Number(process.hrtime.bigint() - begin);
  }

  #connection(client: number, listener: number, to: Buffer): void {
    const { connect, accept4, send, recv, close } = this.#libc;
    this.#check("a connection", connect(client, to, to.length));
    const server = accept4(listener, null, null, SOCK_CLOEXEC);
    this.#check("to accept", server);
    this.#check("a byte", send(client, this.#byte, 1, 0));
    this.#check("the byte", recv(server, this.#byte, 1, 0));
    this.#check("a byte back", send(server, this.#byte, 1, 0));
    this.#check("the byte back", recv(client, this.#byte, 1, 0));
    close(client);
    close(server);
  }

  close(): void {
    for (const listener of this.#listeners.values()) this.#libc.close(listener);
  }

  #listen(port: number): number {
    const listener = this.#inside(this.#namespaces.server, () => this.#socket());
    const address = socketAddress(this.#server, port);
    this.#check(`port ${port}`, this.#libc.bind(listener, address, address.length));
    this.#check("to listen", this.#libc.listen(listener, BACKLOG));
    return listener;
  }

  /** In the namespace that this thread is in. */
  #socket(): number {
    const fd = this.#libc.socket(kernelFamily(addressFamily(this.#server)), SOCK_STREAM_CLOEXEC, 0);
    this.#check("a socket", fd);
    const patience = Buffer.alloc(16);
    patience.writeBigInt64LE(PATIENCE_SECONDS);
    for (const option of [SO_RCVTIMEO, SO_SNDTIMEO])
      this.#check("a time limit", this.#libc.setsockopt(fd, SOL_SOCKET, option, patience, patience.length));
    return fd;
  }

  #check(what: string, result: number): void {
    if (result < 0) throw new Error(`the kernel refuses ${what}: errno ${this.#libc.errno()}`);
  }
}

function bindLibc(koffi: Koffi) {
  const library = koffi.load(null);
  return {
    socket: library.func("int socket(int, int, int)"),
    setsockopt: library.func("int setsockopt(int, int, int, const void *, unsigned int)"),
    bind: library.func("int bind(int, const void *, unsigned int)"),
    listen: library.func("int listen(int, int)"),
    connect: library.func("int connect(int, const void *, unsigned int)"),
    accept4: library.func("int accept4(int, void *, void *, int)"),
    send: library.func("int64_t send(int, const void *, uint64_t, int)"),
    recv: library.func("int64_t recv(int, void *, uint64_t, int)"),
    close: library.func("int close(int)"),
    errno: () => koffi.errno(),
  };
}
