// What the rows have to say about the targets for packets. Owns the targets; a target is met where every row that it is about is. Pure.

import type { BenchTable } from "../document.ts";
import { PEER_BACKENDS } from "./backend.ts";
import { DISTURBED, type PacketReport, type ReportRow } from "./report.ts";
import { BACKEND_WORDS, OURS } from "./report-words.ts";
import type { Cost } from "./statistics.ts";
import type { PacketKind } from "./variant.ts";

const NEW_FLOW_NS = 750;
const POLICIES_RATIO = 1.15;
const ESTABLISHED_NS = 30;
const CONNECTION_RATIO = 1.02;
/** Of established packets, neither is measurably more than the other within it. */
const SAME_NS = ESTABLISHED_NS;

/** One target's row. */
interface Judged {
  readonly target: string;
  readonly measured: string;
  readonly isMet: boolean | undefined;
}

/** undefined: our rules on the grid were not measured. */
export function targetTable({ rows }: PacketReport): BenchTable | undefined {
  const onGrid = rows.filter(({ axis }) => axis !== "floor");
  const ours = onGrid.filter(({ backend }) => backend === OURS);
  if (ours.length === 0) return undefined;
  const along = (axis: string) => ours.filter((row) => row.axis === axis);
  const judged: Judged[] = [
    highest(
      `new flow, 1 to 200 policies: at most ${NEW_FLOW_NS} ns above the floor`,
      along("policies"),
      "new",
      extraNs,
      NEW_FLOW_NS,
    ),
    highest(
      `new flow, 10 to 40,000 peers: at most ${NEW_FLOW_NS} ns above the floor`,
      along("peers"),
      "new",
      extraNs,
      NEW_FLOW_NS,
    ),
    policiesRatio(along("policies")),
    highest(
      `established packet: at most ${ESTABLISHED_NS} ns above the floor`,
      ours,
      "established",
      extraNs,
      ESTABLISHED_NS,
    ),
    highest(
      `TCP connect, exchange, close: at most ${CONNECTION_RATIO} of the floor`,
      ours,
      "connection",
      ratio,
      CONNECTION_RATIO,
    ),
    ...PEER_BACKENDS.map((peer) =>
      beaten(
        `less than ${BACKEND_WORDS[peer]} at every point`,
        ours,
        onGrid.filter(({ backend }) => backend === peer),
      ),
    ),
  ];
  return {
    id: "packets-targets",
    title: "Targets for packets",
    columns: ["target", "measured", "met"],
    rows: judged.map(({ target, measured, isMet }) => [
      target,
      measured,
      isMet === undefined ? "not measured" : isMet ? "yes" : "no",
    ]),
    note: "medians; of established packets, a shape is no less than ours within 30 ns; rows that were always disturbed are left out and counted",
  };
}

interface Measure {
  readonly of: (cost: Cost) => number;
  readonly words: (value: number) => string;
}

const extraNs: Measure = { of: ({ extraNs }) => extraNs.median, words: (value) => `${Math.round(value)} ns` };
const ratio: Measure = { of: (cost) => cost.ratio, words: (value) => value.toFixed(3) };

/** Judged by the row that takes most. */
function highest(
  target: string,
  rows: readonly ReportRow[],
  kind: PacketKind,
  measure: Measure,
  limit: number,
): Judged {
  const asked = rows.filter(({ costs }) => costs[kind] !== undefined);
  const known = asked.flatMap((row) => {
    const cost = costOf(row, kind);
    return cost === undefined ? [] : [{ row, value: measure.of(cost) }];
  });
  const [top] = known.sort((a, b) => b.value - a.value);
  if (top === undefined) return { target, measured: "-", isMet: undefined };
  const above = known.filter(({ value }) => value > limit).length;
  const disturbed = asked.length - known.length;
  const words = [
    `at most ${measure.words(top.value)} (${top.row.axis}: ${top.row.name})`,
    `${above} of ${known.length} rows above`,
    ...(disturbed > 0 ? [`${disturbed} disturbed`] : []),
  ];
  return { target, measured: words.join(", "), isMet: above === 0 };
}

/** Of what is above the floor, which is stricter than of the whole time. */
function policiesRatio(policies: readonly ReportRow[]): Judged {
  const target = `new flow, 200 policies by 1: at most ${POLICIES_RATIO} times as much above the floor`;
  const [one, many] = [1, 200].map((count) => {
    const row = policies.find(({ x }) => x === count);
    return row === undefined ? undefined : costOf(row, "new");
  });
  if (one === undefined || many === undefined) return { target, measured: "-", isMet: undefined };
  const value = many.extraNs.median / one.extraNs.median;
  return { target, measured: value.toFixed(2), isMet: value <= POLICIES_RATIO };
}

/** Every kind of packets at every point where both were measured. */
function beaten(target: string, ours: readonly ReportRow[], peers: readonly ReportRow[]): Judged {
  const points = ours.flatMap((own) => {
    const peer = peers.find(({ axis, name }) => axis === own.axis && name === own.name);
    if (peer === undefined) return [];
    return (["new", "established", "denied", "connection"] as const).flatMap((kind) => {
      const [left, right] = [costOf(own, kind), costOf(peer, kind)];
      if (left === undefined || right === undefined) return [];
      const lead = right.extraNs.median - left.extraNs.median;
      return [{ where: `${own.axis}: ${own.name}, ${kind}`, isLess: lead > (kind === "established" ? -SAME_NS : 0) }];
    });
  });
  if (points.length === 0) return { target, measured: "-", isMet: undefined };
  const lost = points.filter(({ isLess }) => !isLess);
  const where = lost.slice(0, 3).map((point) => point.where);
  const measured = `${points.length - lost.length} of ${points.length}`;
  return {
    target,
    measured: lost.length === 0 ? measured : `${measured}; not: ${where.join("; ")}${lost.length > 3 ? " ..." : ""}`,
    isMet: lost.length === 0,
  };
}

function costOf({ costs }: ReportRow, kind: PacketKind): Cost | undefined {
  const cost = costs[kind];
  return cost === DISTURBED ? undefined : cost;
}
