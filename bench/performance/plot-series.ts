// The series of a plot: error bars, lines, points and labels. Ours stand in front of all others.

import type { PlacedPoint, PlacedSeries, PlotLayout } from "./plot-layout.ts";
import { marker } from "./series-style.ts";
import { coordinate, element, textElement } from "./svg-text.ts";

export function linesOf({ series }: PlotLayout): string[] {
  const oursLast = [...series.filter((each) => !each.series.isOurs), ...series.filter((each) => each.series.isOurs)];
  return oursLast.map(({ style, points }) =>
    element(
      "g",
      {},
      ...points.flatMap(({ x, bar }) => (bar === undefined ? [] : [errorBar(x, bar, style.color)])),
      lineThrough(points, style.color, style.lineWidth),
      ...points.map((point) => (point.isBelow ? arrow(point, style.color) : marker(style, point.x, point.y))),
    ),
  );
}

/** Dotted where others have a point between two of this series. */
function lineThrough(points: readonly PlacedPoint[], color: string, width: number): string {
  const runs: PlacedPoint[][] = [];
  const gaps: [PlacedPoint, PlacedPoint][] = [];
  for (const [index, point] of points.entries()) {
    const before = points[index - 1];
    if (before !== undefined && point.isBehindGap) gaps.push([before, point]);
    if (before === undefined || point.isBehindGap) runs.push([point]);
    else runs.at(-1)?.push(point);
  }
  const attributes = { fill: "none", stroke: color, "stroke-width": width, "stroke-linejoin": "round" };
  return [
    ...runs.map((run) => element("polyline", { points: corners(run), ...attributes })),
    ...gaps.map((gap) => element("polyline", { points: corners(gap), ...attributes, "stroke-dasharray": "2 5" })),
  ].join("");
}

function corners(points: readonly PlacedPoint[]): string {
  return points.map(({ x, y }) => `${coordinate(x)},${coordinate(y)}`).join(" ");
}

function errorBar(x: number, [low, high]: readonly [number, number], stroke: string): string {
  const d = `M${coordinate(x)} ${coordinate(low)}V${coordinate(high)}M${coordinate(x - 3)} ${coordinate(low)}h6M${coordinate(x - 3)} ${coordinate(high)}h6`;
  return element("path", { d, fill: "none", stroke, "stroke-width": 1.2, opacity: 0.7 });
}

/** Points down from the lower edge. */
function arrow({ x, y }: PlacedPoint, color: string): string {
  return element("path", {
    d: `M${coordinate(x - 4.5)} ${coordinate(y - 9)}h9L${coordinate(x)} ${coordinate(y)}Z`,
    fill: color,
  });
}

/** A label for each series, with its marker, and a thin line from where the series ends. */
export function legendOf({ series, box }: PlotLayout): string[] {
  return series.map((each) => {
    const { x, y } = each.label;
    const end = each.points.at(-1);
    const reachesEdge = end !== undefined && end.x > box.right - 20;
    return element(
      "g",
      {},
      ...(reachesEdge ? [leader(end, x - 18, y, each.style.color)] : []),
      element("line", {
        x1: x - 19,
        y1: y,
        x2: x - 3,
        y2: y,
        stroke: each.style.color,
        "stroke-width": each.style.lineWidth,
      }),
      marker(each.style, x - 11, y),
      ...labelLines(each),
    );
  });
}

function leader({ x, y }: PlacedPoint, toX: number, toY: number, stroke: string): string {
  const attributes = { x1: x + 7, y1: y, x2: toX - 2, y2: toY, stroke, opacity: 0.55, "stroke-dasharray": "2 2" };
  return element("line", attributes);
}

function labelLines({ series, label }: PlacedSeries): string[] {
  const { lines, x, y, lineHeight } = label;
  const fontSize = Math.min(12, 0.8 * lineHeight);
  const first = y - ((lines.length - 1) * lineHeight) / 2 + 0.35 * fontSize;
  return lines.map((text, index) =>
    textElement(
      {
        x: x + 2,
        y: first + index * lineHeight,
        "font-size": fontSize === 12 ? undefined : fontSize,
        "font-weight": series.isOurs ? "bold" : undefined,
      },
      text,
    ),
  );
}
