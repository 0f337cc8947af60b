// CPU time of this process, and of the nft programs that it has started: from /proc, in milliseconds.

import { readFileSync } from "node:fs";

export interface CpuTime {
  readonly agentMs: number;
  readonly nftMs: number;
}

/** `others`: children that are no part of the agent. */
export function cpuTime(others: ReadonlySet<number>): CpuTime {
  const { user, system } = process.cpuUsage();
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8")
    .split(" ")
    .filter(Boolean)
    .map(Number);
  const nftMs = children.filter((pid) => !others.has(pid)).reduce((sum, pid) => sum + runMs(pid), 0);
  return { agentMs: (user + system) / 1_000, nftMs };
}

/** undefined: a program ended meanwhile, and what it took is not known. */
export function cpuBetween(before: CpuTime, after: CpuTime): CpuTime | undefined {
  const nftMs = after.nftMs - before.nftMs;
  return nftMs < 0 ? undefined : { agentMs: after.agentMs - before.agentMs, nftMs };
}

function runMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    // It has ended.
    return 0;
  }
}
