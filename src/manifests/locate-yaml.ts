// Where a field stands in YAML text: walks js-yaml's events along a field path, through aliases and merge keys.
// The same parser made the values, so both see the same document.

import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, type ScalarEvent } from "js-yaml";
import type { FieldPath } from "../model/diagnostic.ts";
import { resolvePlainScalar } from "./kubectl-schema.ts";

export interface YamlIndex {
  readonly text: string;
  readonly events: readonly Event[];
  /** For each event that opens a node: the index behind that node. */
  readonly ends: Int32Array;
}

/** Throws what js-yaml throws: index only text that was parsed before. */
export function indexYaml(text: string): YamlIndex {
  const events = parseEvents(text, {});
  const ends = new Int32Array(events.length);
  const open: number[] = [];
  for (let at = 0; at < events.length; at++) {
    const type = (events[at] as Event).type;
    ends[at] = at + 1;
    if (type === EVENT_ID.POP) ends[open.pop() ?? at] = at + 1;
    else if (type !== EVENT_ID.SCALAR && type !== EVENT_ID.ALIAS) open.push(at);
  }
  return { text, events, ends };
}

/** The offset of the field's key (of the item, in a list); of the nearest enclosing field where it is absent. */
export function locateYaml(index: YamlIndex, path: FieldPath): number {
  let node = 1;
  let best = offsetOf(index, node) ?? 0;
  for (const step of path) {
    const found = findStep(index, followAlias(index, node), step, 0);
    if (found === undefined) return best;
    best = offsetOf(index, found.at) ?? best;
    node = found.value;
  }
  return best;
}

interface Found {
  readonly at: number;
  readonly value: number;
}

const MAX_MERGE_DEPTH = 20;

function findStep(index: YamlIndex, node: number, step: string | number, depth: number): Found | undefined {
  const event = index.events[node];
  if (event?.type === EVENT_ID.SEQUENCE && typeof step === "number") {
    let count = 0;
    for (const item of children(index, node)) if (count++ === step) return { at: item, value: item };
    return undefined;
  }
  if (event?.type !== EVENT_ID.MAPPING || typeof step !== "string") return undefined;
  const merged: number[] = [];
  let key: number | undefined;
  for (const child of children(index, node)) {
    if (key === undefined) {
      key = child;
      continue;
    }
    const text = keyText(index, key);
    if (text === step) return { at: key, value: child };
    if (text === "<<") merged.push(child);
    key = undefined;
  }
  if (depth > MAX_MERGE_DEPTH) return undefined;
  for (const source of merged) {
    const target = followAlias(index, source);
    const sources = index.events[target]?.type === EVENT_ID.SEQUENCE ? [...children(index, target)] : [target];
    for (const mapping of sources) {
      const found = findStep(index, followAlias(index, mapping), step, depth + 1);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function* children(index: YamlIndex, node: number): Generator<number> {
  let at = node + 1;
  while (at < index.events.length && (index.events[at] as Event).type !== EVENT_ID.POP) {
    yield at;
    at = index.ends[at] as number;
  }
}

function keyText(index: YamlIndex, key: number): string | undefined {
  const event = index.events[followAlias(index, key)];
  if (event?.type !== EVENT_ID.SCALAR) return undefined;
  return scalarKeyText(index.text, event);
}

/** The key as it comes out of the parser: an unquoted `yes` is the key `true`. */
export function scalarKeyText(text: string, event: ScalarEvent): string {
  const value = getScalarValue(text, event);
  return event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0 ? String(resolvePlainScalar(value)) : value;
}

/** The node that an alias stands for: the last one of that name before it. */
function followAlias(index: YamlIndex, node: number): number {
  const alias = index.events[node];
  if (alias?.type !== EVENT_ID.ALIAS) return node;
  const name = index.text.slice(alias.anchorStart, alias.anchorEnd);
  for (let at = node - 1; at > 0; at--) {
    const event = index.events[at] as Event;
    if (!("tagStart" in event) || event.anchorStart < 0) continue;
    if (index.text.slice(event.anchorStart, event.anchorEnd) === name) return at;
  }
  return node;
}

function offsetOf(index: YamlIndex, node: number): number | undefined {
  const event = index.events[node];
  switch (event?.type) {
    case EVENT_ID.SCALAR:
      return event.valueStart - (event.style === SCALAR_STYLE.PLAIN || event.valueStart === 0 ? 0 : quoteLength(event));
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1;
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.start;
    default:
      return undefined;
  }
}

function quoteLength(event: ScalarEvent): number {
  return event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED ? 1 : 0;
}
