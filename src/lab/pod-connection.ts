// A client inside a pod: one TCP connection to a pod's server, asked again and again.

import type { Socket } from "node:net";
import type { Address } from "../net/address.ts";
import type { LabNetwork } from "./lab-network.ts";
import type { ProbeEnd } from "./measure.ts";
import { connectInside } from "./pod-sockets.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: pod\r\n\r\n";

export class PodConnection {
  readonly #socket: Socket;
  #received = "";
  #isClosed = false;
  #wake = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    const noticed = () => this.#wake();
    socket
      .setEncoding("utf8")
      .on("data", (text: string) => {
        this.#received += text;
        noticed();
      })
      .on("connect", noticed)
      .on("close", () => {
        this.#isClosed = true;
        noticed();
      })
      // Reset or unreachable: "close" follows.
      .on("error", () => {});
  }

  /** undefined: there was no connection within `patienceMs`. */
  static async open(
    { inside }: LabNetwork,
    from: ProbeEnd,
    to: Address,
    port: number,
    patienceMs: number,
  ): Promise<PodConnection | undefined> {
    const connection = new PodConnection(connectInside(inside, from.ns, to, port));
    const isOpen = await connection.#until(patienceMs, () => !connection.#socket.connecting);
    if (isOpen && !connection.#isClosed) return connection;
    connection.close();
    return undefined;
  }

  /** The port that this end has. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** Sends a request; the answer's body, or undefined when none came within `patienceMs`. The connection stays open. */
  async ask(patienceMs: number): Promise<string | undefined> {
    this.#received = "";
    this.#socket.write(REQUEST);
    await this.#until(patienceMs, () => this.#isClosed || this.#body() !== undefined);
    return this.#body();
  }

  close(): void {
    this.#socket.destroy();
  }

  #body(): string | undefined {
    const [, length, body = ""] = /Content-Length: (\d+)\r\n\r\n(.*)$/s.exec(this.#received) ?? [];
    return length !== undefined && Buffer.byteLength(body) >= Number(length) ? body.trimEnd() : undefined;
  }

  /** Whether it came true in time. */
  async #until(patienceMs: number, isTrue: () => boolean): Promise<boolean> {
    const endsAt = performance.now() + patienceMs;
    while (!isTrue()) {
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return true;
  }
}
