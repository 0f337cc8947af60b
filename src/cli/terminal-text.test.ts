import { describe, expect, it } from "vitest";
import { alignColumns, countOf, printable, wrapped } from "./terminal-text.ts";

describe("text from outside", () => {
  it.each([
    ["escape sequences and line breaks", "a\u001b[2J\r\nb", "a\\u{1b}[2J\\u{d}\\u{a}b"],
    ["C1 controls", "a\u009b31mb", "a\\u{9b}31mb"],
    ["direction marks that disguise names", "evil\u202etxt", "evil\\u{202e}txt"],
    ["line separators", "a\u2028b", "a\\u{2028}b"],
    ["other alphabets as they are", "Ünïcödé ✓ 日本", "Ünïcödé ✓ 日本"],
  ])("%s", (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

it("columns are as wide as their widest cell, with nothing at line ends", () => {
  const rows = [["NAME", "N", ""], ["a-long-name", "1", "x"], ["b"]];
  expect(alignColumns(rows, "  ")).toBe("  NAME         N\n  a-long-name  1  x\n  b\n");
});

it("counts have their plural", () => {
  expect([countOf(0, "pod"), countOf(1, "pod"), countOf(2, "entry", "entries")]).toEqual([
    "0 pods",
    "1 pod",
    "2 entries",
  ]);
});

it.each([
  ["short", "  short\n"],
  ["one two three four", "  one two\n    three\n    four\n"],
  ["a-word-that-is-longer than it", "  a-word-that-is-longer\n    than it\n"],
])("%j is wrapped between words", (text, expected) => expect(wrapped(text, 11, "  ")).toBe(expected));
