// The targets, and what was measured of them. Pure. Owns what each of them is about.

import type { BenchTable } from "../document.ts";
import { sameSize, TARGET_SIZE, type Writer } from "./choices.ts";
import { figuresOf, type KindFigures } from "./figures.ts";
import { type Group, NAMESPACE, POLICY, REMOTE_POD, WIDE_POLICY } from "./groups.ts";
import type { RunResult } from "./sample.ts";

interface Target {
  readonly what: string;
  readonly writer: Writer | "any";
  readonly group: Group;
  readonly atMost: number;
  readonly unit: "ms" | "times";
  readonly measured: (figures: Omit<KindFigures, "kind">) => number;
}

const TARGETS: readonly Target[] = [
  target("remote pod, netlink writer: p50", "netlink", REMOTE_POD, 1, ({ p50 }) => p50),
  target("remote pod, netlink writer: p99", "netlink", REMOTE_POD, 10, ({ p99 }) => p99),
  target(
    "remote pod, netlink writer: the commit itself, p50",
    "netlink",
    REMOTE_POD,
    0.1,
    ({ stages }) => stages.netlink,
  ),
  {
    ...target(
      "remote pod, without it: p50 by that of a bare nft -i",
      "session",
      REMOTE_POD,
      2,
      ({ p50, bareP50 }) => p50 / bareP50,
    ),
    unit: "times",
  },
  target("policy: p50", "any", POLICY, 5, ({ p50 }) => p50),
  target("policy: p99", "any", POLICY, 20, ({ p99 }) => p99),
  target("policy with many peers: p50", "any", WIDE_POLICY, 5, ({ p50 }) => p50),
  target("policy with many peers: p99", "any", WIDE_POLICY, 20, ({ p99 }) => p99),
  target("namespace of 1,000 pods relabelled: p50", "any", NAMESPACE, 50, ({ p50 }) => p50),
  target("namespace of 1,000 pods relabelled: p99", "any", NAMESPACE, 50, ({ p99 }) => p99),
];

export function targetTable(runs: readonly RunResult[]): BenchTable {
  return {
    id: "programming-targets",
    title: "Targets, at 10,000 pods and 1,000 policies",
    columns: ["what", "target", "measured", "met"],
    rows: TARGETS.map((each) => targetRow(each, runs)),
    note: "from the arrival of the event's bytes to the commit, one change at a time; a remote pod's or a policy's change: added, changed and removed together",
  };
}

function targetRow({ what, writer, group, atMost, unit, measured }: Target, runs: readonly RunResult[]): string[] {
  const bound = `at most ${atMost} ${unit}`;
  const run = runs.find((each) => sameSize(each.size, TARGET_SIZE) && (writer === "any" || each.writer === writer));
  if (run === undefined) return [what, bound, "not measured", "-"];
  const value = measured(figuresOf(run, group.kinds));
  return [what, bound, `${value.toFixed(2)} ${unit}`, value <= atMost ? "yes" : "no"];
}

function target(
  what: string,
  writer: Target["writer"],
  group: Group,
  atMost: number,
  measured: Target["measured"],
): Target {
  return { what, writer, group, atMost, unit: "ms", measured };
}
