// What a benchmark leaves: for people its tables, for programs one JSON document, for docs/performance.md the same tables and plots.
// Owns the types, what is said of the machine, and where it goes. A benchmark chooses what is worth a table or a plot; nobody else does.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";

export interface BenchDocument {
  /** As `npm run bench -- NAME` names it. */
  readonly bench: string;
  readonly machine: Machine;
  /** What was chosen: rounds, sizes. */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly tables: readonly BenchTable[];
  readonly plots: readonly BenchPlot[];
  /** Everything that was measured, with more digits than a table shows. */
  readonly figures: unknown;
}

export interface BenchTable {
  /** Lower case with dashes, unique among all benchmarks: docs/performance.md names it. */
  readonly id: string;
  readonly title: string;
  /** The first one names the row. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What the figures are: unit, which quantile, what they are compared with. */
  readonly note: string;
}

export interface BenchPlot {
  /** As in BenchTable; also the name of the SVG file. */
  readonly id: string;
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** `log` needs values above 0. */
  readonly xScale: "linear" | "log";
  readonly yScale: "linear" | "log";
  readonly series: readonly BenchSeries[];
}

export interface BenchSeries {
  readonly name: string;
  /** Ours is drawn in front of all others, and thicker. */
  readonly isOurs: boolean;
  /** By x, ascending. */
  readonly points: readonly BenchPoint[];
}

export interface BenchPoint {
  readonly x: number;
  readonly y: number;
  /** Quartiles or the like; drawn as a bar. */
  readonly low?: number;
  readonly high?: number;
}

export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly nft: string;
  readonly revision: string;
  /** Of the last minute, when the benchmark began and when it ended: others work on the machine, too. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  /** What the machine below took of all cores meanwhile. */
  readonly stolenSeconds: number;
  readonly seconds: number;
}

/** To be called at the end of what is measured; the machine as it was meanwhile. */
export type EndOfMeasurement = () => Machine;

export function beginMeasurement(): EndOfMeasurement {
  const startedAt = performance.now();
  const loadBefore = loadAverage();
  const stolen = stolenSeconds();
  return () => ({
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? "unknown",
    cpus: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    nft: firstLine("nft", "--version"),
    revision: firstLine("git", "describe", "--always", "--dirty"),
    loadBefore,
    loadAfter: loadAverage(),
    stolenSeconds: rounded(stolenSeconds() - stolen),
    seconds: Math.round((performance.now() - startedAt) / 1000),
  });
}

/**
 * Prints the tables, then the document. The folder that NFTPOL_BENCH_RESULTS names gets the document as `NAME.json`, for
 * `npm run performance`.
 */
export function publish(document: BenchDocument): void {
  const { machine } = document;
  console.log(
    `${machine.cpus} x ${machine.cpu}, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node.js ${machine.node}, ${machine.nft}, revision ${machine.revision}`,
  );
  console.log(
    `${machine.seconds} s; load ${machine.loadBefore} before, ${machine.loadAfter} after; ${machine.stolenSeconds} s stolen by other machines`,
  );
  for (const table of document.tables) console.log(`\n${tableText(table)}`);
  const text = JSON.stringify(document, (_, value) => (typeof value === "number" ? rounded(value) : value), 1);
  const folder = process.env.NFTPOL_BENCH_RESULTS;
  if (folder === undefined) {
    console.log(`\n${text}`);
    return;
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${document.bench}.json`), `${text}\n`);
}

/** Title, columns side by side, note. */
export function tableText({ title, columns, rows, note }: BenchTable): string {
  const lines = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? "").length)));
  const body = lines.map((cells) =>
    cells
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [title, ...body, `(${note})`].join("\n");
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

function loadAverage(): number {
  return rounded(loadavg()[0] ?? Number.NaN);
}

function firstLine(program: string, ...args: readonly string[]): string {
  const { stdout } = spawnSync(program, args, { encoding: "utf8" });
  return (stdout ?? "").split("\n")[0]?.trim() || `no ${program}`;
}

function stolenSeconds(): number {
  const ticks = readFileSync("/proc/stat", "utf8").split("\n")[0]?.split(/\s+/)[8];
  return Number(ticks) / 100;
}
