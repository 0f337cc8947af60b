// Walks JSON text without building values: where a field stands, and which keys are written twice.
// Expects text that JSON.parse accepts; offsets are UTF-16 indexes into it.

import type { FieldPath } from "../model/diagnostic.ts";

export interface DuplicateKey {
  readonly key: string;
  readonly firstOffset: number;
  readonly offset: number;
}

/** The offset of the field's key (of the item, in a list); of the nearest enclosing field where it is absent. */
export function locateJson(text: string, path: FieldPath): number {
  let at = skipSpace(text, 0);
  let best = at;
  for (const step of path) {
    const found = typeof step === "number" ? findItem(text, at, step) : findMember(text, at, step);
    if (found === undefined) return best;
    best = found.at;
    at = found.value;
  }
  return best;
}

function findMember(text: string, start: number, key: string): { at: number; value: number } | undefined {
  if (text[start] !== "{") return undefined;
  let last: { at: number; value: number } | undefined;
  forEachMember(text, start, (name, at, value) => {
    if (name === key) last = { at, value };
    return skipValue(text, value);
  });
  return last;
}

function findItem(text: string, start: number, index: number): { at: number; value: number } | undefined {
  if (text[start] !== "[") return undefined;
  let at = skipSpace(text, start + 1);
  for (let i = 0; at < text.length && text[at] !== "]"; i++) {
    if (i === index) return { at, value: at };
    at = skipSpace(text, skipValue(text, at));
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return undefined;
}

/** All repeated keys, at most `limit`. JSON.parse silently keeps the last of them. */
export function findDuplicateJsonKeys(text: string, limit = 20): DuplicateKey[] {
  const duplicates: DuplicateKey[] = [];
  // Each open object's keys; undefined stands for an open array.
  const open: (Map<string, number> | undefined)[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length && duplicates.length < limit) {
    const char = text[at];
    if (char === "{") open.push(new Map());
    else if (char === "[") open.push(undefined);
    else if (char === "}" || char === "]") open.pop();
    else if (char === '"') {
      const end = skipString(text, at);
      const keys = open.at(-1);
      if (keys !== undefined && text[skipSpace(text, end)] === ":") {
        const key = stringValue(text, at, end);
        const firstOffset = keys.get(key);
        if (firstOffset === undefined) keys.set(key, at);
        else duplicates.push({ key, firstOffset, offset: at });
        at = skipSpace(text, end);
      } else {
        at = end - 1;
      }
    }
    at++;
  }
  return duplicates;
}

function forEachMember(text: string, start: number, visit: (key: string, at: number, value: number) => number): void {
  let at = skipSpace(text, start + 1);
  while (at < text.length && text[at] === '"') {
    const end = skipString(text, at);
    const value = skipSpace(text, skipSpace(text, end) + 1);
    at = skipSpace(text, visit(stringValue(text, at, end), at, value));
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
}

function stringValue(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1);
  return raw.includes("\\") ? (JSON.parse(text.slice(start, end)) as string) : raw;
}

/** The offset behind the value that starts here. */
function skipValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const char = text[at];
    if (char === '"') {
      at = skipString(text, at) - 1;
      if (depth === 0) return at + 1;
    } else if (char === "{" || char === "[") {
      depth++;
    } else if (char === "}" || char === "]") {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && char === ",") {
      return at;
    }
    at++;
  }
  return at;
}

function skipString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9 && code !== 0xfeff) return at;
    at++;
  }
}
