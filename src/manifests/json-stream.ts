// Cuts large JSON (`kubectl get pods -A -o json`) into the items of its list without ever holding all of it.
// Owns structure only (brackets, strings, the key `items`); each cut part is parsed and checked by JSON.parse later.

import { type ListType, withListType } from "./collector.ts";
import type { DocumentPart, OversizedPart } from "./split-documents.ts";

const CODE = { newline: 10, quote: 34, comma: 44, colon: 58, backslash: 92, open: 91, close: 93 } as const;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** Feed it chunks. Gives each item of a top-level object's `items`, then the object without them; other objects whole. */
export class JsonItemSplitter {
  readonly #limitBytes: number;
  #buffer = new Uint8Array(0);
  /** Of the buffer's first byte, in the file. */
  #bufferOffset = 0;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #stringStart = 0;
  #lastString = "";
  #key: string | undefined;
  #inItems = false;
  /** What stood before `items`' content, once it was met. */
  #head: { readonly text: Uint8Array; readonly type: ListType | undefined; readonly start: Start } | undefined;
  /** Start of the part that is being read; undefined between parts. */
  #start: Start | undefined;
  #dropping = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  push(chunk: Uint8Array): (DocumentPart | OversizedPart)[] {
    this.#buffer = this.#buffer.length === 0 ? Uint8Array.from(chunk) : Buffer.concat([this.#buffer, chunk]);
    const parts: (DocumentPart | OversizedPart)[] = [];
    for (; this.#at < this.#buffer.length; this.#at++) this.#step(this.#buffer[this.#at] as number, parts);
    const size = this.#buffer.length - (this.#start?.at ?? this.#buffer.length);
    if (size > this.#limitBytes && this.#start !== undefined) {
      if (!this.#dropping) parts.push({ oversized: true, firstLine: this.#start.line });
      this.#dropping = true;
      this.#start = { ...this.#start, at: this.#at };
    }
    this.#forget(this.#start?.at ?? this.#at);
    return parts;
  }

  /** What is left is no complete value: its parse says what is missing. */
  end(): (DocumentPart | OversizedPart)[] {
    if (this.#dropping) return [];
    if (this.#start !== undefined) return [this.#part(this.#start, this.#buffer.length)];
    if (this.#head === undefined) return [];
    const { text, start } = this.#head;
    return [{ bytes: text, offset: start.offset, firstLine: start.line, firstColumn: start.column }];
  }

  #step(code: number, parts: (DocumentPart | OversizedPart)[]): void {
    if (code === CODE.newline) {
      this.#line++;
      this.#lineStart = this.#bufferOffset + this.#at + 1;
    }
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (code === CODE.backslash) this.#escaped = true;
      else if (code === CODE.quote) this.#endString();
      return;
    }
    switch (code) {
      case CODE.quote:
        this.#begin();
        this.#inString = true;
        this.#stringStart = this.#at;
        return;
      case CODE.colon:
        if (this.#depth === 1) this.#key = this.#lastString;
        return;
      case CODE.comma:
        if (this.#depth === 1) this.#key = undefined;
        if (this.#inItems && this.#depth === 2) this.#finish(parts);
        return;
      case OPEN_BRACE:
      case CODE.open:
        this.#begin();
        if (this.#depth === 1 && code === CODE.open && this.#key === "items" && this.#head === undefined)
          this.#beginItems();
        this.#depth++;
        return;
      case CLOSE_BRACE:
      case CODE.close:
        this.#close(parts);
        return;
      default:
        if (code > 32) this.#begin();
    }
  }

  #endString(): void {
    this.#inString = false;
    if (this.#depth !== 1) return;
    // Long strings are no interesting keys.
    const length = this.#at - this.#stringStart;
    this.#lastString = length > 64 ? "" : latin1(this.#buffer.subarray(this.#stringStart + 1, this.#at));
  }

  #begin(): void {
    this.#start ??= this.#here();
  }

  #here(): Start {
    const offset = this.#bufferOffset + this.#at;
    return { at: this.#at, offset, line: this.#line, column: offset - this.#lineStart + 1 };
  }

  #beginItems(): void {
    const start = this.#start as Start;
    const text = Buffer.concat([this.#buffer.subarray(start.at, this.#at), Buffer.from("[")]);
    this.#head = { text, type: listTypeOf(text), start };
    this.#inItems = true;
    this.#start = undefined;
  }

  #close(parts: (DocumentPart | OversizedPart)[]): void {
    if (this.#inItems && this.#depth === 2) {
      this.#finish(parts);
      this.#inItems = false;
      this.#start = this.#here();
    }
    this.#depth = Math.max(0, this.#depth - 1);
    if (this.#depth > 0) return;
    this.#at++;
    if (this.#head !== undefined && !this.#dropping) {
      const { text, start } = this.#head;
      const tail = this.#buffer.subarray((this.#start as Start).at, this.#at);
      const bytes = Buffer.concat([text, tail]);
      parts.push({ bytes, offset: start.offset, firstLine: start.line, firstColumn: start.column });
    } else {
      this.#finish(parts);
    }
    this.#at--;
    this.#head = undefined;
    this.#start = undefined;
    this.#dropping = false;
    this.#key = undefined;
  }

  /** Ends the part at the current byte, exclusively. */
  #finish(parts: (DocumentPart | OversizedPart)[]): void {
    if (this.#start !== undefined && !this.#dropping) parts.push(this.#part(this.#start, this.#at));
    this.#start = undefined;
    this.#dropping = false;
  }

  #part(start: Start, end: number): DocumentPart {
    const type = this.#inItems ? this.#head?.type : undefined;
    return {
      bytes: this.#buffer.subarray(start.at, end),
      offset: start.offset,
      firstLine: start.line,
      firstColumn: start.column,
      ...(type === undefined ? {} : { complete: (item: unknown) => withListType(item, type) }),
    };
  }

  #forget(count: number): void {
    this.#buffer = this.#buffer.slice(count);
    this.#bufferOffset += count;
    this.#at -= count;
    this.#stringStart -= count;
    if (this.#start !== undefined) this.#start = { ...this.#start, at: this.#start.at - count };
  }
}

interface Start {
  /** In the buffer. */
  readonly at: number;
  /** In the file. */
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** The API server writes kind and apiVersion before the items, kubectl after them (its items name their own kinds). */
function listTypeOf(head: Uint8Array): ListType | undefined {
  try {
    const { kind, apiVersion } = JSON.parse(`${new TextDecoder().decode(head)}]}`) as Record<string, unknown>;
    if (typeof kind === "string" && kind.endsWith("List"))
      return { itemKind: kind.slice(0, -"List".length), apiVersion };
  } catch {
    // The object as a whole is parsed later, which reports what is wrong.
  }
  return undefined;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
