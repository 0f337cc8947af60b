// How the time of a change grows with the number of policies, drawn. Pure.

import type { BenchPlot, BenchPoint, BenchSeries } from "../document.ts";
import type { Writer } from "./choices.ts";
import { figuresOf, type KindFigures } from "./figures.ts";
import { type Group, LOCAL_POD, NAMESPACE, POLICY, REMOTE_POD, WIDE_POLICY } from "./groups.ts";
import type { RunResult } from "./sample.ts";

const GROUPS: readonly Group[] = [REMOTE_POD, LOCAL_POD, POLICY, WIDE_POLICY, NAMESPACE];

type Figures = Omit<KindFigures, "kind">;

/** Of the clusters with the most pods, with the writer that was measured in most of them. */
export function plotsOf(runs: readonly RunResult[]): readonly BenchPlot[] {
  const pods = Math.max(...runs.map(({ size }) => size.pods));
  const writer: Writer = runs.some((run) => run.writer === "netlink") ? "netlink" : "session";
  const drawn = runs
    .filter((run) => run.size.pods === pods && run.writer === writer)
    .sort((a, b) => a.size.policies - b.size.policies);
  const ours = (point: (figures: Figures) => Omit<BenchPoint, "x">) =>
    GROUPS.map((group) => series(group.name, true, drawn, group, point));
  const where = `${pods.toLocaleString("en-US")} pods`;
  return [
    {
      ...AXES,
      id: "programming-p50",
      title: `From an event's bytes to the commit, median, ${where}`,
      series: [
        ...ours(({ p50, quartiles: [low, high] }) => ({ y: p50, low, high })),
        series("remote pod, bare nft -i alone", false, drawn, REMOTE_POD, ({ bareP50 }) => ({ y: bareP50 })),
        series("policy, bare nft -i alone", false, drawn, POLICY, ({ bareP50 }) => ({ y: bareP50 })),
      ],
    },
    {
      ...AXES,
      id: "programming-p99",
      title: `From an event's bytes to the commit, 99th percentile, ${where}`,
      series: ours(({ p99 }) => ({ y: p99 })),
    },
    {
      ...AXES,
      id: "programming-cpu",
      title: `CPU time of one change, agent and nft, ${where}`,
      series: ours(({ cpuAgent, cpuNft }) => ({ y: cpuAgent + cpuNft })),
    },
  ];
}

const AXES = { xLabel: "policies", yLabel: "milliseconds", xScale: "log", yScale: "log" } as const;

function series(
  name: string,
  isOurs: boolean,
  runs: readonly RunResult[],
  { kinds }: Group,
  point: (figures: Figures) => Omit<BenchPoint, "x">,
): BenchSeries {
  const points = runs.map((run): BenchPoint => ({ x: run.size.policies, ...point(figuresOf(run, kinds)) }));
  // What a busy machine makes of a difference may be below 0, where no logarithm is.
  return { name, isOurs, points: points.filter(({ y }) => y > 0) };
}
