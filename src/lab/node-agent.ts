// The agent of one of the lab's nodes: this program, started as `nftpol agent` inside the node's namespace, and its log.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { LabError } from "./lab-error.ts";
import type { Leash } from "./leash.ts";
import type { InsideNetns } from "./netns.ts";

/** How to start this program again: the runtime with its options, and the program. */
export type SelfCommand = readonly [string, ...string[]];

export interface NodeAgentSettings {
  readonly self: SelfCommand;
  readonly ns: string;
  readonly inside: InsideNetns;
  readonly leash: Leash;
  readonly nodeName: string;
  readonly manifests: string;
  /** Options of `nftpol agent` besides. */
  readonly options: readonly string[];
}

export interface AgentLogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A node without CPU time starts slowly; one that never has its rules is no lab. */
const PATIENCE_MS = 60_000;

const END_PATIENCE_MS = 1_000;

/** A lab's shell may be open for days. */
const KEPT_LINES = 500;

export class NodeAgent {
  readonly nodeName: string;
  /** The last ones. */
  readonly log: AgentLogLine[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #stderr = "";
  #isInForce = false;
  #wake = () => {};

  /** Starts it; it is a process of its own. */
  constructor({ self, ns, inside, leash, nodeName, manifests, options }: NodeAgentSettings) {
    this.nodeName = nodeName;
    const [program = "", ...start] = [...leash("TERM"), ...self];
    const argv = [
      ...start,
      "agent",
      ...["--node-name", nodeName],
      ...["--manifests", manifests],
      ...["--health-address", "off"],
      ...["--metrics-address", "off"],
      ...options,
    ];
    // The child's namespace is that of the thread that starts it. A group of its own: Ctrl-C is the lab's to handle.
    this.#child = inside(ns, () => spawn(program, argv, { stdio: ["ignore", "pipe", "pipe"], detached: true }));
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error("an agent without output");
    createInterface({ input: stdout }).on("line", (line) => {
      this.#keep(readLine(line));
    });
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#ended = new Promise<void>((resolve) => {
      this.#child
        .once("close", () => resolve())
        .once("error", (error) => {
          this.#stderr += error.message;
          resolve();
        });
    }).then(() => this.#wake());
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when its rules are in force for the first time. Throws LabError when it ends before, or takes too long. */
  async started(): Promise<void> {
    const endsAt = performance.now() + PATIENCE_MS;
    while (!this.#isInForce) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null || performance.now() > endsAt) {
        throw new LabError(`the agent of ${this.nodeName} has no rules in force: ${this.#lastWords()}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Ends it: by itself if it does so soon, as it may have a file open. Its rules go with the node. */
  async end(): Promise<void> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), END_PATIENCE_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #keep(line: AgentLogLine): void {
    this.log.push(line);
    if (this.log.length > KEPT_LINES) this.log.shift();
    if (line.msg !== "rules in force") return;
    this.#isInForce = true;
    this.#wake();
  }

  #lastWords(): string {
    const worst = this.log.filter(({ level }) => level === "error" || level === "warn").at(-1);
    if (this.#stderr !== "") return this.#stderr.trim();
    return worst === undefined ? "it says nothing of it" : JSON.stringify(worst);
  }
}

function readLine(line: string): AgentLogLine {
  try {
    return JSON.parse(line) as AgentLogLine;
  } catch {
    return { level: "error", msg: line };
  }
}
