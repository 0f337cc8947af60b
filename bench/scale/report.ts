// The scale benchmark's figures as tables. Pure. Owns those of the first sync and of memory, and the order of all.

import type { BenchTable } from "../document.ts";
import { churnTable, eventsTable, floodTable } from "./changes-tables.ts";
import { fastestStart, memoryPoints, podsOf, type ScaleFigures } from "./figures.ts";
import type { AgentStart, FirstSync } from "./first-sync.ts";
import { slope, steps } from "./growth.ts";
import { targetsTable } from "./targets.ts";
import { bytes, count, megabytes, milliseconds, seconds, short } from "./units.ts";

export function scaleTables(figures: ScaleFigures): BenchTable[] {
  const { syncs, events, flood, churn } = figures;
  const tables = [firstSyncTable(figures), memoryTable(figures)];
  if (syncs.length > 1) tables.push(growthTable(figures));
  if (events !== undefined) tables.push(eventsTable(events, podsOf(syncs.at(-1) as FirstSync)));
  if (flood !== undefined) tables.push(floodTable(flood, podsOf(syncs.at(-1) as FirstSync)));
  if (churn !== undefined) tables.push(churnTable(churn));
  return [...tables, targetsTable(figures)];
}

function firstSyncTable({ syncs, starts, withoutPolicies }: ScaleFigures): BenchTable {
  const row = (sync: FirstSync, start: AgentStart) => [
    rowName(sync),
    seconds(start.readySeconds),
    seconds(start.cpuSeconds),
    seconds(start.nftCpuSeconds),
    seconds(sync.onlyRead.seconds),
    seconds(sync.readAndParsed.seconds),
    milliseconds(start.loopDelay.longestMs),
    milliseconds(start.loopDelay.p99Ms),
  ];
  return {
    id: "scale-first-sync",
    title: "First sync: from the agent's start to rules in force",
    columns: ["pods", "in force after", "CPU", "nft's CPU", "only read", "read, parsed", "longest block", "p99 block"],
    rows: [
      ...syncs.map((sync) => row(sync, fastestStart(starts, sync))),
      ...(withoutPolicies === undefined ? [] : [row(withoutPolicies, withoutPolicies.start)]),
    ],
    note: "the fastest round; read, parsed: other clients of the same server in the same round, which only receive the pods' bytes, or parse each event's JSON, too; blocks of the event loop until the rules were in force",
  };
}

function memoryTable({ syncs, withoutPolicies }: ScaleFigures): BenchTable {
  const rows = [...syncs, ...(withoutPolicies === undefined ? [] : [withoutPolicies])];
  return {
    id: "scale-memory",
    title: "Memory of the agent, and what is in the kernel",
    columns: [
      "pods",
      "RSS when ready",
      "highest",
      "steady",
      "collected",
      "heap alive",
      "nft's RSS",
      "elements",
      "sets",
      "chains",
    ],
    rows: rows.map((sync) => {
      const { start, steady, program } = sync;
      return [
        rowName(sync),
        megabytes(start.memory.rssBytes),
        megabytes(start.memory.peakRssBytes),
        megabytes(steady.memory.rssBytes),
        megabytes(steady.alive.rssBytes),
        megabytes(steady.alive.heapUsedBytes),
        megabytes(steady.memory.childrenRssBytes),
        count(program.elements),
        count(program.sets),
        count(program.chains),
      ];
    }),
    note: `steady: ${syncs[0]?.steady.seconds ?? 0} s later; collected: after full collections of garbage, as is the heap; nft: the process that the agent keeps to write with`,
  };
}

function growthTable({ syncs }: ScaleFigures): BenchTable {
  const sizes = syncs.map(({ size }) => size.remotePods);
  const ranges = sizes.slice(1).map((to, index) => `${short(sizes[index] as number)} to ${short(to)}`);
  return {
    id: "scale-growth",
    title: "Growth for each pod of another node",
    columns: ["memory", "without remote pods", ...ranges, "all"],
    rows: MEMORY_KINDS.map(({ name, bytesOf }) => {
      const values = memoryPoints(syncs, bytesOf);
      return [name, megabytes(values[0]?.y ?? Number.NaN), ...steps(values).map(bytes), bytes(slope(values))];
    }),
    note: "bytes for each remote pod; all: the line that is nearest to all sizes",
  };
}

const MEMORY_KINDS: readonly { readonly name: string; bytesOf(sync: FirstSync): number }[] = [
  { name: "RSS, highest", bytesOf: ({ start }) => start.memory.peakRssBytes },
  { name: "RSS, steady", bytesOf: ({ steady }) => steady.memory.rssBytes },
  { name: "RSS, collected", bytesOf: ({ steady }) => steady.alive.rssBytes },
  { name: "heap alive", bytesOf: ({ steady }) => steady.alive.heapUsedBytes },
];

function rowName(sync: FirstSync): string {
  return `${count(podsOf(sync))}${sync.size.policies === 0 ? ", no policies" : ""}`;
}
