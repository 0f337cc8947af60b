// Names for the kernel: stable, well-spread, and harmless whatever they are made of.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contentHash, nameHint } from "./hash.ts";

describe("a content hash", () => {
  it("is 16 letters and digits of base 32", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(contentHash(text)).toMatch(/^[a-z2-7]{16}$/);
      }),
      { seed: 1 },
    );
  });

  // SHA-256 of "" begins e3b0c44298fc1c149afb, in RFC 4648 base 32: 4OYMIQUY7QOBJGX3.
  it.each([["", "4oymiquy7qobjgx3"]])("of %j is the base 32 of SHA-256's first 80 bits", (text, hash) => {
    expect(contentHash(text)).toBe(hash);
  });

  it("differs for texts that differ", () => {
    const hashes = new Set(Array.from({ length: 2000 }, (_, index) => contentHash(`text ${index}`)));
    expect(hashes.size).toBe(2000);
  });
});

describe("a hint", () => {
  it.each([
    ["x/web", "x.web"],
    ["X/Web", "x.web"],
    ['a b\n;{}"c', "a.b.c"],
    ["--a--", "a"],
    ["", ""],
    ["ünï", "n"],
    ["🦊", ""],
    ["a".repeat(253), "a".repeat(40)],
    [`${"a".repeat(39)}/b`, "a".repeat(39)],
  ])("of %j is %j", (text, hint) => {
    expect(nameHint(text)).toBe(hint);
  });

  it("has letters, digits, dots and dashes only and neither begins nor ends with a mark", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(nameHint(text)).toMatch(/^([a-z0-9]([a-z0-9.-]{0,38}[a-z0-9])?)?$/);
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});
