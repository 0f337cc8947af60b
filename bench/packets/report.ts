// What was measured as rows: for people a table, for programs plain data. Pure.

import type { BackendName } from "./backend.ts";
import type { MeasuredRounds } from "./rounds.ts";
import { type Cost, costOf, floorNs, quietLimit, quietShare } from "./statistics.ts";
import { PACKET_KINDS, type PacketKind } from "./variant.ts";

export interface ReportRow {
  readonly axis: string;
  readonly name: string;
  readonly backend: BackendName;
  readonly floorOf: BackendName;
  /** undefined: such packets were not measured. */
  readonly costs: Readonly<Record<PacketKind, Cost | typeof DISTURBED | undefined>>;
}

/** The machine was never quiet for long enough. */
export const DISTURBED = "disturbed";

/** Of one backend. */
export interface ReportFloor {
  readonly backend: BackendName;
  /** A packet through the floor's rules, everything between the two pods included. */
  readonly ns: Readonly<Record<PacketKind, number>>;
  /** The share of what was measured that counts: the rest was disturbed by other work of the machine. */
  readonly quietShare: Readonly<Record<PacketKind, number>>;
}

export interface PacketReport {
  readonly floors: readonly ReportFloor[];
  readonly rows: readonly ReportRow[];
}

/** A row for each variant and backend, in their order. */
export function reportOf(measured: readonly MeasuredRounds[]): PacketReport {
  const backends = [...new Set(measured.map(({ floorOf }) => floorOf))];
  const limits = new Map(
    backends.map((backend) => [backend, byKind((kind) => quietLimit(roundsOf(besideFloor(measured, backend), kind)))]),
  );
  const limitOf = (backend: BackendName, kind: PacketKind) => limits.get(backend)?.[kind] ?? Number.NaN;
  return {
    floors: backends.map((backend) => {
      const own = besideFloor(measured, backend);
      return {
        backend,
        ns: byKind((kind) => floorNs(roundsOf(own, kind), limitOf(backend, kind))),
        quietShare: byKind((kind) => quietShare(roundsOf(own, kind), limitOf(backend, kind))),
      };
    }),
    rows: rowsOf(measured).map((own): ReportRow => {
      const [{ variant, backend, floorOf }] = own;
      const costs = byKind((kind) => {
        const rounds = roundsOf(own, kind);
        return rounds.length === 0 ? undefined : (costOf(rounds, limitOf(floorOf, kind)) ?? DISTURBED);
      });
      return { axis: variant.axis, name: variant.name, backend, floorOf, costs };
    }),
  };
}

type OfOneRow = readonly [MeasuredRounds, ...MeasuredRounds[]];

function rowsOf(measured: readonly MeasuredRounds[]): OfOneRow[] {
  const rows: [MeasuredRounds, ...MeasuredRounds[]][] = [];
  for (const each of measured) {
    const row = rows.find(([first]) => first.variant === each.variant && first.backend === each.backend);
    if (row === undefined) rows.push([each]);
    else row.push(each);
  }
  return rows;
}

function besideFloor(measured: readonly MeasuredRounds[], backend: BackendName): readonly MeasuredRounds[] {
  return measured.filter(({ floorOf }) => floorOf === backend);
}

function byKind<T>(make: (kind: PacketKind) => T): Record<PacketKind, T> {
  return { new: make("new"), established: make("established"), denied: make("denied"), connection: make("connection") };
}

function roundsOf(measured: readonly MeasuredRounds[], wanted: PacketKind) {
  return measured.filter(({ kind }) => kind === wanted).flatMap(({ rounds }) => rounds);
}

/**
 * Above the rows the floors themselves and what counts; in the rows nanoseconds above the floor, in brackets the quartiles, the time by
 * the floor's, and the rounds that count.
 */
export function reportTable({ floors, rows }: PacketReport): string {
  const head = ["", "", ...PACKET_KINDS];
  const top = floors.flatMap(({ backend, ns, quietShare }) => [
    ["floor", backend, ...PACKET_KINDS.map((kind) => `${Math.round(ns[kind])} ns`)],
    ["undisturbed", backend, ...PACKET_KINDS.map((kind) => `${Math.round(100 * quietShare[kind])} %`)],
  ]);
  const body = rows.map(({ axis, name, backend, costs }) => [
    `${axis}: ${name}`,
    backend,
    ...PACKET_KINDS.map((kind) => cell(costs[kind])),
  ]);
  const table = [head, ...top, ...body];
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
