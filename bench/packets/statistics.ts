// From pairs of bursts to one figure with its spread. Pure. Owns which pairs count: those that nothing disturbed, judged by the
// floor's bursts around them alone, so that the choice does not favour any outcome.

import type { Pair } from "./pairs.ts";

export interface Quartiles {
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
}

/** Of one variant and kind of packet. */
export interface Cost {
  /** Above the floor, in nanoseconds a packet: over the medians of the rounds. */
  readonly extraNs: Quartiles;
  /** The variant's time by the floor's: median over the rounds. */
  readonly ratio: number;
  /** Rounds with enough pairs that count. */
  readonly rounds: number;
  /** The share of all pairs that count. */
  readonly quietShare: number;
}

/** A burst of the floor that takes longer by this factor than the fast ones was disturbed: a busy neighbour core slows it by 1.6. */
const DISTURBED = 1.15;
/** Of all bursts of the floor, at least this share is taken for undisturbed. */
const FAST_QUANTILE = 0.1;
const ENOUGH_PAIRS = 8;

/** What a burst of the floor may take at most to count; `rounds` are all of one kind of packets, whatever the variant. */
export function quietLimit(rounds: readonly (readonly Pair[])[]): number {
  const floors = rounds.flat().map(({ floorBefore }) => floorBefore);
  return DISTURBED * quantile(floors, FAST_QUANTILE);
}

/** `rounds`: of one variant and kind. undefined: no round has enough pairs that count. */
export function costOf(rounds: readonly (readonly Pair[])[], limit: number): Cost | undefined {
  const quiet = rounds.map((pairs) => quietPairs(pairs, limit));
  const counted = quiet.filter((pairs) => pairs.length >= ENOUGH_PAIRS);
  if (counted.length === 0) return undefined;
  return {
    extraNs: quartiles(counted.map((pairs) => median(pairs.map((pair) => pair.variant - floorOf(pair))))),
    ratio: median(counted.map((pairs) => median(pairs.map((pair) => pair.variant / floorOf(pair))))),
    rounds: counted.length,
    quietShare: quietShare(rounds, limit),
  };
}

/** The share of pairs that count. */
export function quietShare(rounds: readonly (readonly Pair[])[], limit: number): number {
  const all = rounds.flat();
  return quietPairs(all, limit).length / all.length;
}

function quietPairs(pairs: readonly Pair[], limit: number): readonly Pair[] {
  return pairs.filter(({ floorBefore, floorAfter }) => Math.max(floorBefore, floorAfter) <= limit);
}

/** Nanoseconds of a packet through the floor's rules, undisturbed. */
export function floorNs(rounds: readonly (readonly Pair[])[], limit: number): number {
  const floors = rounds.flat().map(({ floorBefore }) => floorBefore);
  return median(floors.filter((time) => time <= limit));
}

function floorOf({ floorBefore, floorAfter }: Pair): number {
  return (floorBefore + floorAfter) / 2;
}

export function quartiles(values: readonly number[]): Quartiles {
  return { q1: quantile(values, 0.25), median: median(values), q3: quantile(values, 0.75) };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between two neighbours, in proportion. NaN for no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return low + (high - low) * (at - Math.floor(at));
}
