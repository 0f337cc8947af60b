// Network namespaces of labs: made under names that tell whose they are, entered, and removed, also those of labs that were killed.
// Owns the names. Nothing here changes the namespace that the lab is started in.

import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { LabError } from "./lab-error.ts";

const PREFIX = "nftpol-lab-";
const FOLDER = "/run/netns";
const CLONE_NEWNET = 0x40000000;

/** Not every user has the folders of ip in PATH; they come after it. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH ?? "/usr/bin:/bin"}:/usr/sbin:/sbin` };
}

/** Names for this process's namespaces: nobody else makes equal ones, and a later lab sees whether this process still lives. */
export class NetnsNames {
  static #labs = 0;
  readonly #start = `${PREFIX}${process.pid}-${processStart(process.pid) ?? "0"}-${NetnsNames.#labs++}-`;

  /** `part`: a word of letters, digits and dashes. */
  of(part: string): string {
    return `${this.#start}${part}`;
  }
}

/** Clock ticks from the machine's start to the process's; undefined: there is no such process. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything; field 22 is the twentieth after it (proc_pid_stat(5)).
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** Makes them all, in one process. Throws LabError; then none is left. */
export async function addNetns(names: readonly string[]): Promise<void> {
  try {
    await runBatch(
      "ip",
      [],
      names.map((name) => `netns add ${name}`),
    );
  } catch (error) {
    removeNetns(names);
    throw error;
  }
}

/** Ends what still runs in them, and removes them; fine when they are gone. Synchronous: it also runs while the process ends. */
export function removeNetns(names: readonly string[]): void {
  const there = names.filter((name) => name.startsWith(PREFIX) && existsSync(`${FOLDER}/${name}`));
  for (const name of there) for (const pid of pidsInside(name)) endProcess(pid);
  if (there.length === 0) return;
  const input = there.map((name) => `netns delete ${name}\n`).join("");
  spawnSync("ip", ["-force", "-batch", "-"], { input, env: environment(), stdio: ["pipe", "ignore", "ignore"] });
}

/** Removes namespaces of labs whose process has ended without doing so. Returns how many. */
export function removeLeftovers(): number {
  const left = (existsSync(FOLDER) ? readdirSync(FOLDER) : []).filter((name) => {
    const [, pid, start] = /^nftpol-lab-(\d+)-(\d+)-/.exec(name) ?? [];
    return pid !== undefined && processStart(Number(pid)) !== start;
  });
  removeNetns(left);
  return left.length;
}

function pidsInside(name: string): readonly number[] {
  const { status, stdout } = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8", env: environment() });
  return status === 0 ? stdout.split("\n").filter(Boolean).map(Number) : [];
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Runs `ip` or `bridge` on commands, in one process. Throws LabError with what it says. */
export function runBatch(
  program: "ip" | "bridge",
  args: readonly string[],
  commands: readonly string[],
): Promise<void> {
  if (commands.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, "-batch", "-"], { env: environment(), stdio: ["pipe", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    // One that ends before it has read everything tells why.
    child.stdin.on("error", () => {});
    child.stdin.end(`${commands.join("\n")}\n`);
    child.on("error", (cause: NodeJS.ErrnoException) => {
      const missing = cause.code === "ENOENT";
      reject(
        new LabError(
          missing ? `the program ${program} is not installed` : `${program} could not be started: ${cause.message}`,
          missing ? "install the package iproute2" : undefined,
          cause,
        ),
      );
    });
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new LabError(`${program}: ${describeFailure(said, commands)}`));
    });
  });
}

/** iproute2 says `Command failed -:7`. */
function describeFailure(said: string, commands: readonly string[]): string {
  const line = /Command failed -:(\d+)/.exec(said)?.[1];
  const command = line === undefined ? undefined : commands[Number(line) - 1];
  const reason = said.split("\n").find((each) => each !== "" && !each.startsWith("Command failed")) ?? "it failed";
  return command === undefined ? reason : `${reason} (${command})`;
}

/** Runs something in a namespace, on this thread. */
export type InsideNetns = <T>(name: string, body: () => T) => T;

/** Loads what is needed to enter namespaces. Throws LabError where that is not there. */
export async function loadInsideNetns(): Promise<InsideNetns> {
  let koffi: typeof import("koffi").default;
  try {
    koffi = (await import("koffi")).default;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LabError(
      `the package koffi cannot be loaded: ${reason}`,
      "run npm ci again, with optional packages",
      cause,
    );
  }
  const setns = koffi.load(null).func("int setns(int, int)");
  return (name, body) => {
    const home = openSync("/proc/thread-self/ns/net", "r");
    try {
      const target = openSync(`${FOLDER}/${name}`, "r");
      try {
        if (setns(target, CLONE_NEWNET) !== 0) throw new LabError(`namespace ${name}: errno ${koffi.errno()}`);
        try {
          return body();
        } finally {
          // Whatever runs next would run in the wrong namespace: end rather than go on.
          if (setns(home, CLONE_NEWNET) !== 0) process.abort();
        }
      } finally {
        closeSync(target);
      }
    } finally {
      closeSync(home);
    }
  };
}
