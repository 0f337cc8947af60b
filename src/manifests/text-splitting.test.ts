// Cutting and locating text: the same parts whatever the chunks, and places that really hold what was asked for.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FieldPath } from "../model/diagnostic.ts";
import { JsonItemSplitter } from "./json-stream.ts";
import { resolvePlainScalar } from "./kubectl-schema.ts";
import { findDuplicateJsonKeys, locateJson } from "./locate-json.ts";
import { indexYaml, locateYaml } from "./locate-yaml.ts";
import { type DocumentPart, DocumentSplitter, type OversizedPart } from "./split-documents.ts";

const LIMIT = 1 << 20;
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

interface Splitter {
  push(chunk: Uint8Array): (DocumentPart | OversizedPart)[];
  end(): (DocumentPart | OversizedPart)[];
}

function split(splitter: Splitter, text: string, chunkBytes: number) {
  const bytes = encode(text);
  const parts: (DocumentPart | OversizedPart)[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) parts.push(...splitter.push(bytes.slice(at, at + chunkBytes)));
  parts.push(...splitter.end());
  return parts.map((part) =>
    "oversized" in part ? { line: part.firstLine } : { line: part.firstLine, text: decode(part.bytes) },
  );
}

describe("documents of a YAML stream", () => {
  const cases: readonly [string, string, string[]][] = [
    ["one without marker", "a: 1\n", ["a: 1\n"]],
    ["two", "a: 1\n---\nb: 2\n", ["a: 1\n", "---\nb: 2\n"]],
    ["a marker with a comment", "a: 1\n--- # next\nb: 2", ["a: 1\n", "--- # next\nb: 2"]],
    ["four dashes and dashes in a value are no markers", "a: 1\n----\nb: ---\n ---\n", ["a: 1\n----\nb: ---\n ---\n"]],
    ["an end marker", "a: 1\n...\nb: 2\n", ["a: 1\n...\n", "b: 2\n"]],
    ["directives belong to the document behind them", "%YAML 1.1\n---\na: 1\n", ["%YAML 1.1\n---\na: 1\n"]],
    ["an empty one between two", "a: 1\n---\n---\nb: 2\n", ["a: 1\n", "---\n", "---\nb: 2\n"]],
    ["Windows line ends", "a: 1\r\n---\r\nb: 2\r\n", ["a: 1\r\n", "---\r\nb: 2\r\n"]],
  ];
  it.each(cases)("%s", (_, text, documents) => {
    expect(split(new DocumentSplitter(LIMIT), text, 1000).map((part) => part.text)).toEqual(documents);
  });

  it("are the same whatever the chunks, and nothing is lost", () => {
    const line = fc.constantFrom(
      "---",
      "...",
      "a: 1",
      "# c",
      "",
      "--- x",
      "%YAML 1.1",
      "----",
      "-",
      "ä: é",
      ".. ",
      "---\r",
      "  ---",
    );
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 12 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (lines, size, ends) => {
          const text = lines.join("\n") + (ends ? "\n" : "");
          const parts = split(new DocumentSplitter(LIMIT), text, size);
          expect(parts).toEqual(split(new DocumentSplitter(LIMIT), text, 1000));
          expect(parts.map((part) => part.text).join("")).toBe(text);
          let at = 0;
          for (const part of parts) {
            expect(part.line).toBe(text.slice(0, at).split("\n").length);
            at += part.text?.length ?? 0;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("over the limit are dropped, whatever the chunks, and the next one is found", () => {
    const text = `a: 1\n---\nb: ${"x".repeat(50)}\ny: |\n  ${"z\n  ".repeat(40)}\n---\nc: 3\n`;
    for (const size of [1, 3, 10, 1000]) {
      const parts = split(new DocumentSplitter(40), text, size);
      expect(parts).toEqual([{ line: 1, text: "a: 1\n" }, { line: 2 }, { line: 46, text: "---\nc: 3\n" }]);
    }
  });
});

describe("items of a JSON list", () => {
  it("are the same whatever the chunks and say where they stand", () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1 }),
        fc.integer({ min: 1, max: 30 }),
        (items, size) => {
          const text = JSON.stringify({ apiVersion: "v1", items, kind: "List" }, null, 1);
          const parts = split(new JsonItemSplitter(LIMIT), text, size);
          expect(parts.slice(0, -1).map((part) => JSON.parse(part.text ?? ""))).toEqual(
            JSON.parse(JSON.stringify(items)),
          );
          expect(JSON.parse(parts.at(-1)?.text ?? "")).toEqual({ apiVersion: "v1", items: [], kind: "List" });
          const offset = locateJson(text, ["items", items.length - 1]);
          expect(parts.at(-2)?.line).toBe(text.slice(0, offset).split("\n").length);
        },
      ),
    );
  });

  it("objects that are no lists come whole", () => {
    const parts = split(new JsonItemSplitter(LIMIT), '{"a": {"items": [1]}}\n{"items": 5}', 4);
    expect(parts).toEqual([
      { line: 1, text: '{"a": {"items": [1]}}' },
      { line: 2, text: '{"items": 5}' },
    ]);
  });

  it("over the limit are dropped alone", () => {
    const text = `{"items": [{"a": 1}, {"b": "${"x".repeat(100)}"}, {"c": 3}]}`;
    for (const size of [1, 9, 1000]) {
      const parts = split(new JsonItemSplitter(60), text, size);
      expect(parts.map((part) => part.text?.trim())).toEqual(expect.arrayContaining(['{"a": 1}', '{"c": 3}']));
    }
  });
});

