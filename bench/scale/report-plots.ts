// The scale benchmark's figures as plots. Pure.

import type { BenchPlot } from "../document.ts";
import type { Churn } from "./churn.ts";
import { fastestStart, podsOf, type ScaleFigures } from "./figures.ts";
import type { FirstSync } from "./first-sync.ts";
import type { Point } from "./growth.ts";
import { count, mega } from "./units.ts";

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
        { name: "agent", isOurs: true, points: points(syncs, (s) => fastestStart(starts, s).readySeconds) },
        { name: "agent's CPU", isOurs: true, points: points(syncs, (s) => fastestStart(starts, s).cpuSeconds) },
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

function points(syncs: readonly FirstSync[], value: (sync: FirstSync) => number): Point[] {
  return syncs.map((sync) => ({ x: podsOf(sync), y: value(sync) }));
}

function byHour({ samples }: Churn, value: (sample: Churn["samples"][number]) => number): Point[] {
  return samples.map((sample) => ({ x: sample.hour, y: value(sample) }));
}
