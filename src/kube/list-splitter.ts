// Cuts the items out of a list's bytes while they arrive: never more than one item is held.
// Owns the list's outer syntax; what an item is and means is the receiver's business.

import { SplitValue } from "./split-value.ts";

/** The bytes are no JSON list, or end too early. */
export class ListSyntaxError extends Error {
  override readonly name = "ListSyntaxError";
}

/** What a list says of itself; members other than items, parsed. */
export type ListEnvelope = Readonly<Record<string, unknown>>;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** With this bit `[` becomes `{` and `]` becomes `}`. */
const BRACE_BIT = 0x20;

type Expected =
  | "list"
  | "first key"
  | "key"
  | "colon"
  | "value"
  | "comma or end"
  | "first item"
  | "item"
  | "comma or last item"
  | "nothing";

/** What is being read through to its end. */
type Span = "key" | "member" | "scalar" | "item";

export class ListSplitter {
  readonly #takeItem: (bytes: Buffer) => void;
  readonly #members: Record<string, unknown> = Object.create(null);
  #expected: Expected = "list";
  #key = "";
  #span: Span | undefined;
  readonly #value = new SplitValue();
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** The receiver gets each item's bytes, an object from brace to brace, valid only during the call. What it throws comes out of write(). */
  constructor(takeItem: (bytes: Buffer) => void) {
    this.#takeItem = takeItem;
  }

  /** Chunks may end anywhere. Throws ListSyntaxError; nothing may be written after that. */
  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#span === undefined) at = this.#betweenSpans(chunk, at);
      else at = this.#throughSpan(chunk, at);
    }
  }

  /** After the last chunk. Throws ListSyntaxError when the list is not complete. */
  end(): ListEnvelope {
    if (this.#expected !== "nothing") throw new ListSyntaxError("the JSON is cut off");
    return this.#members;
  }

  #betweenSpans(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      const byte = chunk[at] as number;
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
        at++;
        continue;
      }
      if (this.#step(byte)) return at;
      at++;
    }
    return at;
  }

  /** One byte of the outer syntax; true when a span begins with it. */
  #step(byte: number): boolean {
    switch (this.#expected) {
      case "list":
        if (byte !== OPEN_BRACE) throw new ListSyntaxError("it is not a JSON object");
        this.#expected = "first key";
        return false;
      case "first key":
        if (byte === CLOSE_BRACE) return this.#expect("nothing");
        return byte === QUOTE ? this.#begin("key") : unexpected(byte);
      case "key":
        return byte === QUOTE ? this.#begin("key") : unexpected(byte);
      case "colon":
        return byte === COLON ? this.#expect("value") : unexpected(byte);
      case "value":
        return this.#beginValue(byte);
      case "comma or end":
        if (byte === COMMA) return this.#expect("key");
        return byte === CLOSE_BRACE ? this.#expect("nothing") : unexpected(byte);
      case "first item":
        if (byte === CLOSE_BRACKET) return this.#expect("comma or end");
        return this.#beginItem(byte);
      case "item":
        return this.#beginItem(byte);
      case "comma or last item":
        if (byte === COMMA) return this.#expect("item");
        return byte === CLOSE_BRACKET ? this.#expect("comma or end") : unexpected(byte);
      case "nothing":
        throw new ListSyntaxError("something follows after the list");
    }
  }

  #expect(expected: Expected): false {
    this.#expected = expected;
    return false;
  }

  #begin(span: Span): true {
    this.#span = span;
    this.#depth = 0;
    this.#inString = false;
    return true;
  }

  #beginItem(byte: number): boolean {
    if (byte !== OPEN_BRACE) throw new ListSyntaxError("an item of the list is no object");
    return this.#begin("item");
  }

  #beginValue(byte: number): boolean {
    if (this.#key === "items" && byte === OPEN_BRACKET) {
      if ("items" in this.#members) throw new ListSyntaxError("the list has items twice");
      this.#members.items = undefined;
      return this.#expect("first item");
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET || byte === QUOTE) return this.#begin("member");
    return this.#begin("scalar");
  }

  /** Goes on through the span; the position after it, or the chunk's end. */
  #throughSpan(chunk: Buffer, from: number): number {
    const end = this.#span === "scalar" ? endOfScalar(chunk, from) : this.#endOfNested(chunk, from);
    if (end === undefined) {
      if (!this.#value.keep(chunk.subarray(from))) throw new ListSyntaxError("one value is larger than 64 MB");
      return chunk.length;
    }
    this.#finish(this.#value.join(chunk.subarray(from, end)));
    return end;
  }

  /** Strings and containers. The hot loop: every byte of a list passes here once. */
  #endOfNested(chunk: Buffer, from: number): number | undefined {
    const { length } = chunk;
    let at = from;
    let depth = this.#depth;
    let inString = this.#inString;
    if (this.#escaped && at < length) {
      at++;
      this.#escaped = false;
    }
    while (at < length) {
      const byte = chunk[at++] as number;
      if (inString) {
        if (byte === BACKSLASH) {
          if (at < length) at++;
          else this.#escaped = true;
        } else if (byte === QUOTE) {
          inString = false;
          if (depth === 0) return at;
        }
      } else if (byte === QUOTE) {
        inString = true;
      } else if ((byte | BRACE_BIT) === OPEN_BRACE) {
        depth++;
      } else if ((byte | BRACE_BIT) === CLOSE_BRACE) {
        depth--;
        // Which bracket closes which is left to JSON.parse.
        if (depth === 0) return at;
      }
    }
    this.#depth = depth;
    this.#inString = inString;
    return undefined;
  }

  #finish(bytes: Buffer): void {
    const span = this.#span;
    this.#span = undefined;
    if (span === "item") {
      this.#expected = "comma or last item";
      this.#takeItem(bytes);
    } else if (span === "key") {
      this.#expected = "colon";
      this.#key = String(parse(bytes));
    } else {
      this.#expected = "comma or end";
      this.#addMember(parse(bytes));
    }
  }

  #addMember(value: unknown): void {
    // Go writes an empty slice as null.
    if (this.#key === "items" && value !== null) throw new ListSyntaxError("the items of the list are no list");
    this.#members[this.#key] = value;
  }
}

function endOfScalar(chunk: Buffer, from: number): number | undefined {
  for (let at = from; at < chunk.length; at++) {
    const byte = chunk[at] as number;
    if (byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) return at;
  }
  return undefined;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new ListSyntaxError("the JSON is broken");
  }
}

function unexpected(byte: number): never {
  throw new ListSyntaxError(`the JSON is broken: unexpected byte 0x${byte.toString(16)}`);
}
