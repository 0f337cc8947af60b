import { describe, expect, test } from "vitest";
import type { AgentMemory } from "./agent-process.ts";
import type { ScaleFigures } from "./figures.ts";
import type { AgentStart, FirstSync } from "./first-sync.ts";
import { scaleTables } from "./report.ts";
import { scalePlots } from "./report-plots.ts";

function memory(rssBytes: number, heapUsedBytes = rssBytes / 2): AgentMemory {
  return {
    rssBytes,
    peakRssBytes: rssBytes,
    heapUsedBytes,
    heapTotalBytes: heapUsedBytes,
    externalBytes: 0,
    childrenRssBytes: 0,
  };
}

const QUIET = { longestMs: 1, p99Ms: 1 };
const PROGRAM = { elements: 3, sets: 2, chains: 1, rules: 1 };

function start(readySeconds: number, rssBytes: number): AgentStart {
  return { readySeconds, cpuSeconds: 1, nftCpuSeconds: 0, loopDelay: QUIET, memory: memory(rssBytes) };
}

function sync(remotePods: number, readySeconds: number, rssBytes: number): FirstSync {
  const read = { seconds: 1, cpuSeconds: 1, bytes: 1 };
  return {
    size: { remotePods, localPods: 10, nodes: 2, policies: 10 },
    start: start(readySeconds, rssBytes),
    onlyRead: read,
    readAndParsed: read,
    steady: { seconds: 1, idleCpu: 0, loopDelay: QUIET, memory: memory(rssBytes), alive: memory(rssBytes) },
    program: PROGRAM,
  };
}

function figures(syncs: readonly FirstSync[], more: Partial<ScaleFigures> = {}): ScaleFigures {
  const starts = new Map(syncs.map((each) => [each.size.remotePods, [each.start]]));
  return { syncs, starts, withoutPolicies: undefined, events: undefined, flood: undefined, churn: undefined, ...more };
}

function targets(shown: ScaleFigures): Map<string, readonly string[]> {
  const table = scaleTables(shown).find(({ id }) => id === "scale-targets");
  return new Map(table?.rows.map(([target = "", ...rest]) => [target, rest]));
}

const MET = [sync(0, 1, 100e6), sync(150_000, 10, 240e6)];
const MISSED = [sync(0, 1, 100e6), sync(150_000, 20, 500e6)];

describe("the report", () => {
  test("targets are met by what was measured, and missed by what was not good enough", () => {
    expect([...targets(figures(MET)).values()].map((row) => row[2])).toEqual(["yes", "yes", "yes", "yes"]);
    expect([...targets(figures(MISSED)).values()].map((row) => row[2])).toEqual(["no", "no", "no", "no"]);
  });

  test("a smaller cluster says nothing of targets for 150,000 pods", () => {
    const rows = targets(figures([sync(0, 1, 100e6), sync(2_000, 2, 101e6)]));
    expect(rows.get("rules in force with 150,000 pods")?.[2]).toBe("not measured at this size");
    expect(rows.get("RSS for each remote pod")).toEqual(["<= 1 KB", "500 B", "yes"]);
  });

  test("the dearest kind of change that concerns nobody decides, not one that concerns local pods", () => {
    const kind = (isOfConcern: boolean, cpuMicroseconds: number) => ({
      name: "x",
      isOfConcern,
      events: 1,
      cpuMicroseconds,
      nftCpuMicroseconds: 0,
      transactions: 0,
      loopDelay: QUIET,
    });
    const kinds = [kind(false, 50), kind(false, 99), kind(true, 400)];
    const rows = targets(figures(MET, { events: { kinds, readerCpuMicroseconds: 1 } }));
    expect(rows.get("CPU of a change that concerns no local pod")?.slice(1)).toEqual(["99 us", "yes"]);
  });

  test("of several rounds the fastest start counts", () => {
    const starts = new Map([[150_000, [start(12, 1), start(9, 1), start(30, 1)]]]);
    expect(targets(figures(MET, { starts })).get("rules in force with 150,000 pods")?.[1]).toContain("9.0 s");
  });

  test("churn shows its growth by the hour, and of the last half apart from the beginning", () => {
    const samples = [100, 120, 140, 140, 140].map((mega, hour) => ({ hour, memory: memory(mega * 1e6), elements: 3 }));
    const churn = {
      pods: 10,
      eventsAnHour: 1,
      samples,
      aliveFirst: memory(1e6),
      aliveLast: memory(1e6),
      programBefore: PROGRAM,
      programAfter: PROGRAM,
      kernelElements: 3,
      fresh: { program: PROGRAM, memory: memory(1e6), alive: memory(1e6) },
    };
    const table = scaleTables(figures(MET, { churn })).find(({ id }) => id === "scale-churn");
    expect(table?.rows[0]).toEqual(["RSS", "120 MB", "140 MB", "140 MB", "6000 KB", "0 KB", "1 MB"]);
    expect(scalePlots(figures(MET, { churn })).map(({ id }) => id)).toEqual([
      "scale-rss",
      "scale-ready",
      "scale-churn-rss",
    ]);
  });

  test("each row has a cell for each column", () => {
    for (const { columns, rows } of scaleTables(figures(MET))) {
      for (const row of rows) expect(row).toHaveLength(columns.length);
    }
  });
});
