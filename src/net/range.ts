// Sets of addresses as sorted, disjoint, non-adjacent inclusive ranges; and back to CIDR blocks.

import { addressBits, type Family } from "./address.ts";
import { type CidrBlock, cidrBlock } from "./cidr.ts";

/** Inclusive on both ends. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** Sorted, disjoint, with neighbours merged. Cost: one sort. */
export function unionRanges(ranges: readonly AddressRange[]): AddressRange[] {
  const sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: AddressRange[] = [];
  for (const range of sorted) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.first <= previous.last + 1n) {
      if (range.last > previous.last) merged[merged.length - 1] = { first: previous.first, last: range.last };
    } else {
      merged.push(range);
    }
  }
  return merged;
}

/** `ranges` without `holes`; the result is a union as `unionRanges` gives it. */
export function subtractRanges(ranges: readonly AddressRange[], holes: readonly AddressRange[]): AddressRange[] {
  const cuts = unionRanges(holes);
  const rest: AddressRange[] = [];
  for (const range of unionRanges(ranges)) {
    let first = range.first;
    for (const cut of cuts) {
      if (cut.last < first) continue;
      if (cut.first > range.last) break;
      if (cut.first > first) rest.push({ first, last: cut.first - 1n });
      first = cut.last + 1n;
    }
    if (first <= range.last) rest.push({ first, last: range.last });
  }
  return rest;
}

/** The fewest blocks that cover exactly these ranges, in address order. */
export function rangesToBlocks(family: Family, ranges: readonly AddressRange[]): CidrBlock[] {
  const blocks: CidrBlock[] = [];
  const bits = addressBits(family);
  for (const range of unionRanges(ranges)) {
    let first = range.first;
    while (first <= range.last) {
      let size = 0;
      while (size < bits) {
        const next = 1n << BigInt(size + 1);
        if (first % next !== 0n || first + next - 1n > range.last) break;
        size++;
      }
      blocks.push(cidrBlock(family, first, bits - size));
      first += 1n << BigInt(size);
    }
  }
  return blocks;
}

/** Binary search in a sorted, disjoint list. */
export function rangesContain(ranges: readonly AddressRange[], value: bigint): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle] as AddressRange;
    if (value < range.first) high = middle - 1;
    else if (value > range.last) low = middle + 1;
    else return true;
  }
  return false;
}
