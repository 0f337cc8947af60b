// Spellings of addresses: what the API server accepts, what it means, how it is written back.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, addressValue, compareAddresses, formatAddress, parseAddress } from "./address.ts";

describe("an address is read as the API server reads it", () => {
  it.each([
    ["10.0.0.1", "10.0.0.1", undefined],
    ["0.0.0.0", "0.0.0.0", undefined],
    ["255.255.255.255", "255.255.255.255", undefined],
    ["010.008.000.0001", "10.8.0.1", "leading zeros"],
    ["::ffff:10.0.0.1", "10.0.0.1", "IPv4-mapped IPv6"],
    ["::ffff:a00:1", "10.0.0.1", "IPv4-mapped IPv6"],
    ["::FFFF:010.0.0.1", "10.0.0.1", "IPv4-mapped IPv6"],
    ["::", "::", undefined],
    ["::1", "::1", undefined],
    ["1::", "1::", undefined],
    ["::10.0.0.1", "::a00:1", undefined],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201", undefined],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", undefined],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8", undefined],
    ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304", undefined],
  ])("%s is %s (remark: %s)", (text, address, unusual) => {
    const parsed = parseAddress(text);
    expect(parsed?.address).toBe(address);
    expect(parsed?.unusual).toBe(unusual);
    expect(parsed?.family).toBe(address.includes(":") ? 6 : 4);
  });

  it.each([
    "",
    " ",
    " 10.0.0.1",
    "10.0.0.1 ",
    "10.0.0.1\n",
    "10.0.0",
    "10.0.0.0.1",
    "10.0.0.",
    "10..0.1",
    "10.0.0.256",
    "10.0.0.-1",
    "10.0.0.+1",
    "10.0.0.0x1",
    "10.0.0.1e1",
    "١.0.0.1",
    "10.0.0.1/32",
    ":",
    ":::",
    ":1",
    "1:",
    ":1::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4::5:6:7:8",
    "::1:2:3:4:5:6:7:8",
    "00001::",
    "12345::",
    "g::",
    "fe80::1%eth0",
    "fe80::1%25eth0",
    "[::1]",
    "::1.2.3",
    "::1.2.3.256",
    "1.2.3.4::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "localhost",
  ])("%j is refused", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe("IPv6 is written as RFC 5952 says", () => {
  it.each([
    ["2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["FD00::AbCd", "fd00::abcd"],
  ])("%s is %s", (text, canonical) => {
    expect(parseAddress(text)?.address).toBe(canonical);
  });
});

const value4 = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n });
/** Groups of which many are zero, so that there is something to shorten. */
const value6 = fc
  .array(fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n))
  .filter((value) => value >> 32n !== 0xffffn);

it("an address survives being written and read", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.tuple(fc.constant(4 as const), value4), fc.tuple(fc.constant(6 as const), value6)),
      ([family, value]) => {
        const text = formatAddress(family, value);
        expect(parseAddress(text)).toEqual({ address: text, family, value });
        expect(addressValue(text)).toBe(value);
      },
    ),
    { seed: 1 },
  );
});

it("reading what the URL standard calls an IPv6 host gives the same canonical text", () => {
  fc.assert(
    fc.property(value6, (value) => {
      const text = formatAddress(6, value);
      expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
    }),
    { seed: 2 },
  );
});

it("addresses are in numeric order, IPv4 first", () => {
  const list = ["fd00::10", "10.0.0.10", "fd00::9", "10.0.0.9", "::1"] as Address[];
  expect(list.sort(compareAddresses)).toEqual(["10.0.0.9", "10.0.0.10", "::1", "fd00::9", "fd00::10"]);
});

it("the value of a text that is no address is a programming error", () => {
  expect(() => addressValue("nonsense" as Address)).toThrow(/not a canonical address/);
});
