// Names of what outlives a process that is killed say whose it was, so that a later process can tell. Owns how they say it.

import { readFileSync, readlinkSync } from "node:fs";

/** The start of all names of labs. */
export const LAB_PREFIX = "nftpol-lab-";

const MARK = new RegExp(`^${LAB_PREFIX}p(\\d+)-(\\d+)-(\\d+)-`);

/** For names that begin with LAB_PREFIX: this process's pid namespace, its number there, and when it started. */
export function ownMark(): string {
  return `p${pidNamespace()}-${process.pid}-${processStart(process.pid) ?? "0"}-`;
}

/**
 * Whether the process that made this name has ended. Another one with the same number does not count. Names of another pid namespace are
 * left alone: their processes cannot be seen from here.
 */
export function isLeftover(name: string): boolean {
  const [, namespace, pid, start] = MARK.exec(name) ?? [];
  return namespace === pidNamespace() && processStart(Number(pid)) !== start;
}

/** Clock ticks from the machine's start to the process's; undefined: there is no such process, or only its exit code is left. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything; the state comes after it, and field 22 is the twentieth (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    return "0";
  }
}
