// The axes of a plot: lines, ticks and what is written at them.

import type { BenchPlot } from "../document.ts";
import { tickText } from "./axis.ts";
import type { PlotLayout } from "./plot-layout.ts";
import { element, textElement, textWidth } from "./svg-text.ts";

const LABEL_SPACE = 10;

export function gridOf({ xLabel }: BenchPlot, layout: PlotLayout): string[] {
  const { box, xAxis, yAxis, xPixel, yPixel } = layout;
  const vertical = (x: number, stroke: string) => line(x, box.top, x, box.bottom, stroke);
  const horizontal = (y: number, stroke: string) => line(box.left, y, box.right, y, stroke);
  return [
    ...xAxis.minorTicks.map((tick) => vertical(xPixel(tick), "#f3f4f6")),
    ...yAxis.minorTicks.map((tick) => horizontal(yPixel(tick), "#f3f4f6")),
    ...xAxis.ticks.map((tick) => vertical(xPixel(tick), "#dfe3e8")),
    ...yAxis.ticks.map((tick) => horizontal(yPixel(tick), "#dfe3e8")),
    horizontal(yAxis.scale === "linear" ? yPixel(0) : box.bottom, "#8c959f"),
    vertical(box.left, "#8c959f"),
    ...yAxis.ticks.map((tick) =>
      textElement({ x: box.left - 6, y: yPixel(tick) + 4, "text-anchor": "end", fill: "#57606a" }, tickText(tick)),
    ),
    ...apart(xAxis.ticks, xPixel).map((tick) =>
      textElement({ x: xPixel(tick), y: box.bottom + 17, "text-anchor": "middle", fill: "#57606a" }, tickText(tick)),
    ),
    textElement(
      { x: (box.left + box.right) / 2, y: box.bottom + 36, "text-anchor": "middle", fill: "#57606a" },
      xLabel,
    ),
  ];
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string): string {
  return element("line", { x1, y1, x2, y2, stroke });
}

/** Those whose labels do not touch: from the left, and the last one in any case. */
function apart(ticks: readonly number[], pixel: (value: number) => number): number[] {
  const beginOf = (tick: number) => pixel(tick) - textWidth(tickText(tick), 12) / 2;
  const endOf = (tick: number) => pixel(tick) + textWidth(tickText(tick), 12) / 2;
  const last = ticks.at(-1);
  const kept: number[] = [];
  for (const tick of ticks) {
    const before = kept.at(-1);
    const isFree = before === undefined || beginOf(tick) >= endOf(before) + LABEL_SPACE;
    const leavesLast = last === undefined || tick === last || endOf(tick) + LABEL_SPACE <= beginOf(last);
    if (tick === last || (isFree && leavesLast)) kept.push(tick);
  }
  return kept;
}
