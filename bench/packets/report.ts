// What was measured as rows: for people a table, for programs plain data. Pure.

import type { MeasuredRounds } from "./rounds.ts";
import { type Cost, costOf, floorNs, quietLimit, quietShare } from "./statistics.ts";
import { PACKET_KINDS, type PacketKind } from "./variant.ts";

export interface ReportRow {
  readonly axis: string;
  readonly name: string;
  /** undefined: such packets were not measured. */
  readonly costs: Readonly<Record<PacketKind, Cost | typeof DISTURBED | undefined>>;
}

/** The machine was never quiet for long enough. */
export const DISTURBED = "disturbed";

export interface PacketReport {
  /** A packet through the floor's rules, everything between the two pods included. */
  readonly floorNs: Readonly<Record<PacketKind, number>>;
  /** The share of what was measured that counts: the rest was disturbed by other work of the machine. */
  readonly quietShare: Readonly<Record<PacketKind, number>>;
  readonly rows: readonly ReportRow[];
}

/** A row for each variant, in their order. */
export function reportOf(measured: readonly MeasuredRounds[]): PacketReport {
  const limits = byKind((kind) => quietLimit(roundsOf(measured, kind)));
  const variants = [...new Set(measured.map(({ variant }) => variant))];
  const rows = variants.map(({ axis, name }, index): ReportRow => {
    const own = measured.filter(({ variant }) => variant === variants[index]);
    const costs = byKind((kind) => {
      const rounds = roundsOf(own, kind);
      return rounds.length === 0 ? undefined : (costOf(rounds, limits[kind]) ?? DISTURBED);
    });
    return { axis, name, costs };
  });
  return {
    floorNs: byKind((kind) => floorNs(roundsOf(measured, kind), limits[kind])),
    quietShare: byKind((kind) => quietShare(roundsOf(measured, kind), limits[kind])),
    rows,
  };
}

function byKind<T>(make: (kind: PacketKind) => T): Record<PacketKind, T> {
  return { new: make("new"), established: make("established"), denied: make("denied") };
}

function roundsOf(measured: readonly MeasuredRounds[], wanted: PacketKind) {
  return measured.filter(({ kind }) => kind === wanted).flatMap(({ rounds }) => rounds);
}

/** Above the rows the floor itself and what counts; in the rows nanoseconds above the floor, in brackets the quartiles, the time by the floor's, and the rounds that count. */
export function reportTable(report: PacketReport): string {
  const { floorNs: floors, rows } = report;
  const head = ["", ...PACKET_KINDS];
  const floorRow = ["floor", ...PACKET_KINDS.map((kind) => `${Math.round(floors[kind])} ns`)];
  const quietRow = ["undisturbed", ...PACKET_KINDS.map((kind) => `${Math.round(100 * report.quietShare[kind])} %`)];
  const body = rows.map(({ axis, name, costs }) => [
    `${axis}: ${name}`,
    ...PACKET_KINDS.map((kind) => cell(costs[kind])),
  ]);
  const table = [head, floorRow, quietRow, ...body];
  const widths = head.map((_, column) => Math.max(...table.map((cells) => (cells[column] as string).length)));
  return table
    .map((cells) =>
      cells
        .map((text, column) => text.padEnd(widths[column] as number))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function cell(cost: ReportRow["costs"][PacketKind]): string {
  if (cost === undefined) return "-";
  if (cost === DISTURBED) return DISTURBED;
  const { extraNs, ratio, rounds } = cost;
  return `${signed(extraNs.median)} [${signed(extraNs.q1)} ${signed(extraNs.q3)}] x${ratio.toFixed(2)} n${rounds}`;
}

function signed(value: number): string {
  const rounded = Math.round(value);
  return rounded > 0 ? `+${rounded}` : `${rounded}`;
}
