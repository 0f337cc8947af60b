// Cuts the bytes of a YAML stream into documents at lines that start with `---` or `...`, so that each can be parsed,
// decoded and dropped on its own. Owns offsets and line numbers of documents, not their content.

export interface DocumentPart {
  readonly bytes: Uint8Array;
  /** Of the first byte, in the file. */
  readonly offset: number;
  /** Of the first byte, from 1. */
  readonly firstLine: number;
  /** Of the first byte, where it is not the first of its line. */
  readonly firstColumn?: number;
  /** Adds to the parsed value what it leaves out because the list around it says it. */
  readonly complete?: (value: unknown) => unknown;
}

/** A document over the limit: its bytes were dropped. */
export interface OversizedPart {
  readonly oversized: true;
  readonly firstLine: number;
}

const NEWLINE = 10;
const DASH = 45;
const DOT = 46;
const LONGEST_MARKER = 5;

/** Feed it chunks; each call gives the documents that are complete. A document keeps its own `---` line. */
export class DocumentSplitter {
  readonly #limitBytes: number;
  #pending = new Uint8Array(0);
  #offset = 0;
  #line = 1;
  /** Where the search for the end goes on; everything before was searched. */
  #searched = 0;
  #dropping = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  push(chunk: Uint8Array): (DocumentPart | OversizedPart)[] {
    this.#pending = this.#pending.length === 0 ? Uint8Array.from(chunk) : Buffer.concat([this.#pending, chunk]);
    return this.#cut(false);
  }

  end(): (DocumentPart | OversizedPart)[] {
    const parts = this.#cut(true);
    if (this.#pending.length > 0 && !this.#dropping) parts.push(this.#take(this.#pending.length));
    return parts;
  }

  #cut(atEnd: boolean): (DocumentPart | OversizedPart)[] {
    const parts: (DocumentPart | OversizedPart)[] = [];
    let end = this.#findEnd(atEnd);
    while (end !== undefined) {
      const part = this.#take(end);
      if (this.#dropping) this.#dropping = false;
      else if (part.bytes.length > this.#limitBytes) parts.push({ oversized: true, firstLine: part.firstLine });
      else parts.push(part);
      end = this.#findEnd(atEnd);
    }
    if (this.#pending.length > this.#limitBytes) {
      if (!this.#dropping) parts.push({ oversized: true, firstLine: this.#line });
      this.#dropping = true;
      // A marker may be cut in two by the end of the chunk: keep enough to see it.
      this.#take(this.#pending.length - LONGEST_MARKER);
    }
    return parts;
  }

  /** The length of the first document in the pending bytes; undefined: not known yet, or the rest. */
  #findEnd(atEnd: boolean): number | undefined {
    const bytes = this.#pending;
    let newline = this.#searched === 0 ? -1 : bytes.indexOf(NEWLINE, this.#searched - 1);
    if (this.#searched === 0 && bytes.length === 0) return undefined;
    for (;;) {
      const start = newline + 1;
      // A document may begin with its own marker, but `...` ends it even on its first line.
      const marker = start + LONGEST_MARKER > bytes.length && !atEnd ? "unknown" : markerAt(bytes, start);
      if (marker === "unknown") {
        this.#searched = start;
        return undefined;
      }
      if (marker === DOT) {
        const lineEnd = bytes.indexOf(NEWLINE, start);
        if (lineEnd < 0 && !atEnd) {
          this.#searched = start;
          return undefined;
        }
        this.#searched = 0;
        return lineEnd < 0 ? bytes.length : lineEnd + 1;
      }
      if (marker === DASH && start > 0 && !onlyDirectives(bytes.subarray(0, start))) {
        this.#searched = 0;
        return start;
      }
      newline = nextMarkerLine(bytes, start);
      if (newline < 0) {
        this.#searched = Math.max(start, bytes.lastIndexOf(NEWLINE) + 1);
        return undefined;
      }
    }
  }

  #take(length: number): DocumentPart {
    const bytes = this.#pending.subarray(0, length);
    const part = { bytes, offset: this.#offset, firstLine: this.#line };
    this.#pending = this.#pending.subarray(length);
    this.#offset += length;
    this.#line += countNewlines(bytes);
    this.#searched = Math.max(0, this.#searched - length);
    return part;
  }
}

/** The newline before the next line that starts with `-` or `.`; -1 if there is none. */
function nextMarkerLine(bytes: Uint8Array, from: number): number {
  let newline = bytes.indexOf(NEWLINE, from);
  while (newline >= 0) {
    const next = bytes[newline + 1];
    if (next === undefined || next === DASH || next === DOT) return newline;
    newline = bytes.indexOf(NEWLINE, newline + 1);
  }
  return -1;
}

function markerAt(bytes: Uint8Array, start: number): typeof DASH | typeof DOT | undefined {
  const first = bytes[start];
  if (first !== DASH && first !== DOT) return undefined;
  if (bytes[start + 1] !== first || bytes[start + 2] !== first) return undefined;
  const next = bytes[start + 3];
  const isMarker = next === undefined || next === NEWLINE || next === 13 || next === 32 || next === 9;
  return isMarker ? first : undefined;
}

/** Whether these are a document's `%` directives, which stand before its `---`. */
function onlyDirectives(bytes: Uint8Array): boolean {
  if (bytes.length > 4096 || !bytes.includes(37)) return false;
  return /^(\u00EF\u00BB\u00BF)?([ \t]*(#.*|%.*)?\r?\n)*$/.test(Buffer.from(bytes).toString("latin1"));
}

export function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
