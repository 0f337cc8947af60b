// Spellings of CIDR blocks, and which block lies in which.

import { describe, expect, it } from "vitest";
import { type Address, parseAddress } from "./address.ts";
import { type CidrBlock, cidrContains, cidrOfAddress, cidrRange, isStrictSubnet, parseCidr } from "./cidr.ts";

function block(text: string): CidrBlock {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`no block: ${text}`);
  return parsed.block;
}

describe("a block is read as the API server reads it", () => {
  it.each([
    ["10.0.0.0/8", "10.0.0.0/8", []],
    ["0.0.0.0/0", "0.0.0.0/0", []],
    ["10.0.0.1/32", "10.0.0.1/32", []],
    ["10.1.2.3/8", "10.0.0.0/8", ["host bits set"]],
    ["010.0.0.0/8", "10.0.0.0/8", ["leading zeros"]],
    ["010.1.0.0/8", "10.0.0.0/8", ["leading zeros", "host bits set"]],
    ["10.0.0.0/08", "10.0.0.0/8", ["leading zeros"]],
    ["::/0", "::/0", []],
    ["2001:DB8::/32", "2001:db8::/32", []],
    ["2001:db8::1/64", "2001:db8::/64", ["host bits set"]],
    ["::1/128", "::1/128", []],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8", ["IPv4-mapped IPv6"]],
    ["::ffff:0.0.0.0/96", "0.0.0.0/0", ["IPv4-mapped IPv6"]],
    ["::ffff:10.0.0.0/64", "::/64", ["IPv4-mapped IPv6", "host bits set"]],
  ])("%s is %s with remarks %j", (text, canonical, remarks) => {
    expect(parseCidr(text)).toMatchObject({ block: { text: canonical }, remarks });
  });

  it.each([
    "",
    "/",
    "10.0.0.0",
    "10.0.0.0/",
    "/8",
    " 10.0.0.0/8",
    "10.0.0.0/8 ",
    "10.0.0.0/8\n",
    "10.0.0.0 /8",
    "10.0.0.0/ 8",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/+8",
    "10.0.0.0/8.0",
    "10.0.0.0/8/8",
    "10.0.0.0/255.0.0.0",
    "10.0/8",
    "::/129",
    "::ffff:10.0.0.0/129",
    "fe80::%eth0/64",
    "fe80::/64%eth0",
    "any",
  ])("%j is refused", (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });
});

describe("containment", () => {
  it.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "9.255.255.255", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "10.0.0.1", false],
    ["::/0", "ffff::", true],
    ["10.0.0.1/32", "10.0.0.1", true],
    ["10.0.0.1/32", "10.0.0.2", false],
    ["::/96", "10.0.0.1", false],
  ])("%s holds %s: %s", (cidr, text, expected) => {
    const address = parseAddress(text);
    if (address === undefined) throw new Error(text);
    expect(cidrContains(block(cidr), address.family, address.value)).toBe(expected);
  });

  it.each([
    ["10.1.0.0/16", "10.0.0.0/8", true],
    ["10.0.0.0/8", "10.0.0.0/8", false],
    ["0.0.0.0/0", "10.0.0.0/8", false],
    ["11.0.0.0/16", "10.0.0.0/8", false],
    ["::a00:0/112", "10.0.0.0/8", false],
    ["fd00::/65", "fd00::/64", true],
  ])("%s is a strict part of %s: %s", (inner, outer, expected) => {
    expect(isStrictSubnet(block(inner), block(outer))).toBe(expected);
  });
});

it.each([
  ["10.0.0.0/30", 4n],
  ["0.0.0.0/0", 1n << 32n],
  ["::/0", 1n << 128n],
  ["::1/128", 1n],
])("the range of %s has %s addresses", (text, size) => {
  const { first, last } = cidrRange(block(text));
  expect(last - first + 1n).toBe(size);
});

it("the block of one address holds just that address", () => {
  expect(cidrOfAddress("10.0.0.7" as Address).text).toBe("10.0.0.7/32");
  expect(cidrOfAddress("fd00::7" as Address).text).toBe("fd00::7/128");
});
