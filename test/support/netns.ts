// Owns network namespaces for tests: made under a name that carries this process, used, and always removed.
// Nothing here changes the host's own namespace.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { constants } from "node:os";
import { findProgram, isRoot } from "../../scripts/system-tools.ts";

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code; 128 + the signal's number when a signal ended it. */
  readonly code: number;
}

export interface RunOptions {
  /** Written to the program's standard input; without it the input is empty. */
  readonly input?: string;
  readonly timeoutMs?: number;
}

export interface Netns {
  readonly name: string;
  /** Runs a program inside; a failing program is a result, not an exception. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
}

const prefix = "nfpt-";
const defaultTimeoutMs = 60_000;
let count = 0;
let leftoversRemoved = false;
let refusal: { readonly reason: string | undefined } | undefined;

/** Why network namespaces cannot be used here; undefined when they can. Asked once per process. */
export function canUseNetns(): string | undefined {
  refusal ??= { reason: findRefusal() };
  return refusal.reason;
}

function findRefusal(): string | undefined {
  if (process.platform !== "linux") return "this is not Linux";
  if (!isRoot()) return "not root";
  if (findProgram("ip") === undefined) return "the program ip (iproute2) is missing";
  const name = newName();
  try {
    ip("netns", "add", name);
    ip("netns", "exec", name, "true");
    return undefined;
  } catch (error) {
    return `no network namespace can be made: ${error instanceof Error ? error.message : error}`;
  } finally {
    removeNetns(name);
  }
}

/** Calls `body` with a new namespace whose loopback is up; whatever happens, nothing of it remains. */
export async function withNetns<T>(body: (ns: Netns) => Promise<T>): Promise<T> {
  const reason = canUseNetns();
  if (reason !== undefined) throw new Error(`network namespaces: ${reason}`);
  if (!leftoversRemoved) removeLeftovers();
  leftoversRemoved = true;
  const name = newName();
  ip("netns", "add", name);
  const removeAtExit = () => removeNetns(name);
  process.setMaxListeners(process.getMaxListeners() + 1);
  process.once("exit", removeAtExit);
  try {
    ip("-n", name, "link", "set", "lo", "up");
    return await body(netnsNamed(name));
  } finally {
    process.off("exit", removeAtExit);
    process.setMaxListeners(process.getMaxListeners() - 1);
    removeNetns(name);
  }
}

/** A namespace that somebody else makes and removes. */
export function netnsNamed(name: string): Netns {
  return { name, run: (argv, options) => runProgram([ipProgram(), "netns", "exec", name, ...argv], options) };
}

/** Removes the namespaces of test runs that ended without doing so. */
export function removeLeftovers(): void {
  const folder = "/run/netns";
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const pid = /^nfpt-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeNetns(name);
  }
}

function newName(): string {
  count += 1;
  return `${prefix}${process.pid}-${count}`;
}

function ipProgram(): string {
  return findProgram("ip") ?? "ip";
}

function ip(...args: readonly string[]): string {
  const result = spawnSync(ipProgram(), args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  if (result.status !== 0) throw new Error(`ip ${args.join(" ")}: ${result.error?.message ?? result.stderr.trim()}`);
  return result.stdout;
}

/** Ends what still runs inside, then removes the namespace; fine when it is gone already. */
function removeNetns(name: string): void {
  if (!name.startsWith(prefix) || !existsSync(`/run/netns/${name}`)) return;
  for (const pid of pidsInside(name)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself meanwhile.
    }
  }
  spawnSync(ipProgram(), ["netns", "delete", name], { stdio: "ignore" });
}

function pidsInside(name: string): readonly number[] {
  try {
    return ip("netns", "pids", name).split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Runs a program to its end. Rejects when it cannot be started or takes too long. */
export function runProgram(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program = "", ...args] = argv;
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${argv.join(" ")}: no end after ${timeoutMs} ms; it said: ${stderr}`));
    }, timeoutMs);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    // A program that does not read its input closes the pipe: its exit code tells the story.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ stdout, stderr, code: code ?? 128 + signalNumber(signal) });
    });
  });
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : (constants.signals[signal] ?? 0);
}
