// A plot as SVG text: lines with points and error bars, axes, and a label for each series beside its end. Pure: equal plots give equal
// bytes. The page shows it as an image, on light and on dark, so it brings its own white ground, and fonts that are everywhere.

import type { BenchPlot } from "../document.ts";
import { gridOf } from "./plot-grid.ts";
import { layoutOf, PLOT_SIZE, type PlotLayout } from "./plot-layout.ts";
import { legendOf, linesOf } from "./plot-series.ts";
import { type Slots, slotsAlone } from "./series-slots.ts";
import { element, escapeXml, textElement } from "./svg-text.ts";

/** `slots`: how the series look, if that depends on other plots. */
export function svgPlot(plot: BenchPlot, slots: Slots = slotsAlone(plot)): string {
  const { width, height } = PLOT_SIZE;
  const layout = layoutOf(plot, slots);
  const parts = [
    element("title", {}, escapeXml(plot.title)),
    element("desc", {}, escapeXml(`${plot.yLabel}, by ${plot.xLabel}`)),
    element("rect", { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 8, fill: "#fff", stroke: "#d0d7de" }),
    ...headOf(plot, layout),
    ...gridOf(plot, layout),
    ...linesOf(layout),
    ...legendOf(layout),
  ];
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "font-family": "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif",
    "font-size": 12,
    fill: "#24292f",
  };
  return `${element("svg", attributes, "\n", parts.join("\n"), "\n")}\n`;
}

function headOf({ yLabel }: BenchPlot, { titleLines, notes, box }: PlotLayout): string[] {
  return [
    ...titleLines.map(({ text, y }) => textElement({ x: 16, y, "font-size": 16, "font-weight": "bold" }, text)),
    textElement({ x: 16, y: box.top - 14, fill: "#57606a" }, yLabel),
    ...notes.map(({ text, y }) => textElement({ x: 16, y, "font-size": 11, fill: "#57606a" }, text)),
  ];
}
