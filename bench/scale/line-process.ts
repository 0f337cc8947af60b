// A program that answers in lines. Owns its start and its end.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export class LineProcess {
  readonly pid: number;
  readonly #child: ReturnType<typeof LineProcess.spawn>;
  readonly #lines: AsyncIterator<string>;

  constructor(argv: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.#child = LineProcess.spawn(argv, env);
    this.#child.stdin.on("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    if (this.#child.pid === undefined) throw new Error(`${argv[0]} cannot be started`);
    this.pid = this.#child.pid;
  }

  private static spawn([program = "", ...args]: readonly string[], env: NodeJS.ProcessEnv) {
    return spawn(program, args, { stdio: ["pipe", "pipe", "inherit"], env });
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Rejects when the program ends instead. */
  async nextLine(): Promise<string> {
    const step = await this.#lines.next();
    if (step.done) throw new Error(`${this.#child.spawnargs.slice(0, 3).join(" ")} has ended`);
    return step.value;
  }

  /** Sends a line and waits for the answer. */
  async ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    return await this.nextLine();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await ended;
  }
}
