// The API server's process, as the measured one sees it. Owns its life and the words between the two.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CHANGE_KINDS, type ChangeKind } from "./changes.ts";
import type { ClusterSize } from "./cluster.ts";

export interface ApiServer {
  readonly pid: number;
  readonly url: string;
  /** It reaches the agent soon after. */
  send(kind: ChangeKind, round: number): void;
  /** Costs the caller the same. */
  sendNothing(): void;
  /** When each change was written to its socket since the last call: milliseconds of CLOCK_MONOTONIC. */
  takeTimes(): Promise<readonly number[]>;
  end(): Promise<void>;
}

export async function startApiServer({ pods, policies }: ClusterSize): Promise<ApiServer> {
  const program = join(import.meta.dirname, "watch-server.ts");
  const child = spawn(process.execPath, [program, String(pods), String(policies)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the API server has ended");
    return value;
  };
  const port = await nextLine();
  return {
    pid: child.pid as number,
    url: `http://127.0.0.1:${port}`,
    send: (kind, round) => child.stdin.write(`${CHANGE_KINDS.indexOf(kind)} ${round}\n`),
    sendNothing: () => child.stdin.write("nothing\n"),
    async takeTimes() {
      child.stdin.write("times\n");
      return JSON.parse(await nextLine());
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, "exit");
    },
  };
}
