// Typed access to plain JSON values: wrong types become findings, never exceptions; null counts as absent.
// Owns type checks and field paths; what a value means is the decoders' business.

import type { FieldPath } from "../model/diagnostic.ts";
import { closestWord } from "./closest-word.ts";
import { type Complaint, Findings } from "./findings.ts";
import type { ObjectSource } from "./object-source.ts";

type Mapping = Readonly<Record<string, unknown>>;

/** What to say about a field that is not known, by its name. */
export type FieldHints = Readonly<Record<string, string>>;

/** One value in an object together with the way to it. Each accessor checks the type and reports once per call. */
export class Field {
  readonly value: unknown;
  readonly findings: Findings;
  readonly #parent: Field | undefined;
  readonly #step: string | number;

  constructor(value: unknown, findings: Findings, parent: Field | undefined, step: string | number) {
    this.value = value;
    this.findings = findings;
    this.#parent = parent;
    this.#step = step;
  }

  /** Absent and null are the same: kubectl and the API server drop nulls. */
  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  path(): FieldPath {
    const steps: (string | number)[] = [];
    for (let field: Field = this; field.#parent !== undefined; field = field.#parent) steps.push(field.#step);
    return steps.reverse();
  }

  error(complaint: Complaint): void {
    this.findings.error(this.path(), complaint);
  }

  warning(complaint: Complaint): void {
    this.findings.warning(this.path(), complaint);
  }

  /** The member, unchecked; absent when this is no mapping. */
  member(key: string): Field {
    const value = isMapping(this.value) && Object.hasOwn(this.value, key) ? this.value[key] : undefined;
    return new Field(value, this.findings, this, key);
  }

  /** A mapping member; absent (and reported) when it has another type. */
  mapping(key: string): Field {
    return this.member(key).asMapping();
  }

  /** This field if it is a mapping or absent, else a report and an absent field. */
  asMapping(): Field {
    if (!this.present || isMapping(this.value)) return this;
    this.#wrongType("a mapping");
    return new Field(undefined, this.findings, this.#parent, this.#step);
  }

  /** The items of a list member; none when it is absent or (reported) no list. */
  list(key: string): Field[] {
    return this.member(key).items();
  }

  /** The items of this list; none when it is absent or (reported) no list. */
  items(): Field[] {
    if (!this.present) return [];
    if (Array.isArray(this.value)) return this.value.map((item, index) => new Field(item, this.findings, this, index));
    this.#wrongType("a list");
    return [];
  }

  /** The keys and values of this mapping. */
  entries(): [string, Field][] {
    if (!isMapping(this.value)) return [];
    return Object.keys(this.value).map((key) => [key, this.member(key)]);
  }

  string(key: string): string | undefined {
    return this.member(key).asString();
  }

  asString(): string | undefined {
    if (!this.present) return undefined;
    if (typeof this.value === "string") return this.value;
    this.#wrongType("a string", quotingHint(this.value));
    return undefined;
  }

  boolean(key: string): boolean | undefined {
    const field = this.member(key);
    if (!field.present) return undefined;
    if (typeof field.value === "boolean") return field.value;
    const unquoted = field.value === "true" || field.value === "false" ? `unquote it: ${field.value}` : undefined;
    field.#wrongType("true or false", unquoted);
    return undefined;
  }

  integer(key: string): number | undefined {
    const field = this.member(key);
    if (!field.present) return undefined;
    if (typeof field.value === "number" && Number.isSafeInteger(field.value)) return field.value;
    const unquoted =
      typeof field.value === "string" && /^\d+$/.test(field.value) ? `unquote it: ${field.value}` : undefined;
    field.#wrongType("a whole number", unquoted);
    return undefined;
  }

  /**
   * Reports members that the API does not know, as kubectl's strict validation does. Whether there were none. `hints`: what to write
   * instead of fields that are not known here, but elsewhere or formerly.
   */
  refuseUnknownFields(known: readonly string[], hints: FieldHints = {}): boolean {
    let allKnown = true;
    for (const [key, field] of this.entries()) {
      if (known.includes(key)) continue;
      allKnown = false;
      const meant = closestWord(key, known);
      const guess = meant === undefined ? `known fields here: ${known.join(", ")}` : `did you mean ${meant}?`;
      field.error({
        code: "unknown-field",
        message: `unknown field ${JSON.stringify(key)}`,
        hint: Object.hasOwn(hints, key) ? (hints[key] as string) : guess,
      });
    }
    return allKnown;
  }

  #wrongType(wanted: string, hint?: string): void {
    this.error({
      code: "wrong-type",
      message: `must be ${wanted}, not ${describeValue(this.value)}`,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

function quotingHint(value: unknown): string | undefined {
  if (typeof value === "boolean") return "YAML reads y, n, yes, no, on, off as true and false: quote the value";
  return typeof value === "number" ? "quote the value" : undefined;
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The whole object as a field; findings are collected in `findings`. */
export function rootField(value: unknown, source: ObjectSource): Field {
  const root = new Field(value, new Findings(source), undefined, "");
  return root.asMapping();
}

/** A value in a few words, for messages: `the string "80"`, `a list`. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value === "string")
    return `the string ${JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)}`;
  return `the ${typeof value} ${String(value)}`;
}
