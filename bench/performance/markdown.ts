// Tables, plots and machines of benchmarks as GitHub's Markdown. Pure. Whatever a cell holds stays within it, and is no markup.

import type { BenchDocument, BenchPlot, BenchTable } from "../document.ts";

/** Title, table, note. Columns of figures stand to the right. */
export function markdownTable({ title, columns, rows, note }: BenchTable): string {
  const cells = rows.map((row) => columns.map((_, column) => row[column] ?? ""));
  const rulers = columns.map((_, column) => (column > 0 && isOfFigures(cells, column) ? "---:" : "---"));
  const lines = [columns.map(markdownText), rulers, ...cells.map((row) => row.map(markdownText))];
  const table = lines.map((line) => `| ${line.join(" | ")} |`);
  return [`**${markdownText(title)}**`, table.join("\n"), `(${markdownText(note)})`].join("\n\n");
}

/** The file stands in a folder beside the page. */
export function markdownPlot({ id, title }: BenchPlot): string {
  return `![${markdownText(title)}](performance/${id}.svg)`;
}

export function markdownMachine({ machine, settings }: BenchDocument): string {
  const { cpus, cpu, memoryGiB, kernel, node, nft, revision, date } = machine;
  const { seconds, loadBefore, loadAfter, stolenSeconds } = machine;
  const where = `${cpus} x ${cpu}, ${memoryGiB} GiB, Linux ${kernel}, ${nft}, Node.js ${node}`;
  const when = `${date}, revision ${revision}`;
  const how = `${seconds} s, load average ${loadBefore} before and ${loadAfter} after, ${stolenSeconds} s taken by other machines`;
  const chosen = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return markdownText([where, when, how, ...(chosen.length === 0 ? [] : [chosen.join(", ")])].join("; "));
}

/** One line of text, with everything that Markdown or HTML would take for markup made plain. */
export function markdownText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[\\|*_`~[\]]/g, "\\$&")
    .replaceAll(/\s+/g, " ")
    .trim();
}

function isOfFigures(rows: readonly (readonly string[])[], column: number): boolean {
  const cells = rows.map((row) => row[column] ?? "").filter((cell) => cell !== "" && cell !== "-");
  return cells.length > 0 && cells.every((cell) => /^[+\u2212-]?\d/.test(cell));
}