/** Every path in a value. */
function pathsOf(value: unknown, path: FieldPath = []): FieldPath[] {
  if (typeof value !== "object" || value === null) return [path];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [
    path,
    ...steps.flatMap((step) => pathsOf((value as Record<string | number, unknown>)[step], [...path, step])),
  ];
}

describe("locating fields", () => {
  it("finds each key of any JSON text, read as JSON and as YAML", () => {
    const key = fc.stringMatching(/^[a-z][a-z0-9"\\/. -]{0,8}$/);
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(1, true, null, "x", 'a"b'),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(key, tie("value"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value), (object) => {
        const text = JSON.stringify(object, null, 2);
        const index = indexYaml(text);
        expect(findDuplicateJsonKeys(text)).toEqual([]);
        for (const path of pathsOf(object)) {
          const offset = locateJson(text, path);
          const last = path.at(-1);
          if (typeof last === "string") expect(text.startsWith(JSON.stringify(last), offset)).toBe(true);
          expect(locateYaml(index, path)).toBe(offset);
        }
      }),
    );
  });

  const yaml = "base: &b\n  x: 1\nuse:\n  <<: *b\n  z: 2\nagain: *b\nyes: 3\n? 'q'\n: 4\nlist:\n- {k: v}\n-\n  k: v\n";
  const places: readonly [FieldPath, string][] = [
    [["base", "x"], "x: 1"],
    [["use", "x"], "x: 1"],
    [["use", "z"], "z: 2"],
    [["again", "x"], "x: 1"],
    [["true"], "yes: 3"],
    [["q"], "'q'"],
    [["list", 0, "k"], "k: v}"],
    [["list", 1], "k: v\n"],
    [["use", "absent", "deeper"], "use:"],
    [["list", 7], "list:"],
  ];
  it.each(places)("%j in YAML", (path, text) => {
    expect(yaml.slice(locateYaml(indexYaml(yaml), path))).toMatch(new RegExp(`^${text.replace(/[{}*]/g, "\\$&")}`));
  });
});

describe("plain scalars", () => {
  it.each([
    ["yes", true],
    ["Off", false],
    ["y", true],
    ["yEs", "yEs"],
    ["010", 8],
    ["08", 8],
    ["0o10", 8],
    ["0x1F", 31],
    ["1_000", 1000],
    ["-5", -5],
    ["1.5", 1.5],
    ["1e3", 1000],
    ["1:30", "1:30"],
    ["2024-01-01", "2024-01-01"],
    ["10.0.0.1", "10.0.0.1"],
    ["~", null],
    ["", null],
    ["Null", null],
    ["1e999", "1e999"],
    [".inf", ".inf"],
  ])("%s", (source, value) => {
    expect(resolvePlainScalar(source)).toBe(value);
  });
});
