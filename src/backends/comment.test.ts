// The one door for text from objects: what comes out can stand in quotes.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listComment, safeComment } from "./comment.ts";

describe("a comment", () => {
  it.each([
    ["plain text, with marks: {};#$@'", "plain text, with marks: {};#$@'"],
    ['a"b', "a?b"],
    ["a\\b", "a?b"],
    ["a\nb\r\tc", "a?b??c"],
    ["a\u0000b\u007f", "a?b?"],
    ["é", "?"],
    ["a".repeat(120), "a".repeat(120)],
    ["a".repeat(121), `${"a".repeat(117)}...`],
  ])("of %j is %j", (text, expected) => {
    expect(safeComment(text)).toBe(expected);
  });

  it("is at most 120 printable characters without quotes and backslashes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 160 }), (text) => {
        expect(safeComment(text)).toMatch(/^[ !#-[\]-~]{0,120}$/);
      }),
      { seed: 1 },
    );
  });
});

describe("a list in a comment", () => {
  it.each([
    [[], ""],
    [["a"], "a"],
    [["a", "b", "c"], "a, b, c"],
    [["a".repeat(60), "b".repeat(60), "c"], `${"a".repeat(60)}, and 2 more`],
    [["a".repeat(300), "b"], `${"a".repeat(117)}...`],
  ])("of %j is %j", (items, expected) => {
    expect(listComment(items)).toBe(expected);
  });

  it("says how many items it leaves out", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,30}$/), { maxLength: 40 }), (items) => {
        const text = listComment(items);
        expect(text.length).toBeLessThanOrEqual(120);
        const more = Number(/, and (\d+) more$/.exec(text)?.[1] ?? 0);
        const shown = text
          .replace(/, and \d+ more$/, "")
          .split(", ")
          .filter((item) => item !== "");
        expect(shown).toEqual(items.slice(0, items.length - more));
      }),
      { seed: 2 },
    );
  });
});
