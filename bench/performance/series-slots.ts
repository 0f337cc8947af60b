// Which look a series has: equal names look equal in all plots of a benchmark, also where some plots lack others. Pure.

import type { BenchPlot, BenchSeries } from "../document.ts";

/** A place in the order of looks for each series, in the order of the plot's; no two series of a plot have the same. */
export type Slots = readonly number[];

/** By the ids of the plots. A series keeps the place that it has in an earlier plot; ours get the first ones that are free. */
export function seriesSlots(plots: readonly BenchPlot[]): ReadonlyMap<string, Slots> {
  const known = new Map<string, number>();
  return new Map(plots.map(({ id, series }) => [id, slotsOf(series, known)]));
}

/** Of a plot that stands beside no other. */
export function slotsAlone({ series }: BenchPlot): Slots {
  return slotsOf(series, new Map());
}

function slotsOf(series: readonly BenchSeries[], known: Map<string, number>): Slots {
  const own = new Map<BenchSeries, number>();
  const isTaken = (slot: number) => [...own.values()].includes(slot);
  for (const each of series) {
    const slot = known.get(each.name);
    if (slot !== undefined && !isTaken(slot)) own.set(each, slot);
  }
  const oursFirst = [...series.filter(({ isOurs }) => isOurs), ...series.filter(({ isOurs }) => !isOurs)];
  for (const each of oursFirst) {
    if (own.has(each)) continue;
    let slot = 0;
    while (isTaken(slot)) slot++;
    own.set(each, slot);
    if (!known.has(each.name)) known.set(each.name, slot);
  }
  return series.map((each) => own.get(each) ?? 0);
}
