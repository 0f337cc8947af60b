// The report as tables: one for each axis with the first packets of new flows, one for each other kind of packets with all axes. A
// column for each backend. Pure.

import type { BenchTable } from "../document.ts";
import type { BackendName } from "./backend.ts";
import type { PacketReport, ReportRow } from "./report.ts";
import { BACKEND_WORDS, extraWords, KIND_WORDS, placeWords, ratioWords } from "./report-words.ts";
import { PACKET_KINDS, type PacketKind } from "./variant.ts";

const ABOVE_FLOOR =
  "nanoseconds above the floor of the same kind of rules: median of the undisturbed rounds [quartiles]; -: no such rules";

export function reportTables({ floors, rows }: PacketReport): BenchTable[] {
  const axes = [...new Set(rows.map(({ axis }) => axis))];
  return [
    floorTable(floors),
    ...axes.map((axis) => axisTable(axis, rows)),
    kindTable("established", rows, extraWords, ABOVE_FLOOR),
    kindTable("denied", rows, extraWords, `${ABOVE_FLOOR}; its floor drops what is not known`),
    kindTable(
      "connection",
      rows,
      ratioWords,
      "time by the floor's, in brackets nanoseconds above it: medians of the undisturbed rounds; a twentieth of both are calls from JavaScript",
    ),
  ].filter(({ rows }) => rows.length > 0);
}

function floorTable(floors: PacketReport["floors"]): BenchTable {
  const percent = (share: number) => (Number.isNaN(share) ? "-" : `${Math.round(100 * share)} %`);
  return {
    id: "packets-floors",
    title: "The floor: pod to pod through one rule that accepts established connections",
    columns: ["beside", "at", ...PACKET_KINDS.map((kind) => KIND_WORDS[kind]), "undisturbed"],
    rows: floors.map(({ backend, place, ns, quietShare }) => [
      BACKEND_WORDS[backend],
      placeWords(place),
      ...PACKET_KINDS.map((kind) => (Number.isNaN(ns[kind]) ? "-" : `${Math.round(ns[kind])}`)),
      percent(quietShare.new),
    ]),
    note: "nanoseconds, all work between the two pods included; undisturbed: the share of new flows' bursts that counts",
  };
}

function axisTable(axis: string, rows: readonly ReportRow[]): BenchTable {
  const own = rows.filter((row) => row.axis === axis);
  return {
    id: `packets-${axis.toLowerCase().replaceAll(" ", "-")}`,
    title: `New flows: ${axis}`,
    ...grid(own, "new", ({ name }) => name, axis, extraWords),
    note: `${KIND_WORDS.new}: ${ABOVE_FLOOR}`,
  };
}

function kindTable(kind: PacketKind, rows: readonly ReportRow[], cell: typeof extraWords, note: string): BenchTable {
  return {
    id: `packets-all-${kind}`,
    title: `All rows: ${KIND_WORDS[kind]}`,
    ...grid(rows, kind, ({ axis, name }) => `${axis}: ${name}`, "", cell),
    note,
  };
}

/** A line for each row of which some backend was measured. */
function grid(
  rows: readonly ReportRow[],
  kind: PacketKind,
  nameOf: (row: ReportRow) => string,
  corner: string,
  cell: typeof extraWords,
): Pick<BenchTable, "columns" | "rows"> {
  const measured = rows.filter(({ costs }) => costs[kind] !== undefined);
  const backends = [...new Set(measured.map(({ backend }) => backend))];
  const lines = Map.groupBy(measured, nameOf);
  const cellOf = (own: readonly ReportRow[], backend: BackendName) =>
    cell(own.find((row) => row.backend === backend)?.costs[kind]);
  return {
    columns: [corner, ...backends.map((backend) => BACKEND_WORDS[backend])],
    rows: [...lines].map(([name, own]) => [name, ...backends.map((backend) => cellOf(own, backend))]),
  };
}
