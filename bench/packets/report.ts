// What was measured as rows: plain data, for tables, plots and targets. Pure.

import type { BackendName } from "./backend.ts";
import type { MeasuredRounds } from "./rounds.ts";
import { type Cost, costOf, floorNs, quietLimit, quietShare } from "./statistics.ts";
import { IPV4_ROUTED, type PacketKind, type Place } from "./variant.ts";

export interface ReportRow {
  readonly axis: string;
  readonly name: string;
  /** Where it stands on its axis. */
  readonly x: number | undefined;
  readonly place: Place;
  readonly backend: BackendName;
  readonly floorOf: BackendName;
  /** undefined: such packets were not measured. */
  readonly costs: Readonly<Record<PacketKind, Cost | typeof DISTURBED | undefined>>;
}

/** The machine was never quiet for long enough. */
export const DISTURBED = "disturbed";

/** Of one backend at one place. */
export interface ReportFloor {
  readonly backend: BackendName;
  readonly place: Place;
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
  const floors = Map.groupBy(measured, floorKey);
  const limitOf = quietLimits(floors);
  return {
    floors: [...floors.values()].map((own) => {
      const [first] = own as [MeasuredRounds];
      return {
        backend: first.floorOf,
        place: placeOf(first),
        ns: byKind((kind) => floorNs(roundsOf(own, kind), limitOf(first, kind))),
        quietShare: byKind((kind) => quietShare(roundsOf(own, kind), limitOf(first, kind))),
      };
    }),
    rows: rowsOf(measured).map((own): ReportRow => {
      const [first] = own;
      const { variant, backend, floorOf } = first;
      const costs = byKind((kind) => {
        const rounds = roundsOf(own, kind);
        return rounds.length === 0 ? undefined : (costOf(rounds, limitOf(first, kind)) ?? DISTURBED);
      });
      return { axis: variant.axis, name: variant.name, x: variant.x, place: placeOf(first), backend, floorOf, costs };
    }),
  };
}

/** What has no round yet that counts. */
export function disturbedOf(measured: readonly MeasuredRounds[]): ReadonlySet<MeasuredRounds> {
  const limitOf = quietLimits(Map.groupBy(measured, floorKey));
  return new Set(measured.filter((own) => costOf(own.rounds, limitOf(own, own.kind)) === undefined));
}

function quietLimits(
  floors: ReadonlyMap<string, readonly MeasuredRounds[]>,
): (own: MeasuredRounds, kind: PacketKind) => number {
  const limits = new Map([...floors].map(([key, own]) => [key, byKind((kind) => quietLimit(roundsOf(own, kind)))]));
  return (own, kind) => limits.get(floorKey(own))?.[kind] ?? Number.NaN;
}

/** One floor: of a backend, at a place. */
function floorKey(own: MeasuredRounds): string {
  const { family, topology } = placeOf(own);
  return `${own.floorOf} IPv${family} ${topology}`;
}

function placeOf({ variant: { place = IPV4_ROUTED } }: MeasuredRounds): Place {
  return place;
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

function byKind<T>(make: (kind: PacketKind) => T): Record<PacketKind, T> {
  return { new: make("new"), established: make("established"), denied: make("denied"), connection: make("connection") };
}

function roundsOf(measured: readonly MeasuredRounds[], wanted: PacketKind) {
  return measured.filter(({ kind }) => kind === wanted).flatMap(({ rounds }) => rounds);
}
