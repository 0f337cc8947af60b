// The matrix as text for a terminal: a table where it fits the width, otherwise a list grouped by source.
// Owns layout only; text of cells comes from `cell-text.ts`.

import { printable } from "../terminal-text.ts";
import {
  ALL_TEXT,
  type CellState,
  cellState,
  cellText,
  compactPorts,
  familiesDiffer,
  NONE_TEXT,
  SELF_TEXT,
  shortCellText,
} from "./cell-text.ts";
import type { Group, GroupedMatrix } from "./groups.ts";

export interface TableOptions {
  /** Width to keep to; undefined: as wide as it gets, with all ports in every cell. */
  readonly columns: number | undefined;
  /** Colours a text by what its cell says. */
  readonly paint: (text: string, state: CellState) => string;
}

/** Longest text of a cell, from the most telling to the tightest that a table still makes sense with. */
const CELL_WIDTHS = [40, 24, 16, 10];
const GAP = "  ";
const CORNER = "FROM \\ TO";

/** A text of a cell and how it is painted; its width counts without colours. */
interface Field {
  readonly text: string;
  readonly state?: CellState;
}

export function formatTable(grouped: GroupedMatrix, options: TableOptions): string {
  if (grouped.groups.length === 0) return "no pods\n";
  const { columns } = options;
  const widths = columns === undefined ? [Number.POSITIVE_INFINITY] : CELL_WIDTHS;
  for (const cellWidth of widths) {
    const fields = tableFields(grouped, cellWidth);
    const total = columnWidths(fields).reduce((sum, width) => sum + width + GAP.length, -GAP.length);
    if (columns === undefined || total <= columns) return legend(grouped, fields) + layOut(fields, options);
  }
  return legend(grouped, []) + formatList(grouped, options);
}

/** Two header lines: namespaces, then names, so that columns stay narrow. A namespace stands where it begins. */
function tableFields({ groups, matrix, cell }: GroupedMatrix, cellWidth: number): Field[][] {
  const hasNamespaces = groups.some((group) => group.namespace !== undefined);
  const header = [{ text: CORNER }, ...groups.map((group) => ({ text: printable(group.shortLabel) }))];
  const rows = groups.map((group, from) => [
    { text: printable(group.label) },
    ...groups.map((_, to) => ({
      text: shortCellText(cell(from, to), matrix.ports, cellWidth),
      state: cellState(cell(from, to), matrix.ports),
    })),
  ]);
  return hasNamespaces ? [namespaceLine(groups), header, ...rows] : [header, ...rows];
}

function namespaceLine(groups: readonly Group[]): Field[] {
  const titles = groups.map(({ namespace }, index) => {
    if (namespace === undefined) return { text: "" };
    return { text: namespace === groups[index - 1]?.namespace ? "" : `${printable(namespace)}/` };
  });
  return [{ text: "" }, ...titles];
}

function columnWidths(fields: readonly (readonly Field[])[]): number[] {
  return (fields[0] ?? []).map((_, column) => Math.max(...fields.map((row) => row[column]?.text.length ?? 0)));
}

function layOut(fields: readonly (readonly Field[])[], { paint }: TableOptions): string {
  const widths = columnWidths(fields);
  return fields
    .map((row) => {
      const last = row.findLastIndex((field) => field.text !== "");
      const line = row.slice(0, last + 1).map(({ text, state }, column) => {
        const padding = column === last ? "" : " ".repeat((widths[column] ?? 0) - text.length);
        return (state === undefined ? text : paint(text, state)) + padding;
      });
      return `${line.join(GAP)}\n`;
    })
    .join("");
}

/** FROM -> TO: ports. What a source does not reach is left out; who reaches everybody alike is one line. */
function formatList(grouped: GroupedMatrix, { paint }: TableOptions): string {
  return grouped.groups
    .map((group, from) => `${printable(group.label)}\n${targetLines(grouped, from, paint)}`)
    .join("");
}

function targetLines({ groups, matrix, cell }: GroupedMatrix, from: number, paint: TableOptions["paint"]): string {
  const targets = groups.flatMap((group, to) => {
    const state = cellState(cell(from, to), matrix.ports);
    const text = cellText(cell(from, to), matrix.ports);
    return state === "self" || state === "unasked" ? [] : [{ label: printable(group.label), state, text }];
  });
  const [first] = targets;
  if (first === undefined) return "";
  if (targets.length > 1 && targets.every((target) => target.text === first.text)) {
    if (first.state === "none") return `${GAP}-> nobody\n`;
    return `${GAP}-> everybody: ${paint(first.text, first.state)}\n`;
  }
  const reached = targets.filter((target) => target.state !== "none");
  if (reached.length === 0) return `${GAP}-> nobody\n`;
  return reached.map(({ label, text, state }) => `${GAP}-> ${label}: ${paint(text, state)}\n`).join("");
}

/** What the words in the cells mean, as far as they occur. `fields` empty: a list. */
function legend({ groups, matrix, cell }: GroupedMatrix, fields: readonly (readonly Field[])[]): string {
  const texts = fields.flatMap((row) => row.filter((field) => field.state !== undefined).map((field) => field.text));
  const words: string[] = [];
  if (texts.length === 0 || texts.includes(ALL_TEXT)) {
    words.push(`${ALL_TEXT} = ${matrix.ports.length > 1 ? "each of them" : "that one"}`);
  }
  if (texts.includes(NONE_TEXT)) words.push(`${NONE_TEXT} = none`);
  if (texts.includes(SELF_TEXT)) words.push(`${SELF_TEXT} = itself`);
  if (groups.some((_, from) => groups.some((__, to) => familiesDiffer(cell(from, to), matrix.ports)))) {
    words.push("IPv4: or IPv6: = only for that family");
    if (texts.some((text) => / of /.test(text))) words.push("2-3 of 9 = one of them only for one family, see -o wide");
  } else if (texts.some((text) => / of /.test(text))) words.push("2 of 9: see -o wide");
  const explained = words.length === 0 ? "" : ` (${words.join("; ")})`;
  return `ports: ${compactPorts(matrix.ports)}${explained}\n\n`;
}
