// Where everything of a plot stands: the box between the axes, every point in pixels, every label of a series. Owns what becomes of
// points that a log axis has no place for, and that the plot says so.

import type { BenchPlot, BenchPoint, BenchSeries } from "../document.ts";
import { type Axis, hasPlace, measuredAxis, ratioOf, tickText, valueAxis } from "./axis.ts";
import { type Slots, slotsAlone } from "./series-slots.ts";
import { type SeriesStyle, styleOf } from "./series-style.ts";
import { spread } from "./spread.ts";
import { textWidth, wrapped } from "./svg-text.ts";

export const PLOT_SIZE = { width: 720, height: 420 } as const;

/** In pixels; the axes' lines. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface PlacedPoint {
  readonly x: number;
  readonly y: number;
  /** 0 or less on a log axis: it stands at the lower edge. */
  readonly isBelow: boolean;
  /** Between this one and the one before it others have a point. */
  readonly isBehindGap: boolean;
  /** The ends of the error bar; undefined: there is none. */
  readonly bar: readonly [low: number, high: number] | undefined;
}

export interface PlacedSeries {
  readonly series: BenchSeries;
  readonly style: SeriesStyle;
  readonly points: readonly PlacedPoint[];
  readonly label: PlacedLabel;
}

export interface PlacedLabel {
  readonly lines: readonly string[];
  readonly x: number;
  /** Of its middle. */
  readonly y: number;
  readonly lineHeight: number;
}

export interface PlacedText {
  readonly text: string;
  readonly y: number;
}

export interface PlotLayout {
  readonly box: Box;
  readonly xAxis: Axis;
  readonly yAxis: Axis;
  readonly xPixel: (value: number) => number;
  readonly yPixel: (value: number) => number;
  readonly titleLines: readonly PlacedText[];
  readonly notes: readonly PlacedText[];
  /** In the order of the plot. */
  readonly series: readonly PlacedSeries[];
}

const MARGIN = 16;
/** Points do not stand on the axes' lines. */
const INSET = 14;
const LABEL_WIDTH = 190;
/** Bold letters are wider. */
const BOLD = 1.08;
const LABEL_GAP = 34;
const LINE_HEIGHT = 16;
const NOTE_HEIGHT = 15;

/** `slots`: how the series look, if that depends on other plots. */
export function layoutOf(plot: BenchPlot, slots: Slots = slotsAlone(plot)): PlotLayout {
  const all = plot.series.flatMap(({ points }) => points);
  const xAxis = measuredAxis(
    plot.xScale,
    all.map(({ x }) => x),
  );
  const yAxis = valueAxis(
    plot.yScale,
    all.flatMap((point) => shownValues(plot, point)),
  );
  const titleLines = wrapped(plot.title, PLOT_SIZE.width - 2 * MARGIN, 16).map((text, index) => ({
    text,
    y: 29 + 20 * index,
  }));
  const noteTexts = notesOf(plot);
  const labelLines = plot.series.map((series) => wrapped(labelOf(plot, series), LABEL_WIDTH, 12));
  const labelWidth = Math.max(0, ...labelLines.flat().map((line) => textWidth(line, 12) * BOLD));
  const box: Box = {
    left: MARGIN + 8 + Math.max(...yAxis.ticks.map((tick) => textWidth(tickText(tick), 12))),
    right: PLOT_SIZE.width - MARGIN - labelWidth - LABEL_GAP,
    top: 29 + 20 * titleLines.length + 14,
    bottom: PLOT_SIZE.height - 52 - NOTE_HEIGHT * noteTexts.length,
  };
  const xPixel = (value: number) => box.left + INSET + ratioOf(xAxis, value) * (box.right - box.left - 2 * INSET);
  const yPixel = (value: number) => box.bottom - ratioOf(yAxis, value) * (box.bottom - box.top);
  const placed = plot.series.map((series) => placedPoints(plot, series, { xPixel, yPixel, lowest: box.bottom }));
  const labels = placeLabels(labelLines, placed, box);
  return {
    box,
    xAxis,
    yAxis,
    xPixel,
    yPixel,
    titleLines,
    notes: noteTexts.map((text, index) => ({
      text,
      y: PLOT_SIZE.height - 12 - NOTE_HEIGHT * (noteTexts.length - 1 - index),
    })),
    series: plot.series.map((series, index) => ({
      series,
      style: styleOf(series, slots[index] ?? index),
      points: placed[index] as readonly PlacedPoint[],
      label: labels[index] as PlacedLabel,
    })),
  };
}

