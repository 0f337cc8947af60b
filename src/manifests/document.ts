// One document of a manifest file: its text (or where to read it again) and the lazy look-up of lines and columns.
// Nothing is located until somebody reads `line`, because most positions are never shown.

import type { ObjectSource } from "../dialects/object-source.ts";
import type { FieldPath, SourcePosition } from "../model/diagnostic.ts";
import { locateJson } from "./locate-json.ts";
import { indexYaml, locateYaml, type YamlIndex } from "./locate-yaml.ts";

/** Remembers what was computed for the document that was asked last: diagnostics of one document come in a row. */
export class PositionCache {
  #document: ManifestDocument | undefined;
  #index: YamlIndex | undefined;
  #lineStarts: Uint32Array | undefined;

  index(document: ManifestDocument, text: string): YamlIndex {
    this.#turnTo(document);
    this.#index ??= indexYaml(text);
    return this.#index;
  }

  /** The offset of each line. */
  lineStarts(document: ManifestDocument, text: string): Uint32Array {
    this.#turnTo(document);
    this.#lineStarts ??= findLineStarts(text);
    return this.#lineStarts;
  }

  #turnTo(document: ManifestDocument): void {
    if (this.#document === document) return;
    this.#document = document;
    this.#index = undefined;
    this.#lineStarts = undefined;
  }
}

function findLineStarts(text: string): Uint32Array {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return Uint32Array.from(starts);
}

/** How many of the ascending numbers are at most `limit`. */
function countUpTo(ascending: Uint32Array, limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

export type Syntax = "yaml" | "json";

export class ManifestDocument implements ObjectSource {
  readonly file: string;
  /** Of the document's first character. */
  readonly firstLine: number;
  /** Of the document's first character, where it is not the first of its line. */
  readonly firstColumn: number;
  syntax: Syntax = "yaml";
  readonly #readText: () => string | undefined;
  readonly #cache: PositionCache;

  constructor(at: DocumentStart, readText: () => string | undefined, cache: PositionCache) {
    this.file = at.file;
    this.firstLine = at.line;
    this.firstColumn = at.column;
    this.#readText = readText;
    this.#cache = cache;
  }

  positionOf(path: FieldPath): SourcePosition {
    return new LazyPosition(this, path);
  }

  /** The same document as the source of one of its list items. */
  itemSource(prefix: FieldPath): ObjectSource {
    return { file: this.file, positionOf: (path) => new LazyPosition(this, [...prefix, ...path]) };
  }

  /** The document's start when its text cannot be read again. */
  locate(path: FieldPath): { line: number; column: number } {
    const text = this.#readText();
    if (text === undefined) return { line: this.firstLine, column: this.firstColumn };
    try {
      return this.lineAndColumn(
        text,
        this.syntax === "json" ? locateJson(text, path) : locateYaml(this.#cache.index(this, text), path),
      );
    } catch {
      // The file has changed since it was read.
      return { line: this.firstLine, column: this.firstColumn };
    }
  }

  /** Of an offset in the document's text. */
  lineAndColumn(text: string, offset: number): { line: number; column: number } {
    const starts = this.#cache.lineStarts(this, text);
    const lines = countUpTo(starts, offset);
    const column = offset - (starts[lines - 1] as number) + (lines === 1 ? this.firstColumn : 1);
    return { line: this.firstLine + lines - 1, column };
  }
}

export interface DocumentStart {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

class LazyPosition implements SourcePosition {
  readonly file: string;
  #found: { line: number; column: number } | undefined;
  #from: { document: ManifestDocument; path: FieldPath } | undefined;

  constructor(document: ManifestDocument, path: FieldPath) {
    this.file = document.file;
    this.#from = { document, path };
  }

  get line(): number {
    return this.#located().line;
  }

  get column(): number {
    return this.#located().column;
  }

  /** Getters are invisible to JSON.stringify without it. */
  toJSON(): SourcePosition {
    return { file: this.file, line: this.line, column: this.column };
  }

  #located(): { line: number; column: number } {
    if (this.#from !== undefined) {
      this.#found = this.#from.document.locate(this.#from.path);
      this.#from = undefined;
    }
    return this.#found as { line: number; column: number };
  }
}
