// Sets of addresses against a brute force over a small space, and at the edges of the real one.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Family, maxAddressValue } from "./address.ts";
import { cidrRange } from "./cidr.ts";
import { type AddressRange, rangesContain, rangesToBlocks, subtractRanges, unionRanges } from "./range.ts";

const SPACE = 70;
const range = fc
  .tuple(fc.integer({ min: 0, max: SPACE - 1 }), fc.integer({ min: 0, max: 12 }))
  .map(([first, more]): AddressRange => ({ first: BigInt(first), last: BigInt(Math.min(first + more, SPACE - 1)) }));
const ranges = fc.array(range, { maxLength: 8 });

/** Members by looking at every number: no code shared with the product. */
function members(list: readonly AddressRange[]): number[] {
  const found = [];
  for (let value = 0; value < SPACE; value++) {
    if (list.some(({ first, last }) => first <= BigInt(value) && BigInt(value) <= last)) found.push(value);
  }
  return found;
}

function expectNormal(list: readonly AddressRange[]): void {
  for (const [index, each] of list.entries()) {
    expect(each.first <= each.last).toBe(true);
    const previous = list[index - 1];
    if (previous !== undefined) expect(each.first > previous.last + 1n).toBe(true);
  }
}

describe("against a brute force", () => {
  it("a union has the members of its parts and is sorted, disjoint and merged", () => {
    fc.assert(
      fc.property(ranges, (list) => {
        const union = unionRanges(list);
        expect(members(union)).toEqual(members(list));
        expectNormal(union);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it("a difference has exactly the members that are in no hole", () => {
    fc.assert(
      fc.property(ranges, ranges, (list, holes) => {
        const rest = subtractRanges(list, holes);
        const cut = new Set(members(holes));
        expect(members(rest)).toEqual(members(list).filter((value) => !cut.has(value)));
        expectNormal(rest);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it("blocks cover exactly the ranges, without overlap, and no two of them could be one", () => {
    fc.assert(
      fc.property(ranges, fc.constantFrom<Family>(4, 6), (list, family) => {
        const blocks = rangesToBlocks(family, list);
        expect(members(blocks.map(cidrRange))).toEqual(members(list));
        const size = blocks.map(cidrRange).reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
        expect(size).toBe(BigInt(members(list).length));
        for (const [index, block] of blocks.entries()) {
          const next = blocks[index + 1];
          if (next === undefined || next.prefixLength !== block.prefixLength) continue;
          const width = cidrRange(block).last - block.first + 1n;
          expect(next.first === block.first + width && block.first % (2n * width) === 0n).toBe(false);
        }
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it("a look-up finds members and nothing else", () => {
    fc.assert(
      fc.property(ranges, (list) => {
        const union = unionRanges(list);
        const inside = new Set(members(list));
        for (let value = 0; value < SPACE; value++) {
          expect(rangesContain(union, BigInt(value))).toBe(inside.has(value));
        }
      }),
      { seed: 4, numRuns: 100 },
    );
  });
});

describe("at the edges", () => {
  it.each<[Family, string[]]>([
    [4, ["0.0.0.0/0"]],
    [6, ["::/0"]],
  ])("all of family %s is one block", (family, texts) => {
    const all = [{ first: 0n, last: maxAddressValue(family) }];
    expect(rangesToBlocks(family, all).map((block) => block.text)).toEqual(texts);
  });

  it("all but one address is one block for each bit", () => {
    const all = { first: 0n, last: maxAddressValue(4) };
    expect(rangesToBlocks(4, subtractRanges([all], [{ first: 0n, last: 0n }]))).toHaveLength(32);
    expect(rangesToBlocks(4, subtractRanges([all], [{ first: all.last, last: all.last }]))).toHaveLength(32);
  });

  it("a hole as large as everything leaves nothing", () => {
    expect(subtractRanges([{ first: 3n, last: 9n }], [{ first: 0n, last: maxAddressValue(6) }])).toEqual([]);
  });

  it("neighbours become one range", () => {
    const list = [
      { first: 5n, last: 9n },
      { first: 0n, last: 4n },
    ];
    expect(unionRanges(list)).toEqual([{ first: 0n, last: 9n }]);
  });
});
