// Which plain addresses stand for what policies say of blocks.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makePolicy } from "../../test/support/model-objects.ts";
import { checkProperty } from "../../test/support/property.ts";
import { type Address, addressFamily, addressValue, FAMILIES, type Family } from "../net/address.ts";
import { type CidrBlock, cidrBlock, cidrContains, parseCidr } from "../net/cidr.ts";
import { isHostAddress, outsideAddresses } from "./outside-addresses.ts";

interface Block {
  readonly cidr: string;
  readonly except?: readonly string[];
}

function policyOf(...blocks: readonly Block[]) {
  return makePolicy("p", { podSelector: {}, ingress: [{ from: blocks.map((ipBlock) => ({ ipBlock })) }] });
}

function chosen(blocks: readonly Block[], taken: readonly string[] = [], families: readonly Family[] = FAMILIES) {
  return outsideAddresses([policyOf(...blocks)], families, (address) => taken.includes(address));
}

function blockOf(text: string): CidrBlock {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(text);
  return parsed.block;
}

describe("outside addresses", () => {
  it("are one that no block covers, one in each block, and one in each except", () => {
    const blocks = [{ cidr: "10.1.0.0/16", except: ["10.1.2.0/24", "10.1.4.0/24"] }, { cidr: "10.9.0.0/24" }];
    expect(chosen(blocks)).toEqual(["198.51.100.7", "10.1.0.1", "10.1.2.1", "10.1.4.1", "10.9.0.1"]);
  });

  it("are of the families that blocks are of", () => {
    expect(chosen([{ cidr: "fd77::/64", except: ["fd77::/80"] }])).toEqual([
      "2001:db8:7::7",
      "fd77::1:0:0:1",
      "fd77::1",
    ]);
  });

  it("are none of a family that is not asked about", () => {
    expect(chosen([{ cidr: "10.1.0.0/16" }, { cidr: "fd77::/64" }], [], [6])).toEqual(["2001:db8:7::7", "fd77::1"]);
  });

  it("are none where no policy names a block", () => {
    const open = makePolicy("p", { podSelector: {}, ingress: [{}], egress: [{ to: [{ podSelector: {} }] }] });
    expect(outsideAddresses([open], FAMILIES, () => false)).toEqual([]);
  });

  it("come from egress rules, too", () => {
    const policy = makePolicy("p", {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "10.1.0.0/16" } }] }],
    });
    expect(outsideAddresses([policy], FAMILIES, () => false)).toEqual(["198.51.100.7", "10.1.0.1"]);
  });

  it("are in a block's rest, not in what it leaves out", () => {
    expect(chosen([{ cidr: "10.1.0.0/24", except: ["10.1.0.0/25", "10.1.0.128/26"] }])).toContain("10.1.0.193");
  });

  it("are never one that a pod or a node has", () => {
    expect(chosen([{ cidr: "10.1.0.0/24" }], ["10.1.0.1", "10.1.0.2", "198.51.100.7"])).toEqual([
      "203.0.113.7",
      "10.1.0.3",
    ]);
  });

  it("leave out a block that is full of pods", () => {
    const pods = ["10.1.0.0", "10.1.0.1", "10.1.0.2", "10.1.0.3"];
    expect(chosen([{ cidr: "10.1.0.0/30" }], pods)).toEqual(["198.51.100.7"]);
  });

  it("are a block's first address where its others are taken", () => {
    expect(chosen([{ cidr: "10.1.0.0/31" }], ["10.1.0.1"])).toEqual(["198.51.100.7", "10.1.0.0"]);
  });

  it("are the one address of a /32 and of a /128", () => {
    expect(chosen([{ cidr: "10.1.0.5/32" }, { cidr: "fd77::5/128" }])).toEqual([
      "198.51.100.7",
      "2001:db8:7::7",
      "10.1.0.5",
      "fd77::5",
    ]);
  });

  it.each([
    ["0.0.0.0/0", ["198.51.100.7", "1.0.0.1"]],
    ["::/0", ["2001:db8:7::7", "2000::1"]],
    ["0.0.0.0/1", ["198.51.100.7", "1.0.0.1"]],
  ])("of %s are addresses that hosts have", (cidr, expected) => {
    expect(chosen([{ cidr }])).toEqual(expected);
  });

  it.each([
    "127.0.0.0/8",
    "169.254.169.254/32",
    "224.0.0.0/4",
    "255.255.255.255/32",
    "fe80::/10",
    "ff00::/8",
    "::1/128",
  ])("are none in %s, which no host outside has", (cidr) => {
    const block = blockOf(cidr);
    const inside = chosen([{ cidr }]).filter((each) => cidrContains(block, addressFamily(each), addressValue(each)));
    expect(inside).toEqual([]);
  });

  it("are no more than the limit", () => {
    const blocks = Array.from({ length: 40 }, (_, index) => ({ cidr: `10.${index}.0.0/16` }));
    expect(outsideAddresses([policyOf(...blocks)], FAMILIES, () => false, 5)).toEqual([
      "198.51.100.7",
      ...["10.0.0.1", "10.1.0.1", "10.2.0.1", "10.3.0.1"],
    ]);
  });

  it("are where they should be, whatever the blocks: each block and each except with room has one, and nobody's is taken", () => {
    const input = fc.record({
      blocks: fc.array(block, { minLength: 1, maxLength: 5 }),
      taken: fc.uniqueArray(address),
    });
    checkProperty(
      input,
      ({ blocks, taken }) => {
        const found = outsideAddresses([policyOf(...blocks)], FAMILIES, (each) => taken.includes(each), 100);
        for (const each of found) {
          if (taken.includes(each) || !isHostAddress(each)) throw new Error(`${each} is nobody's to have`);
        }
        for (const { cidr, except = [] } of blocks) {
          const isIn = (each: Address) => holds(cidr, each) && !except.some((hole) => holds(hole, each));
          const size = 1n << BigInt(32 - blockOf(cidr).prefixLength);
          const left = size - except.reduce((sum, hole) => sum + (1n << BigInt(32 - blockOf(hole).prefixLength)), 0n);
          if (left > BigInt(taken.length) && !found.some(isIn)) throw new Error(`none is in ${cidr}`);
          for (const hole of except) {
            const room = 1n << BigInt(32 - blockOf(hole).prefixLength) > BigInt(taken.length);
            if (room && !found.some((each) => holds(hole, each))) throw new Error(`none is in ${hole}`);
          }
        }
        const isBeside = (each: Address) => !blocks.some(({ cidr }) => holds(cidr, each));
        if (!found.some(isBeside)) throw new Error("all are in blocks");
      },
      { runs: 300, print: (each) => JSON.stringify(each, undefined, 1) },
    );
  });
});

function holds(cidr: string, address: Address): boolean {
  return cidrContains(blockOf(cidr), addressFamily(address), addressValue(address));
}

const OCTET = fc.integer({ min: 0, max: 9 });
const address = fc.tuple(OCTET, OCTET).map(([a, b]) => `10.0.${a}.${b}` as Address);
/** Of 10.0.0.0/12 to /32; excepts are parts of it that do not overlap. */
const block = fc
  .tuple(
    fc.integer({ min: 0, max: 0xfffff }),
    fc.integer({ min: 12, max: 32 }),
    fc.uniqueArray(fc.nat(3), { maxLength: 3 }),
  )
  .map(([offset, length, holes]): Block => {
    const whole = cidrBlock(4, (10n << 24n) + BigInt(offset), length);
    if (length > 30 || holes.length === 0) return { cidr: whole.text };
    const quarter = 1n << BigInt(30 - length);
    return {
      cidr: whole.text,
      except: holes.map((index) => cidrBlock(4, whole.first + BigInt(index) * quarter, length + 2).text),
    };
  });
