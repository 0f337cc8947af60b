// The agent as a process of its own inside a node's namespace, as it runs in production, and its log.
// Owns starting, ending and reading it; what it should do is the tests'.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { findProgram } from "../../scripts/system-tools.ts";
import type { Netns, RunResult } from "./netns.ts";
import type { WayToWrite } from "./packet-ways.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");
const PATIENCE_MS = 45_000;

export const NODE_NAME = "node-1";

/** A version of the program, and which of today's options it lacks. */
export interface AgentProgram {
  readonly main: string;
  readonly lacks: readonly string[];
}

export const THIS_VERSION: AgentProgram = { main: MAIN, lacks: [] };

/** What another life may have another of. */
const BACKEND_OPTIONS = ["--backend", "--iptables-variant"];

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Runs a verb of nftpol in the namespace, to its end. */
export function runNftpolIn(node: Netns, ...args: readonly string[]): Promise<RunResult> {
  return node.run([process.execPath, MAIN, ...args]);
}

/** Calls `body` with a started agent; whatever happens, it has ended afterwards. `way`: by default the agent chooses. */
export async function withAgent<T>(
  node: Netns,
  args: readonly string[],
  body: (agent: PacketAgent) => Promise<T>,
  way?: WayToWrite,
): Promise<T> {
  const agent = new PacketAgent(node, args, way);
  try {
    await agent.start();
    return await body(agent);
  } finally {
    await agent.end("SIGKILL");
  }
}

export class PacketAgent {
  /** Of all its lives, in order. */
  readonly log: LogLine[] = [];
  readonly #node: Netns;
  #args: readonly string[];
  readonly #path: string | undefined;
  #program = THIS_VERSION;
  #stderr = "";
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> = Promise.resolve(null);

  /** `args`: where it reads the cluster, and what differs from the usual. */
  constructor(node: Netns, args: readonly string[], way?: WayToWrite) {
    this.#node = node;
    this.#args = ["agent", "--node-name", NODE_NAME, "--log-level", "debug", ...(way?.args ?? []), ...args];
    this.#path = way?.path ?? process.env.PATH;
  }

  /** Of its next life: these options in place of what it had for them. */
  changeArguments(words: readonly string[]): void {
    const names = words.filter((word) => word.startsWith("--"));
    if (names.some((name) => !BACKEND_OPTIONS.includes(name))) throw new Error(`not foreseen: ${names.join(" ")}`);
    this.#args = [...withoutOptions(this.#args, BACKEND_OPTIONS), ...words];
  }

  /** Of its next life: another version of the program. */
  changeVersion(program: AgentProgram): void {
    this.#program = program;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error("the agent does not run");
    return pid;
  }

  /** Resolves when its rules are in force. `ip netns exec` becomes the agent's process: its pid is the agent's. */
  async start(): Promise<void> {
    const from = this.log.length;
    this.launch();
    await this.logged("rules in force", from);
  }

  /** Does not wait for anything. */
  launch(): void {
    const { main, lacks } = this.#program;
    const args = withoutOptions(this.#args, lacks);
    const argv = ["netns", "exec", this.#node.name, process.execPath, main, ...args];
    const env = { ...process.env, PATH: this.#path };
    const child = spawn(findProgram("ip") ?? "ip", argv, { env, stdio: ["ignore", "pipe", "pipe"] });
    createInterface({ input: child.stdout }).on("line", (line) => this.log.push(JSON.parse(line) as LogLine));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#ended = new Promise((done, fail) => child.once("close", (code) => done(code)).once("error", fail));
    this.#child = child;
  }

  /** Resolves when it has gone, at once if it had before; to its exit code, null after a signal. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    this.#child?.kill(signal);
    const code = await this.#ended;
    this.#child = undefined;
    return code;
  }

  /** The first line with this message among those from `from` on; waits for it. */
  async logged(message: string, from = 0, patienceMs = PATIENCE_MS): Promise<LogLine> {
    const endsAt = performance.now() + patienceMs;
    let looked = from;
    for (;;) {
      for (; looked < this.log.length; looked++) {
        const line = this.log[looked] as LogLine;
        if (line.msg === message) return line;
      }
      if (this.#child === undefined || this.#child.exitCode !== null) throw new Error(this.#story(message));
      if (performance.now() > endsAt) throw new Error(this.#story(message));
      await new Promise((wake) => setTimeout(wake, 1));
    }
  }

  /** Waits for the line, but no longer than this: whether it came. */
  async loggedWithin(ms: number, message: string, from: number): Promise<boolean> {
    const endsAt = performance.now() + ms;
    while (this.lines(message, from).length === 0) {
      if (performance.now() > endsAt) return false;
      await new Promise((wake) => setTimeout(wake, 1));
    }
    return true;
  }

  lines(message: string, from = 0): readonly LogLine[] {
    return this.log.slice(from).filter((line) => line.msg === message);
  }

  /** The processes that it has started and that still live: its nft. */
  children(): readonly number[] {
    return readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  }

  #story(missing: string): string {
    const last = this.log.slice(-8).map((line) => JSON.stringify(line));
    return `the agent did not say "${missing}"; it said\n${last.join("\n")}\n${this.#stderr}`;
  }
}

/** Each of them has a value. */
function withoutOptions(args: readonly string[], options: readonly string[]): readonly string[] {
  return args.filter((word, index) => !options.includes(word) && !options.includes(args[index - 1] ?? ""));
}
