// The generated parts of docs/performance.md: between `<!-- bench:table ID -->` (or `plot ID`, or `machine BENCH`) and
// `<!-- bench:end -->` stands what the benchmarks' documents say, and nothing else. Pure. Everything around is written by hand.

import type { BenchDocument } from "../document.ts";
import { markdownMachine, markdownPlot, markdownTable } from "./markdown.ts";

/** Those whose documents the page shows, in the order in which they are measured. Ids begin with the name: `packets-targets`. */
export const BENCHES = ["packets", "programming", "scale"] as const;
export type BenchName = (typeof BENCHES)[number];

export interface FilledPage {
  readonly text: string;
  /** Plots that it shows. */
  readonly plotIds: readonly string[];
  /** What somebody may have forgotten: tables and plots that the page does not show, benchmarks that were not measured. */
  readonly notes: readonly string[];
}

/** Throws where a marker is not one, has no end, or asks for something that a measured benchmark did not leave: then names all of these. */
export function fillPage(page: string, documents: readonly BenchDocument[]): FilledPage {
  throwAll(documents.flatMap(idProblems));
  const missing: string[] = [];
  const shown = new Set<string>();
  const lines: string[] = [];
  let open: Marker | undefined;
  for (const [index, line] of page.split("\n").entries()) {
    const marker = markerIn(line, index + 1);
    if (marker === undefined) {
      if (open === undefined) lines.push(line);
    } else if (marker === "end") {
      if (open === undefined) throw new Error(`line ${index + 1}: ${line} without a beginning`);
      shown.add(`${open.kind} ${open.id}`);
      const part = partOf(open, documents);
      if (part === undefined) missing.push(missingWords(open, documents));
      lines.push(`<!-- bench:${open.kind} ${open.id} -->`, "", part ?? "", "", END);
      open = undefined;
    } else {
      if (open !== undefined) throw new Error(`line ${open.line}: ${wordsOf(open)} has no ${END}`);
      open = marker;
    }
  }
  if (open !== undefined) throw new Error(`line ${open.line}: ${wordsOf(open)} has no ${END}`);
  throwAll(missing);
  return {
    text: lines.join("\n"),
    plotIds: documents.flatMap(({ plots }) => plots.map(({ id }) => id)).filter((id) => shown.has(`plot ${id}`)),
    notes: [...notMeasured(documents), ...documents.flatMap((document) => notShown(document, shown))],
  };
}

const END = "<!-- bench:end -->";

interface Marker {
  readonly kind: "table" | "plot" | "machine";
  readonly id: string;
  readonly bench: BenchName;
  readonly line: number;
}

/** A marker has a line of its own. Whatever begins like one and is none throws: it would be a part that never changes. */
function markerIn(line: string, number: number): Marker | "end" | undefined {
  if (!line.includes("<!-- bench:")) return undefined;
  if (line === END) return "end";
  const [, kind, id = ""] = /^<!-- bench:(table|plot|machine) ([a-z0-9-]+) -->$/.exec(line) ?? [];
  if (kind !== "table" && kind !== "plot" && kind !== "machine") throw new Error(`line ${number}: no marker: ${line}`);
  const bench = BENCHES.find((name) => (kind === "machine" ? id === name : id.startsWith(`${name}-`)));
  if (bench === undefined) throw new Error(`line ${number}: no benchmark for ${kind} ${id}: ${BENCHES.join(", ")}`);
  return { kind, id, bench, line: number };
}

/** undefined: the benchmark was measured and left no such thing. */
function partOf({ kind, id, bench }: Marker, documents: readonly BenchDocument[]): string | undefined {
  const document = documents.find((each) => each.bench === bench);
  if (document === undefined) return `Not measured yet: \`npm run performance -- ${bench}\`.`;
  if (kind === "machine") return markdownMachine(document);
  if (kind === "plot") return document.plots.filter((plot) => plot.id === id).map(markdownPlot)[0];
  return document.tables.filter((table) => table.id === id).map(markdownTable)[0];
}

function missingWords({ kind, id, bench, line }: Marker, documents: readonly BenchDocument[]): string {
  const there = documents
    .filter((each) => each.bench === bench)
    .flatMap(({ tables, plots }): readonly { readonly id: string }[] => (kind === "plot" ? plots : tables));
  return `line ${line}: ${bench} has no ${kind} ${id}; it has ${there.map((each) => each.id).join(", ") || "none"}`;
}

function throwAll(problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

function wordsOf({ kind, id }: Marker): string {
  return `${kind} ${id}`;
}

function idProblems({ bench, tables, plots }: BenchDocument): string[] {
  if (!BENCHES.some((name) => name === bench)) return [`${bench}: not one of ${BENCHES.join(", ")}`];
  return [tables, plots].flatMap((list) => {
    const ids = list.map(({ id }) => id);
    const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
    const foreign = ids.filter((id) => !/^[a-z0-9-]+$/.test(id) || !id.startsWith(`${bench}-`));
    return [
      ...foreign.map(
        (id) => `${bench}: the id ${id} does not begin with ${bench}-, or is not in lower case with dashes`,
      ),
      ...twice.map((id) => `${bench}: the id ${id} is there twice`),
    ];
  });
}

function notMeasured(documents: readonly BenchDocument[]): string[] {
  const missing = BENCHES.filter((name) => !documents.some(({ bench }) => bench === name));
  return missing.map((name) => `${name} was not measured yet`);
}

function notShown({ bench, tables, plots }: BenchDocument, shown: ReadonlySet<string>): string[] {
  const all = [...tables.map(({ id }) => `table ${id}`), ...plots.map(({ id }) => `plot ${id}`)];
  return all.filter((each) => !shown.has(each)).map((each) => `${bench}: the page does not show ${each}`);
}
