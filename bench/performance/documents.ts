// The documents behind the page, as JSON: read with a look at what they are, and kept so small that a repository can hold them. Pure.

import type { BenchDocument, BenchPlot, BenchTable } from "../document.ts";

/** A document with its figures is not kept if it is larger. */
const KEPT_BYTES = 50_000;

/** Throws where the text is not a benchmark's document; `name` is for the message. */
export function parseDocument(text: string, name: string): BenchDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!isDocument(value)) throw new Error(`${name} is not a benchmark's document`);
  return { ...value, plots: value.plots.map(withNumbers) };
}

/** What is kept beside the page: without the figures where these are large. */
export function keptText(document: BenchDocument): string {
  const whole = `${JSON.stringify(document, null, 1)}\n`;
  if (Buffer.byteLength(whole) <= KEPT_BYTES) return whole;
  return `${JSON.stringify({ ...document, figures: null }, null, 1)}\n`;
}

/** JSON writes what is not a number as null. */
function withNumbers(plot: BenchPlot): BenchPlot {
  const series = plot.series.map((each) => ({
    ...each,
    points: each.points.map((point) => ({ ...point, x: point.x ?? Number.NaN, y: point.y ?? Number.NaN })),
  }));
  return { ...plot, series };
}

function isDocument(value: unknown): value is BenchDocument {
  return (
    isObject(value) &&
    typeof value.bench === "string" &&
    isObject(value.machine) &&
    isObject(value.settings) &&
    isListOf(value.tables, isTable) &&
    isListOf(value.plots, isPlot)
  );
}

function isTable(value: unknown): value is BenchTable {
  return (
    isObject(value) &&
    [value.id, value.title, value.note].every((text) => typeof text === "string") &&
    isListOf(value.columns, isText) &&
    isListOf(value.rows, (row) => isListOf(row, isText))
  );
}

function isPlot(value: unknown): value is BenchPlot {
  return (
    isObject(value) &&
    [value.id, value.title, value.xLabel, value.yLabel].every((text) => typeof text === "string") &&
    [value.xScale, value.yScale].every((scale) => scale === "linear" || scale === "log") &&
    isListOf(value.series, (each) => isObject(each) && isText(each.name) && isListOf(each.points, isObject))
  );
}

function isListOf(value: unknown, isMember: (member: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isMember);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
