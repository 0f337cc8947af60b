// The scale benchmark's figures as tables and plots. Pure. Owns which figure stands beside which target.

import type { BenchPlot, BenchTable } from "../document.ts";
import type { Churn } from "./churn.ts";
import type { AgentStart, FirstSync } from "./first-sync.ts";
import { type Point, slope, steps } from "./growth.ts";
import type { EventCosts } from "./pod-events.ts";

export interface ScaleFigures {
  /** One for each number of pods, ascending, the first without remote pods; of several rounds the last. */
  readonly syncs: readonly FirstSync[];
  /** Of all rounds, by the number of remote pods. */
  readonly starts: ReadonlyMap<number, readonly AgentStart[]>;
  /** As many pods as the largest, and no policies: what pods cost that are in no set. */
  readonly withoutPolicies: FirstSync | undefined;
  readonly events: EventCosts | undefined;
  readonly churn: Churn | undefined;
}

const TARGETS = { pods: 150_000, readySeconds: 15, rssMegabytes: 450, bytesPerPod: 1_000, eventMicroseconds: 100 };

export function scaleTables(figures: ScaleFigures): BenchTable[] {
  const { syncs, events, churn } = figures;
  const tables = [firstSyncTable(figures), memoryTable(figures)];
  if (syncs.length > 1) tables.push(growthTable(figures));
  if (events !== undefined) tables.push(eventsTable(events, podsOf(syncs.at(-1) as FirstSync)));
  if (churn !== undefined) tables.push(churnTable(churn));
  return [...tables, targetsTable(figures)];
}