/** What the axis has to hold. Near 0 a log axis would need decades for the lower ends of bars: those end at its lower edge. */
function shownValues({ yScale }: BenchPlot, { y, low = y, high = y }: BenchPoint): number[] {
  return yScale === "linear" ? [low, y, high] : [Math.max(low, 0.5 * y), 0.8 * y, high];
}

function hasPoint({ xScale }: BenchPlot, { x, y }: BenchPoint): boolean {
  return hasPlace(xScale, x) && Number.isFinite(y);
}

interface Pixels {
  readonly xPixel: (value: number) => number;
  readonly yPixel: (value: number) => number;
  readonly lowest: number;
}

function placedPoints(plot: BenchPlot, { points }: BenchSeries, { xPixel, yPixel, lowest }: Pixels): PlacedPoint[] {
  const yOf = (value: number) => (hasPlace(plot.yScale, value) ? Math.min(lowest, yPixel(value)) : lowest);
  const drawn = points.filter((point) => hasPoint(plot, point));
  return drawn.map(({ x, y, low, high }, index) => {
    const hasBar = low !== undefined && high !== undefined && Number.isFinite(low) && Number.isFinite(high);
    return {
      x: xPixel(x),
      y: yOf(y),
      isBelow: !hasPlace(plot.yScale, y),
      isBehindGap: hasGap(plot, drawn[index - 1], x),
      bar: hasBar ? [yOf(low), yOf(high)] : undefined,
    };
  });
}

/** Whether another series, or this one without a figure, has a point between. */
function hasGap({ series }: BenchPlot, before: BenchPoint | undefined, x: number): boolean {
  if (before === undefined) return false;
  return series.some(({ points }) => points.some((point) => point.x > before.x && point.x < x));
}

function labelOf(plot: BenchPlot, { name, points }: BenchSeries): string {
  return points.some((point) => hasPoint(plot, point)) ? name : `${name} (no figures)`;
}

/** What the plot does not show as it was measured. */
function notesOf(plot: BenchPlot): string[] {
  const hasGaps = plot.series.some(({ points }) => {
    const drawn = points.filter((point) => hasPoint(plot, point));
    return drawn.some(({ x }, index) => hasGap(plot, drawn[index - 1], x));
  });
  const points = plot.series.flatMap(({ points }) => points);
  const lost = points.filter(({ y }) => !Number.isFinite(y)).length;
  const leftOut = points.filter((point) => Number.isFinite(point.y) && !hasPoint(plot, point)).length;
  const below = points.some((point) => hasPoint(plot, point) && !hasPlace(plot.yScale, point.y));
  return [
    ...(below ? ["Arrows at the lower edge: 0 or less, for which a log scale has no place."] : []),
    ...(leftOut > 0
      ? [`Not drawn: ${pointsText(leftOut)} at 0 or less, for which the log scale below has no place.`]
      : []),
    ...(hasGaps ? ["Dotted lines: no figure between."] : []),
    ...(lost > 0 ? [`Not drawn: ${pointsText(lost)} without a figure.`] : []),
  ];
}

function pointsText(count: number): string {
  return count === 1 ? "1 point" : `${count} points`;
}

/** Each beside the last point of its series; smaller where there are too many of them. */
function placeLabels(
  labels: readonly (readonly string[])[],
  placed: readonly (readonly PlacedPoint[])[],
  { top, bottom, right }: Box,
): PlacedLabel[] {
  const lineHeight = Math.min(LINE_HEIGHT, (bottom - top) / Math.max(1, labels.flat().length));
  const gap = lineHeight === LINE_HEIGHT ? 3 : 0;
  const wanted = labels.map((lines, index) => ({
    wanted: placed[index]?.at(-1)?.y ?? bottom,
    height: lines.length * lineHeight + gap,
  }));
  const middles = spread(wanted, top, bottom);
  return labels.map((lines, index) => ({ lines, x: right + LABEL_GAP, y: middles[index] as number, lineHeight }));
}
