// The report as plots: what the first packet of a new flow costs along each axis of the grid, and for policies what denied packets and
// connections cost. Pure.

import type { BenchPlot, BenchPoint } from "../document.ts";
import { DISTURBED, type PacketReport, type ReportRow } from "./report.ts";
import { BACKEND_WORDS, KIND_WORDS, OURS } from "./report-words.ts";
import type { Cost, Quartiles } from "./statistics.ts";
import type { PacketKind } from "./variant.ts";

const X_WORDS: Readonly<Record<string, string>> = {
  policies: "policies that select the pod",
  peers: "peers of each of 10 policies",
  ports: "ports of each of 10 policies",
  "local pods": "pods of the node",
  CIDRs: "CIDR blocks of the last of 10 policies",
  "Admin rules": "Admin rules before 10 policies",
};

export function reportPlots({ rows }: PacketReport): BenchPlot[] {
  const plots = [
    ...Object.keys(X_WORDS).map((axis) => plot(rows, axis, "new")),
    plot(rows, "policies", "denied"),
    plot(rows, "policies", "connection"),
  ];
  return plots.filter(({ series }) => series.some(({ points }) => points.length > 1));
}

function plot(rows: readonly ReportRow[], axis: string, kind: PacketKind): BenchPlot {
  const own = Map.groupBy(
    rows.filter((row) => row.axis === axis && row.x !== undefined),
    ({ backend }) => backend,
  );
  const isRatio = kind === "connection";
  return {
    id: `packets-plot-${axis.toLowerCase().replaceAll(" ", "-")}-${kind}`,
    title: `${KIND_WORDS[kind]}: ${axis}`,
    xLabel: X_WORDS[axis] ?? axis,
    yLabel: isRatio ? "time by the floor's" : "us above the floor",
    xScale: "log",
    yScale: isRatio ? "linear" : "log",
    series: [...own]
      .map(([backend, along]) => ({
        name: BACKEND_WORDS[backend],
        isOurs: backend === OURS,
        points: along
          .flatMap(({ x = Number.NaN, costs }) => pointOf(x, costs[kind], isRatio))
          .sort((a, b) => a.x - b.x),
      }))
      .filter(({ points }) => points.length > 0)
      .sort((a, b) => Number(b.isOurs) - Number(a.isOurs)),
  };
}

/** None for what cannot stand on a logarithmic scale. */
function pointOf(x: number, cost: Cost | typeof DISTURBED | undefined, isRatio: boolean): BenchPoint[] {
  if (cost === undefined || cost === DISTURBED) return [];
  if (isRatio) return [{ x, y: cost.ratio }];
  const { q1, median, q3 } = microseconds(cost.extraNs);
  if (median <= 0) return [];
  return [{ x, y: median, ...(q1 > 0 ? { low: q1, high: q3 } : {}) }];
}

function microseconds({ q1, median, q3 }: Quartiles): Quartiles {
  return { q1: q1 / 1000, median: median / 1000, q3: q3 / 1000 };
}