export function scalePlots({ syncs, starts, churn }: ScaleFigures): BenchPlot[] {
  const plots: BenchPlot[] = [
    {
      id: "scale-rss",
      title: "Memory of the agent by the cluster's pods",
      xLabel: "pods",
      yLabel: "MB",
      xScale: "linear",
      yScale: "linear",
      series: [
        { name: "RSS, highest", isOurs: true, points: points(syncs, (s) => mega(s.start.memory.peakRssBytes)) },
        { name: "RSS, steady", isOurs: true, points: points(syncs, (s) => mega(s.steady.memory.rssBytes)) },
        { name: "heap alive", isOurs: true, points: points(syncs, (s) => mega(s.steady.alive.heapUsedBytes)) },
      ],
    },
    {
      id: "scale-ready",
      title: "From start to rules in force by the cluster's pods",
      xLabel: "pods",
      yLabel: "seconds",
      xScale: "linear",
      yScale: "linear",
      series: [
        { name: "agent", isOurs: true, points: points(syncs, (s) => best(starts, s).readySeconds) },
        { name: "agent's CPU", isOurs: true, points: points(syncs, (s) => best(starts, s).cpuSeconds) },
        { name: "reading and parsing only", isOurs: false, points: points(syncs, (s) => s.readAndParsed.seconds) },
        { name: "reading only", isOurs: false, points: points(syncs, (s) => s.onlyRead.seconds) },
      ],
    },
  ];
  if (churn !== undefined) {
    plots.push({
      id: "scale-churn-rss",
      title: `Memory over a simulated day of ${count(churn.pods)} pods`,
      xLabel: "simulated hours",
      yLabel: "MB",
      xScale: "linear",
      yScale: "linear",
      series: [
        { name: "RSS", isOurs: true, points: byHour(churn, ({ memory }) => mega(memory.rssBytes)) },
        { name: "heap used", isOurs: true, points: byHour(churn, ({ memory }) => mega(memory.heapUsedBytes)) },
      ],
    });
  }
  return plots;
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
      ...syncs.map((sync) => row(sync, best(starts, sync))),
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

function eventsTable({ kinds, readerCpuMicroseconds }: EventCosts, pods: number): BenchTable {
  return {
    id: "scale-events",
    title: `CPU of one remote pod's change, with ${count(pods)} pods`,
    columns: ["change", "a local policy's peer", "agent", "nft", "transactions", "longest block", "p99 block"],
    rows: [
      ...kinds.map((kind) => [
        kind.name,
        kind.isOfConcern ? "yes" : "no",
        microseconds(kind.cpuMicroseconds),
        microseconds(kind.nftCpuMicroseconds),
        count(kind.transactions),
        milliseconds(kind.loopDelay.longestMs),
        milliseconds(kind.loopDelay.p99Ms),
      ]),
      ["a client that only parses", "-", microseconds(readerCpuMicroseconds), "-", "-", "-", "-"],
    ],
    note: `each ${count(kinds[0]?.events ?? 0)} changes at a steady rate; what the agent uses while nothing changes is subtracted`,
  };
}

function churnTable(churn: Churn): BenchTable {
  const { samples, aliveFirst, aliveLast, fresh, programAfter, kernelElements } = churn;
  const hours = samples.slice(1);
  const slopeOf = (some: typeof hours, of: (memory: Churn["aliveFirst"]) => number) =>
    kilobytes(slope(some.map(({ hour, memory }) => ({ x: hour, y: of(memory) }))));
  const [first, last] = [hours[0], hours.at(-1)];
  const row = (name: string, of: (memory: Churn["aliveFirst"]) => number) => [
    name,
    megabytes(of((first ?? samples[0])?.memory ?? aliveFirst)),
    megabytes(of((last ?? samples[0])?.memory ?? aliveLast)),
    megabytes(Math.max(...samples.map(({ memory }) => of(memory)))),
    slopeOf(hours, of),
    slopeOf(hours.slice(Math.floor(hours.length / 2)), of),
    megabytes(of(fresh.memory)),
  ];
  return {
    id: "scale-churn",
    title: `${hours.length} simulated hours of ${count(churn.pods)} pods, ${count(churn.eventsAnHour)} events in each`,
    columns: ["", "first hour", "last hour", "highest", "an hour", "of the last half", "an agent that begins then"],
    rows: [
      row("RSS", ({ rssBytes }) => rssBytes),
      row("heap used", ({ heapUsedBytes }) => heapUsedBytes),
      row("nft's RSS", ({ childrenRssBytes }) => childrenRssBytes),
      [
        "heap alive",
        megabytes(aliveFirst.heapUsedBytes),
        megabytes(aliveLast.heapUsedBytes),
        "-",
        "-",
        "-",
        megabytes(fresh.alive.heapUsedBytes),
      ],
      [
        "elements",
        count((first ?? samples[0])?.elements ?? Number.NaN),
        count(programAfter.elements),
        count(Math.max(...samples.map(({ elements }) => elements))),
        "-",
        `${count(kernelElements)} in the kernel`,
        count(fresh.program.elements),
      ],
    ],
    note: "after each hour, when all is in force; an hour: the growth by the line nearest to all hours, and to those of the last half; the last column is what the same cluster needs without the day before",
  };
}

function targetsTable({ syncs, starts, events }: ScaleFigures): BenchTable {
  const largest = syncs.at(-1) as FirstSync;
  const isWhole = largest.size.remotePods >= TARGETS.pods;
  const at = `${short(largest.size.remotePods)} pods`;
  const ready = best(starts, largest).readySeconds;
  const peak = mega(Math.max(largest.start.memory.peakRssBytes, largest.steady.memory.rssBytes));
  const growth = (bytesOf: (sync: FirstSync) => number) => slope(memoryPoints(syncs, bytesOf));
  const [rss, heap] = [
    growth(({ steady }) => steady.memory.rssBytes),
    growth(({ steady }) => steady.alive.heapUsedBytes),
  ];
  const met = (isMet: boolean) => (isMet ? "yes" : "no");
  const metAtSize = (isMet: boolean) => (isWhole ? met(isMet) : "not measured at this size");
  const costs = (events?.kinds ?? []).filter(({ isOfConcern }) => !isOfConcern).map((kind) => kind.cpuMicroseconds);
  const dearest = Math.max(...costs);
  return {
    id: "scale-targets",
    title: "Targets of scale",
    columns: ["target", "wanted", "measured", "met"],
    rows: [
      [
        "rules in force with 150,000 pods",
        `<= ${TARGETS.readySeconds} s`,
        `${seconds(ready)} (${at})`,
        metAtSize(ready <= TARGETS.readySeconds),
      ],
      [
        "RSS with 150,000 pods, highest",
        `<= ${TARGETS.rssMegabytes} MB`,
        `${peak.toFixed(0)} MB (${at})`,
        metAtSize(peak <= TARGETS.rssMegabytes),
      ],
      ["RSS for each remote pod", "<= 1 KB", bytes(rss), met(rss <= TARGETS.bytesPerPod)],
      ["live heap for each remote pod", "<= 1 KB", bytes(heap), met(heap <= TARGETS.bytesPerPod)],
      ...(costs.length === 0
        ? []
        : [
            [
              "CPU of a change that concerns no local pod",
              `<= ${TARGETS.eventMicroseconds} us`,
              microseconds(dearest),
              met(dearest <= TARGETS.eventMicroseconds),
            ],
          ]),
    ],
    note: "the issue's targets; MB and KB are 10^6 and 10^3 bytes",
  };
}

/** The fastest of the rounds: other work of the machine only adds. */
function best(starts: ScaleFigures["starts"], { size, start }: FirstSync): AgentStart {
  const all = starts.get(size.remotePods) ?? [start];
  return all.reduce((fastest, each) => (each.readySeconds < fastest.readySeconds ? each : fastest));
}

function memoryPoints(syncs: readonly FirstSync[], bytesOf: (sync: FirstSync) => number): Point[] {
  return syncs.map((sync) => ({ x: sync.size.remotePods, y: bytesOf(sync) }));
}

function points(syncs: readonly FirstSync[], value: (sync: FirstSync) => number): Point[] {
  return syncs.map((sync) => ({ x: podsOf(sync), y: value(sync) }));
}

function byHour({ samples }: Churn, value: (sample: Churn["samples"][number]) => number): Point[] {
  return samples.map((sample) => ({ x: sample.hour, y: value(sample) }));
}

function podsOf({ size }: FirstSync): number {
  return size.remotePods + size.localPods;
}

function rowName(sync: FirstSync): string {
  return `${count(podsOf(sync))}${sync.size.policies === 0 ? ", no policies" : ""}`;
}

const mega = (value: number) => value / 1e6;
const megabytes = (value: number) => `${mega(value).toFixed(0)} MB`;
const kilobytes = (value: number) => `${(value / 1e3).toFixed(0)} KB`;
const bytes = (value: number) => `${value.toFixed(0)} B`;
const seconds = (value: number) => `${value.toFixed(1)} s`;
const milliseconds = (value: number) => `${value.toFixed(0)} ms`;
const microseconds = (value: number) => `${value.toFixed(0)} us`;
const count = (value: number) => value.toLocaleString("en-US");
const short = (value: number) => (value >= 1_000 ? `${value / 1_000}k` : String(value));
