// The scale benchmark's API server as the benchmark sees it. Owns its start, its commands' pace, and readers to compare the agent with.

import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ClusterSize } from "./cluster.ts";
import { LineProcess } from "./line-process.ts";
import { cpuSecondsOf } from "./process-usage.ts";

export type ServerCommand =
  | "relabel"
  | "touch"
  | "toggle-clients"
  | "replace"
  | "add-policies"
  | "remove-policies"
  | "restart-watches"
  | "expire";

export interface ReadTimes {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly bytes: number;
}

export class ApiServerProcess {
  readonly port: number;
  readonly #process: LineProcess;

  private constructor(process: LineProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start({ remotePods, localPods, nodes, policies }: ClusterSize, podBytes: number) {
    const program = join(import.meta.dirname, "api-server.ts");
    const args = [remotePods, localPods, nodes, policies, podBytes].map(String);
    const server = new LineProcess([process.execPath, program, ...args]);
    return new ApiServerProcess(server, Number(await server.nextLine()));
  }

  /** Resolves when everything is sent. */
  async command(command: ServerCommand, count = 0): Promise<void> {
    await this.#process.ask(`${command} ${count}`);
  }

  /** So many of something, `atOnce` together, `perSecond` of them at most. */
  async paced(command: ServerCommand, count: number, atOnce: number, perSecond: number): Promise<void> {
    const beganAt = performance.now();
    for (let sent = 0; sent < count; sent += atOnce) {
      const dueMs = beganAt + (sent / perSecond) * 1000 - performance.now();
      if (dueMs > 0) await delay(dueMs);
      await this.command(command, Math.min(atOnce, count - sent));
    }
  }

  /** A client that reads all pods and does nothing with them, or nothing but parse them; from its first request on. */
  async read(what: "bytes" | "json"): Promise<ReadTimes> {
    const reader = new LineProcess([process.execPath, join(import.meta.dirname, "reader.ts"), String(this.port), what]);
    try {
      await reader.nextLine();
      const [startedAt, startedWith] = [performance.now(), cpuSecondsOf(reader.pid)];
      const [, bytes] = (await reader.nextLine()).split(" ");
      return {
        seconds: (performance.now() - startedAt) / 1000,
        cpuSeconds: cpuSecondsOf(reader.pid) - startedWith,
        bytes: Number(bytes),
      };
    } finally {
      await reader.end();
    }
  }

  /** Like `paced`, with a client that parses every event and does nothing else: CPU seconds of that client. */
  async readEvents(send: () => Promise<void>): Promise<number> {
    const reader = new LineProcess([
      process.execPath,
      join(import.meta.dirname, "reader.ts"),
      String(this.port),
      "json",
    ]);
    try {
      await reader.nextLine();
      await reader.nextLine();
      await delay(500);
      const before = cpuSecondsOf(reader.pid);
      await send();
      await delay(500);
      return cpuSecondsOf(reader.pid) - before;
    } finally {
      await reader.end();
    }
  }

  async end(): Promise<void> {
    await this.#process.end();
  }
}
