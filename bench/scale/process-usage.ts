// What the kernel says of a process: memory now and at its peak, CPU time. Owns how /proc writes it.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";

export interface Memory {
  readonly rssBytes: number;
  readonly peakRssBytes: number;
}

/** `/proc/PID/status`. */
export function memoryFrom(status: string): Memory {
  const bytes = (field: string) => {
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
    if (kilobytes === undefined) throw new Error(`no ${field} in a process's status`);
    return Number(kilobytes) * 1024;
  };
  return { rssBytes: bytes("VmRSS"), peakRssBytes: bytes("VmHWM") };
}

/** `/proc/PID/stat`: user and system time of all threads. The program's name may hold anything. */
export function cpuSecondsFrom(stat: string): number {
  return ticksFrom(stat, 11) / TICKS_PER_SECOND;
}

/** As `cpuSecondsFrom`: of the children that have ended. */
export function endedChildrenCpuSecondsFrom(stat: string): number {
  return ticksFrom(stat, 13) / TICKS_PER_SECOND;
}

/** User and system time stand side by side. */
function ticksFrom(stat: string, first: number): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[first]) + Number(fields[first + 1]);
}

/** Of every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

export function memoryOf(pid: number): Memory {
  return memoryFrom(readFileSync(`/proc/${pid}/status`, "utf8"));
}

/** Needs the rights over that process. */
export function forgetPeakOf(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

export function cpuSecondsOf(pid: number): number {
  return cpuSecondsFrom(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

/** Of its children, those that have ended included. */
export function childrenCpuSecondsOf(pid: number): number {
  const ended = endedChildrenCpuSecondsFrom(readFileSync(`/proc/${pid}/stat`, "utf8"));
  return childrenOf(pid).reduce((sum, child) => sum + cpuSecondsOf(child), ended);
}

/** Of all its threads. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8");
    return text.split(" ").filter(Boolean).map(Number);
  });
}
