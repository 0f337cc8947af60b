// CIDR blocks of mixed lengths that do not meet each other. Owns which ones: the same for the same number, wide and narrow in turn.

import { type Address, addressBits, addressValue, type Family, formatAddress } from "../../src/net/address.ts";
import type { BenchBlock } from "./bench-cluster.ts";

const LENGTHS: Readonly<Record<Family, readonly number[]>> = {
  4: [24, 32, 20, 28, 16, 30, 22, 25],
  6: [64, 128, 48, 96, 32, 120, 56, 80],
};
/** A tenth of the IPv4 addresses follow; nobody's pods are among them. */
const FIRST: Readonly<Record<Family, Address>> = { 4: "20.0.0.0" as Address, 6: "2400::" as Address };
/** An except is so much longer than its block. */
const EXCEPT_BITS = 4;

/** `withExcepts`: every block that has room for it has one, at its end. */
export function mixedBlocks(count: number, family: Family, withExcepts: boolean): BenchBlock[] {
  const lengths = LENGTHS[family];
  let next = addressValue(FIRST[family]);
  return Array.from({ length: count }, (_, index) => {
    const length = lengths[index % lengths.length] as number;
    const size = blockSize(family, length);
    const start = roundedUp(next, size);
    next = start + size;
    return {
      cidr: `${formatAddress(family, start)}/${length}`,
      excepts: withExcepts ? lastPart(family, start, length) : [],
    };
  });
}

function lastPart(family: Family, start: bigint, length: number): string[] {
  const partLength = length + EXCEPT_BITS;
  if (partLength > addressBits(family)) return [];
  const part = start + blockSize(family, length) - blockSize(family, partLength);
  return [`${formatAddress(family, part)}/${partLength}`];
}

function blockSize(family: Family, length: number): bigint {
  return 1n << BigInt(addressBits(family) - length);
}

function roundedUp(value: bigint, size: bigint): bigint {
  return ((value + size - 1n) / size) * size;
}
