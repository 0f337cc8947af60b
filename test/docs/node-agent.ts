// The agent that a page starts: it has no end of its own. Owns its process: one at a time, waited for until its rules are in force.

import type { ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import type { RunResult } from "../cli/run-nftpol.ts";
import { until } from "../support/until.ts";

export type ShellProcess = ChildProcessByStdio<null, Readable, Readable>;

/** What the log says when the first state has been taken over, with and without --dry-run. */
const IN_FORCE = /"msg":"rules (in force|would be in force)"/;

export class NodeAgent {
  readonly #start: (script: string) => ShellProcess;
  #running: { readonly process: ShellProcess; readonly ended: Promise<number | null> } | undefined;

  constructor(start: (script: string) => ShellProcess) {
    this.#start = start;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** The exit code 0 says that it works; one that ends instead gives its own. */
  async replace(script: string): Promise<RunResult> {
    const before = await this.stop();
    if (before !== 0) throw new Error(`the agent before it ended with ${before}`);
    const child = this.#start(`exec ${script.replace(/^sudo /, "")}`);
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        output[stream] += text;
      });
    }
    let hasEnded = false;
    const ended = new Promise<number | null>((resolve, reject) => {
      child.on("error", reject).on("close", (code) => {
        hasEnded = true;
        resolve(code);
      });
    });
    this.#running = { process: child, ended };
    await until(`${script} has rules in force`, () => hasEnded || IN_FORCE.test(output.stdout), 20_000).catch(
      (error) => {
        throw new Error(`${error.message}: ${output.stdout}${output.stderr}`);
      },
    );
    if (!hasEnded) return { code: 0, ...output };
    this.#running = undefined;
    return { code: await ended, ...output };
  }

  /** SIGTERM, and its exit code; 0 where there is none. */
  async stop(): Promise<number | null> {
    const running = this.#running;
    this.#running = undefined;
    running?.process.kill("SIGTERM");
    return running === undefined ? 0 : await running.ended;
  }
}
