// The text of one document -> plain values, or the errors that it has. JSON goes to JSON.parse, everything else to js-yaml.
// Owns the guard against aliases that multiply (`billion laughs`).

import { constructFromEvents, parseEvents } from "js-yaml";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { ManifestDocument } from "./document.ts";
import { KUBECTL_SCHEMA } from "./kubectl-schema.ts";
import { findDuplicateJsonKeys } from "./locate-json.ts";
import { duplicateKey, syntaxError } from "./syntax-findings.ts";

export type ParsedDocument =
  | { readonly ok: true; readonly value: unknown }
  /** Nothing but comments and white space. */
  | { readonly ok: true; readonly empty: true }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }
  /** The YAML parser gave up at its first error: `findSyntaxErrors` tells all of them. */
  | { readonly ok: false; readonly cause: unknown };

/** Also tells the document which syntax its text has. */
export function parseManifestDocument(text: string, document: ManifestDocument): ParsedDocument {
  if (/^\s*[[{]/.test(text)) {
    const parsed = parseJson(text, document);
    if (parsed !== undefined) return parsed;
    if (document.file.endsWith(".json")) return { ok: false, diagnostics: [jsonError(text, document)] };
  }
  document.syntax = "yaml";
  return parseYaml(text, document);
}

/** undefined: not JSON (flow-style YAML looks like it). */
function parseJson(text: string, document: ManifestDocument): ParsedDocument | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text.startsWith("\uFEFF") ? text.slice(1) : text);
  } catch {
    return undefined;
  }
  document.syntax = "json";
  const duplicates = findDuplicateJsonKeys(text);
  if (duplicates.length === 0) return { ok: true, value };
  return {
    ok: false,
    diagnostics: duplicates.map(({ key, firstOffset, offset }) =>
      duplicateKey(document, text, key, firstOffset, offset),
    ),
  };
}

function parseYaml(text: string, document: ManifestDocument): ParsedDocument {
  let values: unknown[];
  try {
    values = constructFromEvents(parseEvents(text, {}), { source: text, schema: KUBECTL_SCHEMA });
  } catch (error) {
    return { ok: false, cause: error };
  }
  if (values.length === 0 || (values.length === 1 && values[0] === null)) return { ok: true, empty: true };
  if (values.length > 1) return { ok: false, cause: "two documents stand in one" };
  const value = values[0];
  if (text.includes("*") && multiplies(value)) {
    const what = { message: "aliases (*name) multiply or contain themselves", hint: "write the repeated parts out" };
    return { ok: false, diagnostics: [syntaxError(document, text, 0, what)] };
  }
  return { ok: true, value };
}

const MAX_EXPANDED_NODES = 1_000_000;

/** Whether the value, with all aliases written out, is endless or larger than any sensible manifest. */
function multiplies(root: unknown): boolean {
  const sizes = new Map<object, number>();
  const sizeOf = (value: unknown): number => {
    if (typeof value !== "object" || value === null) return 1;
    const known = sizes.get(value);
    if (known !== undefined) return known;
    // A value that contains itself is met again while its size is still endless.
    sizes.set(value, Number.POSITIVE_INFINITY);
    let size = 1;
    for (const child of Array.isArray(value) ? value : Object.values(value)) size += sizeOf(child);
    sizes.set(value, size);
    return size;
  };
  const written = countWritten(root);
  return sizeOf(root) > Math.max(MAX_EXPANDED_NODES, 2 * written);
}

/** Nodes that really exist, each once. */
function countWritten(root: unknown): number {
  const seen = new Set<object>();
  let count = 0;
  const queue: unknown[] = [root];
  while (queue.length > 0) {
    const value = queue.pop();
    count++;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    for (const child of Array.isArray(value) ? value : Object.values(value)) queue.push(child);
  }
  return count;
}

function jsonError(text: string, document: ManifestDocument): Diagnostic {
  try {
    JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = / at position (\d+)/.exec(message);
    const offset = at === null ? text.trimEnd().length : Number(at[1]);
    const reason = message.replace(/ (in JSON )?at position .*$/, "").replace(/, ?".*" is not valid JSON$/s, "");
    return syntaxError(document, text, offset, { message: `not valid JSON: ${reason}` });
  }
  return syntaxError(document, text, 0, { message: "not valid JSON" });
}
