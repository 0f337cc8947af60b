// One address match of the program -> matches of iptables. Several are alternatives: one rule each.

import { addressBits, type Family, formatAddress } from "../../net/address.ts";
import type { CidrBlock } from "../../net/cidr.ts";
import type { AddressMatch } from "../../program/program.ts";
import { inBlock, inSet, type Side } from "./build.ts";
import { blocksSet, programSet } from "./names.ts";
import type { IpSet, Match } from "./ruleset.ts";

export interface PeerMatches {
  /** Each is a list of matches; an empty one matches every address. */
  readonly alternatives: readonly (readonly Match[])[];
  /** Sets of CIDR blocks that the matches look up; content-addressed. */
  readonly sets: readonly IpSet[];
}

/** Up to so many blocks are compared one by one; more go into a set (hash:net: one look-up for each prefix length in it). */
const MAX_INLINE_BLOCKS = 3;

export function peerMatches(match: AddressMatch, family: Family, side: Side): PeerMatches {
  if (match.any) return { alternatives: [[]], sets: [] };
  const members = match.sets.map((set) => [inSet(programSet(set), side)]);
  if (match.blocks.length <= MAX_INLINE_BLOCKS)
    return { alternatives: [...members, ...match.blocks.map((block) => [inBlock(side, block)])], sets: [] };
  const set = setOfBlocks(family, match.blocks);
  return { alternatives: [...members, [inSet(set.name, side)]], sets: [set] };
}

/** Its blocks never change: others have another name. ipset knows no block of the whole family; the program gives none. */
function setOfBlocks(family: Family, blocks: readonly CidrBlock[]): IpSet {
  const texts = blocks.map((block) => block.text);
  return {
    name: blocksSet(family, texts),
    type: "hash:net",
    family,
    maxElements: blocks.length,
    elements: new Set(blocks.map(blockElement)),
  };
}

/** As ipset writes it: a block of one address is that address. */
function blockElement(block: CidrBlock): string {
  return block.prefixLength === addressBits(block.family) ? formatAddress(block.family, block.first) : block.text;
}
