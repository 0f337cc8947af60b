import { describe, expect, it } from "vitest";
import { cidrRange, parseCidr } from "../../src/net/cidr.ts";
import type { AddressRange } from "../../src/net/range.ts";
import { mixedBlocks } from "./mixed-blocks.ts";

describe.each([4, 6] as const)("blocks of IPv%s", (family) => {
  const range = (cidr: string): AddressRange => {
    const parsed = parseCidr(cidr);
    if (parsed === undefined || parsed.remarks.length > 0) throw new Error(`${cidr} is no block`);
    return cidrRange(parsed.block);
  };

  it("are as many as asked for, valid, and apart from each other", () => {
    const blocks = mixedBlocks(10_000, family, false).map(({ cidr }) => range(cidr));
    expect(blocks).toHaveLength(10_000);
    const overlaps = blocks.filter(
      (block, index) => index > 0 && block.first <= (blocks[index - 1] as AddressRange).last,
    );
    expect(overlaps).toEqual([]);
  });

  it("have excepts within them, where there is room", () => {
    const blocks = mixedBlocks(8, family, true);
    expect(blocks.filter(({ excepts }) => excepts.length === 1).length).toBeGreaterThanOrEqual(6);
    for (const { cidr, excepts } of blocks)
      for (const except of excepts) {
        expect(range(except).first).toBeGreaterThan(range(cidr).first);
        expect(range(except).last).toBe(range(cidr).last);
      }
  });
});
