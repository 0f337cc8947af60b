// Bytes of elements, compared with what nft itself sends (`nft --debug=netlink` prints it), and what is left to nft.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../../net/address.ts";
import { packKeys } from "./element-bytes.ts";
import type { Field } from "./ruleset.ts";

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString("hex");
const PORT_TUPLE: readonly Field[] = ["ip daddr", "meta l4proto", "th dport"];
const BLOCK: readonly Field[] = ["ip saddr", "meta l4proto"];

describe("single keys", () => {
  it.each<[string, readonly Field[], string]>([
    ["10.1.255.0", ["ip saddr"], "0a01ff00"],
    ["255.255.255.255", ["ip daddr"], "ffffffff"],
    ["fd00::a:1", ["ip6 saddr"], "fd0000000000000000000000000a0001"],
    ["::", ["ip6 saddr"], "0".repeat(32)],
    ["8080", ["th dport"], "1f90"],
    ["10.0.0.1 . 10.0.0.2", ["ip saddr", "ip daddr"], "0a0000010a000002"],
    ["10.0.0.1 . tcp . 443", PORT_TUPLE, "0a0000010600000001bb0000"],
    ["10.0.0.1 . sctp . 65535", PORT_TUPLE, "0a00000184000000ffff0000"],
  ])("%s", (text, fields, expected) => {
    const packed = packKeys({ fields, interval: false }, [text, text]);
    expect(hex(packed?.keys)).toBe(expected + expected);
    expect(packed).toMatchObject({ keyLength: expected.length / 2, keyEnds: undefined });
  });
});

describe("intervals over several fields", () => {
  it.each<[string, readonly Field[], string, string]>([
    ["192.0.2.0/25 . 0-255", BLOCK, "c000020000000000", "c000027fff000000"],
    ["0.0.0.0/0 . 0-255", BLOCK, "0000000000000000", "ffffffffff000000"],
    ["10.0.0.1 . tcp", BLOCK, "0a00000106000000", "0a00000106000000"],
    ["10.0.0.1 . tcp . 80-90", PORT_TUPLE, "0a0000010600000000500000", "0a00000106000000005a0000"],
    [
      "2001:db8::/33 . 0-255",
      ["ip6 saddr", "meta l4proto"],
      `20010db8${"0".repeat(24)}00000000`,
      `20010db87fff${"f".repeat(20)}ff000000`,
    ],
  ])("%s", (text, fields, key, keyEnd) => {
    const packed = packKeys({ fields, interval: true }, [text]);
    expect([hex(packed?.keys), hex(packed?.keyEnds)]).toEqual([key, keyEnd]);
  });
});

describe("left to nft", () => {
  it.each<[string, string, readonly Field[], boolean]>([
    ["ends that are elements of their own", "10.0.0.0/8", ["ip saddr"], true],
    ["a block in a set of addresses", "10.0.0.0/8", ["ip saddr"], false],
    ["a range in a set of single keys", "10.0.0.1 . tcp . 80-90", PORT_TUPLE, false],
    ["a block with host bits", "10.0.0.1/8 . 0-255", BLOCK, true],
    ["a prefix that is too long", "10.0.0.0/33 . 0-255", BLOCK, true],
    ["a range backwards", "10.0.0.1 . tcp . 90-80", PORT_TUPLE, true],
    ["an address of the other family", "fd00::1", ["ip saddr"], false],
    ["an address that could be read in two ways", "010.0.0.1", ["ip saddr"], false],
    ["an IPv4 address as IPv6", "::ffff:10.0.0.1", ["ip6 saddr"], false],
    ["a protocol that we have no number for", "10.0.0.1 . icmpx . 80", PORT_TUPLE, false],
    ["a port beyond the last", "10.0.0.1 . tcp . 65536", PORT_TUPLE, false],
    ["a protocol beyond the last", "10.0.0.1 . 256", BLOCK, true],
    ["a negative port", "10.0.0.1 . tcp . -1", PORT_TUPLE, false],
    ["too few parts", "10.0.0.1 . tcp", PORT_TUPLE, false],
    ["too many parts", "10.0.0.1 . tcp . 80 . 80", PORT_TUPLE, false],
    ["nothing", "", ["ip saddr"], false],
    ["three octets", "10.0.1", ["ip saddr"], false],
    ["five octets", "10.0.0.1.2", ["ip saddr"], false],
    ["an empty octet", "10..0.1", ["ip saddr"], false],
    ["a dot at the end", "10.0.0.", ["ip saddr"], false],
    ["an octet beyond the last", "10.0.0.256", ["ip saddr"], false],
    ["a letter", "10.0.0.a", ["ip saddr"], false],
    ["a type that our sets do not have", "syn", ["tcp flags"], false],
  ])("%s", (_, text, fields, interval) => {
    expect(packKeys({ fields, interval }, [text])).toBeUndefined();
  });
});

it("one element that is left to nft leaves all of them to it", () => {
  expect(packKeys({ fields: ["ip saddr"], interval: false }, ["10.0.0.1", "localhost"])).toBeUndefined();
});

it("every IPv4 address is what the kernel takes it for", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), (value) => {
      const packed = packKeys({ fields: ["ip saddr"], interval: false }, [formatAddress(4, BigInt(value))]);
      expect(hex(packed?.keys)).toBe(value.toString(16).padStart(8, "0"));
    }),
  );
});
