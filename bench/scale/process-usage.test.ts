import { expect, test } from "vitest";
import { cpuSecondsFrom, endedChildrenCpuSecondsFrom, memoryFrom } from "./process-usage.ts";

test("memory in bytes, now and at its peak", () => {
  const status = "Name:\tnode\nVmPeak:\t  900 kB\nVmHWM:\t  300 kB\nVmRSS:\t  200 kB\nRssAnon:\t 100 kB\n";
  expect(memoryFrom(status)).toEqual({ rssBytes: 200 * 1024, peakRssBytes: 300 * 1024 });
});

test("a process that has ended says no memory: an error, no zero", () => {
  expect(() => memoryFrom("Name:\tnode\nState:\tZ (zombie)\n")).toThrow("no VmRSS");
});

test("user and system time, whatever the program is called", () => {
  const fields = Array.from({ length: 50 }, (_, index) => String(index));
  fields[11] = "150";
  fields[12] = "50";
  fields[13] = "30";
  fields[14] = "70";
  const stat = `42 (a) S (b) ${fields.join(" ")}`;
  expect([cpuSecondsFrom(stat), endedChildrenCpuSecondsFrom(stat)]).toEqual([2, 1]);
});
