// `nftpol lab …` as a process of its own, with a temporary folder of its own: what it makes, and what is left of it.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import { findProgram } from "../../scripts/system-tools.ts";
import { until } from "./until.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const MAIN = join(PROJECT, "src/cli/main.ts");
const NETNS_FOLDER = "/run/netns";

export interface LabProcessOptions {
  /** Where its temporary folders are; by default one that is removed when the test ends. */
  readonly temporary?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Another command: one that starts the lab. */
  readonly instead?: readonly [string, ...string[]];
}

export interface LabEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class LabProcess {
  readonly temporary: string;
  readonly ended: Promise<LabEnd>;
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;

  /** Starts `nftpol lab ARGS`, the leader of a process group. It is killed when the test ends. */
  constructor(args: readonly string[], { temporary, environment, instead }: LabProcessOptions = {}) {
    this.temporary = temporary ?? temporaryFolder();
    const [program, ...rest] = instead ?? [process.execPath, MAIN, "lab", ...args];
    this.#child = spawn(program, rest, {
      cwd: PROJECT,
      env: { ...process.env, TMPDIR: this.temporary, ...environment },
      stdio: "pipe",
      detached: true,
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.#child.stdin?.on("error", () => {});
    this.ended = new Promise((settle) => this.#child.on("close", (code, signal) => settle({ code, signal })));
    onTestFinished(async () => {
      this.#child.kill("SIGKILL");
      await this.ended;
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** To what its standard input is. */
  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** As a terminal does it on Ctrl-C: to all processes of the group. */
  signalGroup(name: NodeJS.Signals): void {
    process.kill(-this.pid, name);
  }

  /** Waits until it has written this, to either stream. */
  async says(text: string): Promise<void> {
    const isSaid = () => this.stdout.includes(text) || this.stderr.includes(text);
    await until(`the lab says ${JSON.stringify(text)}`, () => isSaid() || this.#hasEnded(), 30_000);
    if (!isSaid()) throw new Error(`it ended without saying ${JSON.stringify(text)}: ${this.stdout}${this.stderr}`);
  }

  /** Waits for a moment of its life. Throws when it ends before. */
  async reaches(what: string, isReached: () => boolean): Promise<void> {
    await until(what, () => isReached() || this.#hasEnded(), 30_000);
    if (!isReached()) throw new Error(`it ended before ${what}: ${this.stdout}${this.stderr}`);
  }

  /** Its network namespaces, by their last word: `node0`, `pod0`, `outside`. */
  namespaces(): readonly string[] {
    return namespaceNames().flatMap((name) => this.#ownName.exec(name)?.[1] ?? []);
  }

  /** Whether the agent of the first node has written its rules. */
  hasRules(): boolean {
    const name = namespaceNames().find((each) => this.#ownName.exec(each)?.[1] === "node0");
    if (name === undefined) return false;
    const argv = ["netns", "exec", name, findProgram("nft") ?? "nft", "list", "table", "inet", "nftpol"];
    return spawnSync(findProgram("ip") ?? "ip", argv, { stdio: "ignore" }).status === 0;
  }

  /** The agents that it has started, by what they watch. */
  agents(): readonly number[] {
    return processesWith(`--manifests\0${join(this.temporary, "nftpol-lab-")}`);
  }

  /** Whoever reads its output goes away. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  /** All that could be left of it. */
  remains(): {
    readonly namespaces: readonly string[];
    readonly folders: readonly string[];
    readonly agents: readonly number[];
  } {
    return { namespaces: this.namespaces(), folders: readdirSync(this.temporary), agents: this.agents() };
  }

  get #ownName(): RegExp {
    return new RegExp(`^nftpol-lab-p\\d+-${this.pid}-\\d+-\\d+-(.+)$`);
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

export const NOTHING = { namespaces: [], folders: [], agents: [] };

/** Removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-leftovers-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A PATH in which this program is a script of ours. */
export function pathWith(program: string, script: string): string {
  const folder = join(temporaryFolder(), "bin");
  mkdirSync(folder);
  writeFileSync(join(folder, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `${folder}:${process.env.PATH}`;
}

export function namespaceNames(): readonly string[] {
  return existsSync(NETNS_FOLDER) ? readdirSync(NETNS_FOLDER) : [];
}

/** Processes that have this in their command line. */
function processesWith(text: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandLine(pid).includes(text));
}

/** Empty: it has ended. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
