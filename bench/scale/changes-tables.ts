// What changes cost, as tables: single ones, a flood, a day. Pure.

import type { BenchTable } from "../document.ts";
import type { Churn } from "./churn.ts";
import type { Flood } from "./flood.ts";
import { slope } from "./growth.ts";
import type { EventCosts } from "./pod-events.ts";
import { count, kilobytes, megabytes, microseconds, milliseconds, seconds } from "./units.ts";

export function eventsTable({ kinds, readerCpuMicroseconds }: EventCosts, pods: number): BenchTable {
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

export function floodTable(
  { events, seconds: took, cpuMicroseconds, before, after, loopDelay }: Flood,
  pods: number,
): BenchTable {
  return {
    id: "scale-flood",
    title: `A flood of pod changes, with ${count(pods)} pods`,
    columns: ["changes", "done after", "CPU of each", "RSS before", "highest", "RSS after", "longest block"],
    rows: [
      [
        count(events),
        seconds(took),
        microseconds(cpuMicroseconds),
        megabytes(before.rssBytes),
        megabytes(after.peakRssBytes),
        megabytes(after.rssBytes),
        milliseconds(loopDelay.longestMs),
      ],
    ],
    note: "as fast as the server sends; nobody asks for the changed label",
  };
}

export function churnTable(churn: Churn): BenchTable {
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
