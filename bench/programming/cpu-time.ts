// CPU time of this process, and of the nft programs that it has started, while something happens. Owns reading it from /proc, and
// what reading it costs.

import { readFileSync } from "node:fs";

/** Milliseconds. */
export interface CpuTime {
  readonly agent: number;
  readonly nft: number;
}

/**
 * Begins; the answer ends. `others`: children that are no part of the agent. undefined: an nft ended meanwhile, and what it took is not
 * known.
 */
export function measureCpu(others: ReadonlySet<number>): () => CpuTime | undefined {
  const nftBefore = nftTimes(others);
  const agentBefore = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(agentBefore);
    const nftAfter = nftTimes(others);
    if ([...nftBefore.keys()].some((pid) => !nftAfter.has(pid))) return undefined;
    return { agent: (user + system) / 1_000, nft: sum(nftAfter.values()) - sum(nftBefore.values()) };
  };
}

/** By process number. */
function nftTimes(others: ReadonlySet<number>): ReadonlyMap<number, number> {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean);
  const times = new Map<number, number>();
  for (const pid of children.map(Number)) {
    const runMs = others.has(pid) ? undefined : runTime(pid);
    if (runMs !== undefined) times.set(pid, runMs);
  }
  return times;
}

function runTime(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    // It has ended.
    return undefined;
  }
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}
