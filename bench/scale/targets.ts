// The targets of scale beside what was measured. Pure.

import type { BenchTable } from "../document.ts";
import type { Churn } from "./churn.ts";
import { fastestStart, memoryPoints, type ScaleFigures } from "./figures.ts";
import type { FirstSync } from "./first-sync.ts";
import { slope } from "./growth.ts";
import { bytes, kilobytes, mega, megabytes, microseconds, seconds, short } from "./units.ts";

const TARGETS = { pods: 150_000, readySeconds: 15, rssMegabytes: 450, bytesPerPod: 1_000, eventMicroseconds: 100 };

export function targetsTable({ syncs, starts, events, churn }: ScaleFigures): BenchTable {
  const largest = syncs.at(-1) as FirstSync;
  const isWhole = largest.size.remotePods >= TARGETS.pods;
  const at = `${short(largest.size.remotePods)} pods`;
  const ready = fastestStart(starts, largest).readySeconds;
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
      ...(churn === undefined ? [] : [["RSS over a simulated day", "flat", growthOverDay(churn), "-"]]),
    ],
    note: "the issue's targets; how flat is flat, the growth by the hour says; MB and KB are 10^6 and 10^3 bytes",
  };
}

function growthOverDay({ samples }: Churn): string {
  const hours = samples.slice(1);
  const rssBytes = (index: number) => hours.at(index)?.memory.rssBytes ?? Number.NaN;
  const lastHalf = hours.slice(Math.floor(hours.length / 2));
  const anHour = slope(lastHalf.map(({ hour, memory }) => ({ x: hour, y: memory.rssBytes })));
  return `${megabytes(rssBytes(0))} to ${megabytes(rssBytes(-1))}, ${kilobytes(anHour)} an hour in the last half`;
}
