// One address match of the program -> the cheapest nft conditions for it (measured costs: docs/data-plane.md).
// Several conditions are alternatives: one rule each.

import { addressBits, type Family, formatAddress, maxAddressValue } from "../../net/address.ts";
import type { CidrBlock } from "../../net/cidr.ts";
import { contentHash } from "../../program/hash.ts";
import type { AddressMatch } from "../../program/program.ts";
import { listComment } from "../comment.ts";
import { concat, inSet, is, masked } from "./build.ts";
import type { Field, NamedSet, Statement } from "./ruleset.ts";

export interface AddressConditions {
  /** Each is a list of statements; an empty list matches every address. */
  readonly alternatives: readonly (readonly Statement[])[];
  /** Sets of CIDR blocks that the conditions look up; content-addressed. */
  readonly sets: readonly NamedSet[];
}

/** Up to so many blocks are compared one by one (42 ns each at most); more go into a set. */
const MAX_INLINE_BLOCKS = 3;
/** A masked look-up is one hash look-up per prefix length; from three lengths on one pipapo look-up is cheaper. */
const MAX_MASKED_LENGTHS = 2;

export function addressConditions(match: AddressMatch, family: Family, side: "saddr" | "daddr"): AddressConditions {
  if (match.any) return { alternatives: [[]], sets: [] };
  const address: Field = `${family === 4 ? "ip" : "ip6"} ${side}`;
  const members = match.sets.map((set) => [inSet(address, set)]);
  const blocks = blockConditions(match.blocks, family, address);
  return { alternatives: [...members, ...blocks.alternatives], sets: blocks.sets };
}

function blockConditions(blocks: readonly CidrBlock[], family: Family, address: Field): AddressConditions {
  if (blocks.length <= MAX_INLINE_BLOCKS) {
    return { alternatives: blocks.map((block) => [is(address, blockWord(block))]), sets: [] };
  }
  const lengths = [...new Set(blocks.map((block) => block.prefixLength))].sort((a, b) => b - a);
  if (lengths.length > MAX_MASKED_LENGTHS) {
    const set = intervalSet(blocks, family);
    return { alternatives: [[inSet(concat(address, "meta l4proto"), set.name)]], sets: [set] };
  }
  const sets = lengths.map((length) =>
    maskedSet(
      blocks.filter((block) => block.prefixLength === length),
      family,
      length,
    ),
  );
  const alternatives = sets.map((set, index) => {
    const length = lengths[index] as number;
    const left = length === addressBits(family) ? address : masked(address, netmask(family, length));
    return [inSet(left, set.name)];
  });
  return { alternatives, sets };
}

/** As nft writes it: a block of one address is that address. */
export function blockWord(block: CidrBlock): string {
  return block.prefixLength === addressBits(block.family) ? formatAddress(block.family, block.first) : block.text;
}

function netmask(family: Family, length: number): string {
  const hostBits = BigInt(addressBits(family) - length);
  return formatAddress(family, (maxAddressValue(family) >> hostBits) << hostBits);
}

function maskedSet(blocks: readonly CidrBlock[], family: Family, length: number): NamedSet {
  const texts = blocks.map((block) => block.text);
  return {
    kind: "set",
    name: `cidrs${family}_m${length}_${contentHash(texts.join(","))}`,
    key: [family === 4 ? "ip saddr" : "ip6 saddr"],
    interval: false,
    size: blocks.length,
    comment: listComment(texts),
    elements: new Set(blocks.map((block) => formatAddress(family, block.first))),
  };
}

/** A second field makes the kernel use pipapo instead of the slower rbtree; it matches every protocol. */
function intervalSet(blocks: readonly CidrBlock[], family: Family): NamedSet {
  const texts = blocks.map((block) => block.text);
  return {
    kind: "set",
    name: `cidrs${family}_${contentHash(texts.join(","))}`,
    key: [family === 4 ? "ip saddr" : "ip6 saddr", "meta l4proto"],
    interval: true,
    size: undefined,
    comment: listComment(texts),
    elements: new Set(blocks.map((block) => `${blockWord(block)} . 0-255`)),
  };
}
