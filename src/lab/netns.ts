// Network namespaces of labs: made under names that tell whose they are, entered, and removed, also those of labs that were killed.
// Owns the names. Nothing here changes the namespace that the lab is started in.

import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, statSync } from "node:fs";
import { type BatchTies, OWN_GROUP, runBatch } from "./ip-batch.ts";
import { LabError } from "./lab-error.ts";
import { isLeftover, LAB_PREFIX, ownMark } from "./process-mark.ts";
import { programEnvironment } from "./program-environment.ts";

const FOLDER = "/run/netns";
const CLONE_NEWNET = 0x40000000;

/** Names for this process's namespaces: nobody else makes equal ones, and a later lab sees whether this process still lives. */
export class NetnsNames {
  static #labs = 0;
  readonly #start = `${LAB_PREFIX}${ownMark()}${NetnsNames.#labs++}-`;

  /** `part`: a word of letters, digits and dashes. */
  of(part: string): string {
    return `${this.#start}${part}`;
  }
}

/** Makes them all, in one process. Throws as runBatch does; then none is left. */
export async function addNetns(names: readonly string[], ties: BatchTies): Promise<void> {
  try {
    const commands = names.map((name) => `netns add ${name}`);
    await runBatch({ program: "ip", args: [], commands }, ties);
  } catch (error) {
    removeNetns(names);
    throw error;
  }
}

/** Somebody else may remove the same leftovers, or be adding one of these names at this moment. */
const REMOVE_TRIES = 3;
/** Ctrl-C, held down, reaches `ip` in the moment before it is in a group of its own. */
const MOST_INTERRUPTIONS = 1_000;

/** Ends what still runs in them, and removes them; fine when they are gone. Synchronous: it also runs while the process ends. */
export function removeNetns(names: readonly string[]): void {
  let [tries, interruptions] = [0, 0];
  while (tries < REMOVE_TRIES && interruptions < MOST_INTERRUPTIONS) {
    const there = names.filter((name) => name.startsWith(LAB_PREFIX) && existsSync(`${FOLDER}/${name}`));
    if (there.length === 0) return;
    endProcessesIn(there);
    const input = there.map((name) => `netns delete ${name}\n`).join("");
    const options = { input, env: programEnvironment(), ...OWN_GROUP };
    const { signal } = spawnSync("ip", ["-force", "-batch", "-"], { ...options, stdio: ["pipe", "ignore", "ignore"] });
    if (signal === null) tries++;
    else interruptions++;
  }
}

/** Removes namespaces of labs whose process has ended without doing so. Returns how many. */
export function removeLeftovers(): number {
  const left = (existsSync(FOLDER) ? readdirSync(FOLDER) : []).filter(isLeftover);
  removeNetns(left);
  return left.length;
}

/** A killed process is gone within milliseconds; one that hangs in the kernel may never go. */
const END_PATIENCE_MS = 2_000;

function endProcessesIn(names: readonly string[]): void {
  const inside = new Set(names.flatMap((name) => identityOf(`${FOLDER}/${name}`) ?? []));
  // Nobody has made a lab of this one, but that mistake would end the whole machine.
  for (const own of ["/proc/self/ns/net", "/proc/1/ns/net"]) inside.delete(identityOf(own) ?? "");
  const endsAt = performance.now() + END_PATIENCE_MS;
  // They may be starting others meanwhile.
  for (;;) {
    const pids = processNumbers().filter((pid) => inside.has(identityOf(`/proc/${pid}/ns/net`) ?? ""));
    if (pids.length === 0 || performance.now() > endsAt) return;
    for (const pid of pids) endProcess(pid);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

function processNumbers(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** What a namespace's name or a process's namespace stands for; undefined: it is gone. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
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
