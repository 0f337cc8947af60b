// Plain YAML scalars as kubectl reads them (sigs.k8s.io/yaml, a YAML 1.1 subset): yes/no/on/off are booleans, 010 is
// eight, 1_000 is a thousand, dates and base-60 numbers are strings. Owns the js-yaml schema built on that.

import { defineScalarTag, FAILSAFE_SCHEMA, mergeTag, NOT_RESOLVED, type Schema } from "js-yaml";

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...spellings(["y", "yes", "true", "on"], true),
  ...spellings(["n", "no", "false", "off"], false),
]);
const NULLS: ReadonlySet<string> = new Set(["", "~", "null", "Null", "NULL"]);
const INTEGER = /^[-+]?(0|[1-9][0-9]*|0[0-7]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+|0[bB][01]+)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

function spellings(words: readonly string[], value: boolean): [string, boolean][] {
  return words.flatMap((word) => {
    const capital = `${word[0]?.toUpperCase()}${word.slice(1)}`;
    return [word, capital, word.toUpperCase()].map((text): [string, boolean] => [text, value]);
  });
}

function withoutUnderscores(source: string): string {
  return source.includes("_") ? source.replaceAll("_", "") : source;
}

function parseInteger(source: string): number | undefined {
  const text = withoutUnderscores(source);
  if (!INTEGER.test(text)) return undefined;
  const negative = text.startsWith("-");
  const digits = /^[-+]/.test(text) ? text.slice(1) : text;
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return negative ? -value : value;
}

function parseFloatText(source: string): number | undefined {
  const text = withoutUnderscores(source);
  if (!FLOAT.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** What kubectl makes of a plain (unquoted) scalar. */
export function resolvePlainScalar(source: string): string | number | boolean | null {
  if (NULLS.has(source)) return null;
  return BOOLEANS.get(source) ?? parseInteger(source) ?? parseFloatText(source) ?? source;
}

const nullTag = defineScalarTag("tag:yaml.org,2002:null", {
  implicit: true,
  implicitFirstChars: ["", "~", "n", "N"],
  resolve: (source) => (NULLS.has(source) ? null : NOT_RESOLVED),
  identify: () => false,
});

const booleanTag = defineScalarTag("tag:yaml.org,2002:bool", {
  implicit: true,
  implicitFirstChars: [..."yYnNtTfFoO"],
  resolve: (source) => BOOLEANS.get(source) ?? NOT_RESOLVED,
  identify: () => false,
});

const integerTag = defineScalarTag("tag:yaml.org,2002:int", {
  implicit: true,
  implicitFirstChars: [..."-+0123456789"],
  resolve: (source) => parseInteger(source) ?? NOT_RESOLVED,
  identify: () => false,
});

const floatTag = defineScalarTag("tag:yaml.org,2002:float", {
  implicit: true,
  implicitFirstChars: [..."-+.0123456789"],
  resolve: (source) => parseFloatText(source) ?? NOT_RESOLVED,
  identify: () => false,
});

export const KUBECTL_SCHEMA: Schema = FAILSAFE_SCHEMA.withTags(nullTag, booleanTag, integerTag, floatTag, mergeTag);
