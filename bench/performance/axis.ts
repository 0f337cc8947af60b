// From the values of a plot to an axis: where it begins and ends, what stands where, and at which values there are lines. Pure; owns no
// pixels but the ratio from 0 to 1.

export type ScaleName = "linear" | "log";

export interface Axis {
  readonly scale: ScaleName;
  /** Below `to`. */
  readonly from: number;
  readonly to: number;
  /** Ascending, within the axis: lines with a label. */
  readonly ticks: readonly number[];
  /** Lines without one. */
  readonly minorTicks: readonly number[];
}

/** On a log axis there is no place for 0 and what is below. */
export function hasPlace(scale: ScaleName, value: number): boolean {
  return Number.isFinite(value) && (scale === "linear" || value > 0);
}

/** 0 at the axis' begin, 1 at its end; the value has a place. */
export function ratioOf({ scale, from, to }: Axis, value: number): number {
  if (scale === "linear") return (value - from) / (to - from);
  return Math.log(value / from) / Math.log(to / from);
}

/** Begins and ends at round numbers; a linear one shows 0. */
export function valueAxis(scale: ScaleName, values: readonly number[]): Axis {
  const placed = values.filter((value) => hasPlace(scale, value));
  return scale === "linear" ? linearAxis(placed) : logAxis(placed);
}

/** Begins and ends with the values, with a tick at each where they are few: what was measured, and no more. */
export function measuredAxis(scale: ScaleName, values: readonly number[]): Axis {
  const placed = [...new Set(values.filter((value) => hasPlace(scale, value)))].sort((a, b) => a - b);
  const around = valueAxis(scale, placed);
  const [first, last] = [placed[0], placed.at(-1)];
  if (first === undefined || last === undefined) return around;
  if (first === last) return { ...around, ticks: [first], minorTicks: [] };
  const [from, to] = scale === "linear" ? [Math.min(0, first), Math.max(0, last)] : [first, last];
  const inside = (ticks: readonly number[]) => ticks.filter((tick) => tick >= from && tick <= to);
  const ticks = placed.length <= FEW ? placed : inside(around.ticks);
  return { scale, from, to, ticks, minorTicks: inside(around.minorTicks) };
}

const FEW = 8;

function linearAxis(values: readonly number[]): Axis {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const step = roundStep((high - low) / 5);
  // Multiples, not sums: 3 * 0.1 is not exact either, so each is rounded to the step's digits.
  const [first, last] = [Math.floor(low / step), Math.max(Math.ceil(high / step), Math.floor(low / step) + 1)];
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => exact((first + index) * step));
  return { scale: "linear", from: ticks[0] as number, to: ticks.at(-1) as number, ticks, minorTicks: [] };
}

/** 1, 2 or 5 times a power of ten, at least `wanted`. */
function roundStep(wanted: number): number {
  return wanted > 0 ? roundUp(wanted) : 1;
}

function logAxis(values: readonly number[]): Axis {
  if (values.length === 0) return logAxis([1, 10]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  let [from, to] = [roundDown(low), roundUp(high)];
  if (from === to) [from, to] = [roundDown(from * 0.9), roundUp(to * 1.1)];
  const within = (steps: readonly number[]) => multiples(steps, from, to);
  const [decades, coarse, fine] = [within([1]), within([1, 2, 5]), within([1, 1.5, 2, 3, 4, 5, 6, 8])];
  const ticks = decades.length >= 3 ? decades : coarse.length >= 3 ? coarse : fine;
  const minorTicks = decades.length <= 6 ? within([1, 2, 3, 4, 5, 6, 7, 8, 9]) : [];
  return { scale: "log", from, to, ticks, minorTicks: minorTicks.filter((tick) => !ticks.includes(tick)) };
}

function multiples(steps: readonly number[], from: number, to: number): number[] {
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(from)) - 1; power <= Math.log10(to) + 1; power++)
    for (const step of steps) {
      const value = exact(step * 10 ** power);
      if (value >= from && value <= to) found.push(value);
    }
  return found;
}

function roundUp(value: number): number {
  return multiples([1, 2, 5], exact(value * 0.999999), value * 10)[0] as number;
}

function roundDown(value: number): number {
  return multiples([1, 2, 5], value / 10, exact(value * 1.000001)).at(-1) as number;
}

/** Without what binary fractions leave behind. */
function exact(value: number): number {
  return Number(value.toPrecision(12));
}

/** `0.5`, `200`, `1k`, `40k`, `1.5M`. */
export function tickText(value: number): string {
  const [size, suffix] = Math.abs(value) >= 1e6 ? [1e6, "M"] : Math.abs(value) >= 1e3 ? [1e3, "k"] : [1, ""];
  return `${Number((value / size).toPrecision(3))}${suffix}`.replace("-", "\u2212");
}
