// The matrix as JSON and as CSV: every pair, every port, no grouping. Both stream, so that size costs no memory.

import type { Matrix } from "./compute.ts";
import { type MatrixRow, matrixRows } from "./rows.ts";

/** Characters of text that are handed on at once. */
const CHUNK_CHARACTERS = 1 << 16;

/** A JSON array, one row a line. */
export function* formatJson(matrix: Matrix): Generator<string> {
  yield* inChunks(jsonPieces(matrix));
}

function* jsonPieces(matrix: Matrix): Generator<string> {
  yield "[";
  let separator = "\n";
  for (const row of matrixRows(matrix)) {
    yield separator + JSON.stringify(row);
    separator = ",\n";
  }
  yield "\n]\n";
}

const CSV_COLUMNS = ["from", "to", "protocol", "port", "ingress", "egress", "verdict"] as const;

/** RFC 4180, with a header. The column `family` is there only if some row has one. */
export function* formatCsv(matrix: Matrix): Generator<string> {
  yield* inChunks(csvPieces(matrix, namesFamily(matrix) ? [...CSV_COLUMNS, "family"] : CSV_COLUMNS));
}

function namesFamily(matrix: Matrix): boolean {
  for (const row of matrixRows(matrix)) if (row.family !== undefined) return true;
  return false;
}

function* csvPieces(matrix: Matrix, columns: readonly (keyof MatrixRow)[]): Generator<string> {
  yield `${columns.join(",")}\r\n`;
  for (const row of matrixRows(matrix)) yield `${columns.map((column) => csvField(row[column])).join(",")}\r\n`;
}

/**
 * Quoted where RFC 4180 asks for it. A leading `=`, `+`, `-` or `@`, which spreadsheets would run as a formula, gets
 * an apostrophe: no valid name and no address begins so.
 */
function csvField(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function* inChunks(pieces: Iterable<string>): Generator<string> {
  let chunk = "";
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = "";
  }
  if (chunk !== "") yield chunk;
}
