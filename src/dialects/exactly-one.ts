// Mappings of which exactly one field must be set: subjects, peers, ports of the tier APIs (minProperties and maxProperties 1).

import type { Field, FieldHints } from "./field-reader.ts";

export interface Alternatives<K extends string> {
  /** `a peer` */
  readonly what: string;
  readonly fields: readonly K[];
  /** For fields that are not known here. */
  readonly hints?: FieldHints;
  /** How to write the one that says both, where fields are set together. */
  readonly apart: string;
}

/** The field that is set, also where others stand beside it (reported) that nobody knows; undefined (reported) for none and for several. */
export function readExactlyOne<K extends string>(
  item: Field,
  { what, fields, hints, apart }: Alternatives<K>,
): { readonly key: K; readonly field: Field } | undefined {
  const errorsBefore = item.findings.errorCount;
  const entry = item.asMapping();
  entry.refuseUnknownFields(fields, hints);
  const [first, second] = fields.filter((key) => entry.member(key).present);
  if (second !== undefined) {
    const message = `${first} and ${second} cannot stand in one: ${what} has exactly one of ${fields.join(", ")}`;
    entry.member(second).error({ code: "several-of-one", message, hint: apart });
  } else if (first === undefined && item.findings.errorCount === errorsBefore) {
    item.error({ code: "none-of-one", message: `${what} needs one of ${fields.join(", ")}` });
  }
  if (first === undefined || second !== undefined) return undefined;
  return { key: first, field: entry.member(first) };
}
