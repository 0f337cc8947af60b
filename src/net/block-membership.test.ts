// The quick test of membership says what cidrContains says.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, addressBits, type Family, formatAddress, maxAddressValue } from "./address.ts";
import { blockMembership } from "./block-membership.ts";
import { type CidrBlock, cidrBlock, cidrContains, parseCidr } from "./cidr.ts";

const block = (text: string) => parseCidr(text)?.block as CidrBlock;

describe("an address is in a union of blocks", () => {
  it.each<[string, string, boolean]>([
    ["10.1.0.0", "10.1.0.0/24", true],
    ["10.1.0.255", "10.1.0.0/24", true],
    ["10.1.1.0", "10.1.0.0/24", false],
    ["255.255.255.255", "0.0.0.0/0", true],
    ["10.1.0.5", "10.1.0.5/32", true],
    ["10.1.0.4", "10.1.0.5/32", false],
    ["10.1.0.5", "10.1.0.5/32 10.1.0.4/32", true],
    ["::", "::/0", true],
    ["::1", "::1/128", true],
    ["::1", "::/128", false],
    ["fd00:1::5", "fd00:1::/64", true],
    ["fd00:1:0:1::", "fd00:1::/64", false],
    ["fd00:0:0:1::8000:0", "fd00:0:0:1::8000:0/97", true],
    ["fd00:0:0:1::7fff:ffff", "fd00:0:0:1::8000:0/97", false],
    ["10.1.0.5", "::/0", false],
    ["fd00::1", "0.0.0.0/0", false],
    ["10.1.0.5", "", false],
  ])("%s in %j: %s", (address, blocks, expected) => {
    const test = blockMembership(blocks === "" ? [] : blocks.split(" ").map(block));
    expect(test(address as Address)).toBe(expected);
  });

  /** With runs of zero groups, which are shortened in the text in all ways there are. */
  const sparse = (family: Family) =>
    fc
      .array(fc.constantFrom(0, 0, 0, 1, 0x0a00, 0xffff), { minLength: 8, maxLength: 8 })
      .map((groups) => groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n) & maxAddressValue(family));

  it("exactly when one of the blocks contains it", () => {
    const near = fc.constantFrom<Family>(4, 6).chain((family) => {
      const max = maxAddressValue(family);
      return fc.record({
        family: fc.constant(family),
        base: fc.oneof(fc.bigInt({ min: 0n, max }), sparse(family)),
        prefixLength: fc.integer({ min: 0, max: addressBits(family) }),
        distance: fc.bigInt({ min: -(1n << 20n), max: 1n << 20n }),
      });
    });
    fc.assert(
      fc.property(near, ({ family, base, prefixLength, distance }) => {
        const own = cidrBlock(family, base, prefixLength);
        const max = maxAddressValue(family);
        const size = 1n << BigInt(addressBits(family) - prefixLength);
        for (const from of [own.first, own.first + size - 1n, base]) {
          for (const value of [from + distance, from - 1n, from, from + 1n].filter(
            (each) => each >= 0n && each <= max,
          )) {
            expect(blockMembership([own])(formatAddress(family, value))).toBe(cidrContains(own, family, value));
          }
        }
      }),
      { seed: 20261121, numRuns: 500 },
    );
  });
});
