// Plain addresses that stand for what policies say of CIDR blocks: one in each block, one in each except, and one that no block
// covers. Pure.

import { type AddressBlock, ipBlocksOf, type Policy } from "../model/policy.ts";
import {
  type Address,
  addressFamily,
  addressValue,
  FAMILIES,
  type Family,
  formatAddress,
  parseAddress,
} from "../net/address.ts";
import { type CidrBlock, cidrContains, cidrRange, parseCidr } from "../net/cidr.ts";
import { type AddressRange, subtractRanges } from "../net/range.ts";

/** Addresses in blocks for documentation: nobody's, and as good as any of the internet. */
const ANYWHERE: Readonly<Record<Family, readonly string[]>> = {
  4: ["198.51.100.7", "203.0.113.7", "192.0.2.7"],
  6: ["2001:db8:7::7", "2001:db8:77::7", "3fff::7"],
};

/** "This network", loopback, link-local and multicast; of IPv6 everything but global and unique local unicast. */
const NO_HOSTS: Readonly<Record<Family, readonly AddressRange[]>> = {
  4: ranges("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"),
  6: ranges("::/3", "4000::/2", "8000::/2", "c000::/3", "e000::/4", "f000::/5", "f800::/6", "fe00::/7"),
};

function ranges(...blocks: readonly string[]): AddressRange[] {
  return blocks.map((text) => cidrRange((parseCidr(text) as { block: CidrBlock }).block));
}

/**
 * Those that no block covers, then those of the blocks in their order; at most `limit` (the first ones). `isTaken`: pods' and nodes' addresses, which are not plain.
 * Cost: linear in the blocks times their excepts.
 */
export function outsideAddresses(
  policies: Iterable<Policy>,
  families: readonly Family[],
  isTaken: (address: Address) => boolean,
  limit = 12,
): Address[] {
  const blocks = [...policies].flatMap(ipBlocksOf).filter(({ cidr }) => families.includes(cidr.family));
  if (blocks.length === 0) return [];
  const chosen = new Set<Address>();
  const add = (address: Address | undefined) => {
    if (address !== undefined && chosen.size < limit) chosen.add(address);
  };
  for (const family of FAMILIES.filter((each) => families.includes(each))) {
    const own = blocks.filter(({ cidr }) => cidr.family === family);
    if (own.length > 0) add(addressBeside(family, own, isTaken));
  }
  for (const { cidr, except } of blocks) {
    add(freeAddress(cidr.family, subtractRanges([cidrRange(cidr)], except.map(cidrRange)), isTaken));
    for (const hole of except) add(freeAddress(hole.family, [cidrRange(hole)], isTaken));
  }
  return [...chosen];
}

/** One that no block but /0 covers. */
function addressBeside(
  family: Family,
  blocks: readonly AddressBlock[],
  isTaken: (address: Address) => boolean,
): Address | undefined {
  const candidates = ANYWHERE[family].map((text) => parseAddress(text) as NonNullable<ReturnType<typeof parseAddress>>);
  const covers = (block: CidrBlock, value: bigint) => block.prefixLength > 0 && cidrContains(block, family, value);
  return candidates.find(({ address, value }) => !isTaken(address) && !blocks.some(({ cidr }) => covers(cidr, value)))
    ?.address;
}

/** How many addresses of a block are tried: a block full of pods has nobody else in it. */
const TRIES = 64n;

/** A block's first address may name a network: it is asked last. */
function freeAddress(
  family: Family,
  candidates: readonly AddressRange[],
  isTaken: (address: Address) => boolean,
): Address | undefined {
  for (const { first, last } of subtractRanges(candidates, NO_HOSTS[family])) {
    const end = last < first + TRIES ? last : first + TRIES;
    for (let value = first + 1n; value <= end; value++) {
      const address = formatAddress(family, value);
      if (!isTaken(address)) return address;
    }
    const address = formatAddress(family, first);
    if (!isTaken(address)) return address;
  }
  return undefined;
}

/** Whether a host outside of the lab's nodes can have it. */
export function isHostAddress(address: Address): boolean {
  const family = addressFamily(address);
  const value = addressValue(address);
  return !NO_HOSTS[family].some(({ first, last }) => first <= value && value <= last);
}
