// Stable addresses for pods that do not run anywhere yet: equal input gives equal addresses, whatever the order of files.
// Owns the choice of ranges: no made-up address may lie in an ipBlock or a network of a policy by accident.

import type { Node, Pod } from "../model/cluster.ts";
import { type AddressBlock, ipBlocksOf, type Policy } from "../model/policy.ts";
import { type Address, addressFamily, type Family, formatAddress } from "../net/address.ts";
import { type CidrBlock, cidrRange, parseCidr } from "../net/cidr.ts";
import { type AddressRange, subtractRanges } from "../net/range.ts";

const CANDIDATES: Readonly<Record<Family, readonly AddressRange[]>> = {
  4: [
    "10.244.0.0/16",
    "100.64.0.0/16",
    "172.31.0.0/16",
    "198.18.0.0/15",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "10.0.0.0/8",
  ].map(usableRange),
  6: ["fd00:10:244::/64", "fd12:3456:789a::/64", "fdff:ffff:ffff::/64"].map(usableRange),
};

/** The block without its first and last address. */
function usableRange(text: string): AddressRange {
  const { first, last } = cidrRange((parseCidr(text) as { block: CidrBlock }).block);
  return { first: first + 1n, last: last - 1n };
}

export interface AddressedPods {
  readonly pods: readonly Pod[];
  /** How many pods got addresses that are made up. */
  readonly madeUp: number;
}

/**
 * Gives every pod of `unborn` an IPv4 address, and an IPv6 one if the input uses IPv6 at all. Pods on the host network get
 * their node's addresses instead. Addresses that occur in the input, ipBlocks and networks (other than /0) are
 * avoided; excepts are avoided where there is room.
 */
export function giveAddresses(
  unborn: readonly Pod[],
  known: readonly Pod[],
  nodes: readonly Node[],
  policies: readonly Policy[],
): AddressedPods {
  const nodeAddresses = new Map(nodes.map((node) => [node.name, node.addresses]));
  const blocks = policies.flatMap(ipBlocksOf);
  const families: Family[] = usesIpv6(blocks, known) ? [4, 6] : [4];
  const taken = takenAddresses(known, nodes);
  const wanted = unborn.filter((pod) => !pod.hostNetwork).length;
  const spaces = families.map((family) => new AddressSpace(family, wanted, blocks, taken));
  let madeUp = 0;
  const pods = [...unborn]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map((pod): Pod => {
      const hostAddresses =
        (pod.nodeName === undefined ? undefined : nodeAddresses.get(pod.nodeName)) ?? pod.hostAddresses;
      if (pod.hostNetwork) return { ...pod, addresses: hostAddresses, hostAddresses };
      madeUp++;
      return { ...pod, addresses: spaces.map((space) => space.take(pod.key)), hostAddresses };
    });
  return { pods, madeUp };
}

function usesIpv6(blocks: readonly AddressBlock[], known: readonly Pod[]): boolean {
  if (blocks.some((block) => block.cidr.family === 6)) return true;
  return known.some((pod) => pod.addresses.some((address) => addressFamily(address) === 6));
}

function takenAddresses(known: readonly Pod[], nodes: readonly Node[]): Set<Address> {
  const taken = new Set<Address>();
  for (const pod of known) for (const address of [...pod.addresses, ...pod.hostAddresses]) taken.add(address);
  for (const node of nodes) for (const address of node.addresses) taken.add(address);
  return taken;
}

/** The free addresses of one family, as a row of numbered places: a key's hash chooses the place, the next free one is taken. */
class AddressSpace {
  readonly #family: Family;
  readonly #ranges: readonly AddressRange[];
  readonly #size: bigint;
  readonly #taken: Set<Address>;

  constructor(family: Family, wanted: number, blocks: readonly AddressBlock[], taken: Set<Address>) {
    this.#family = family;
    this.#ranges = chooseRanges(family, BigInt(wanted + taken.size), blocks);
    this.#size = sizeOf(this.#ranges);
    this.#taken = taken;
  }

  take(key: string): Address {
    let place = BigInt(fnv1a(key)) % this.#size;
    for (let tries = 0n; tries < this.#size; tries++) {
      const address = formatAddress(this.#family, this.#valueAt(place));
      if (!this.#taken.has(address)) {
        this.#taken.add(address);
        return address;
      }
      place = (place + 1n) % this.#size;
    }
    throw new Error(`no free IPv${this.#family} address is left for ${key}`);
  }

  #valueAt(place: bigint): bigint {
    let rest = place;
    for (const { first, last } of this.#ranges) {
      const size = last - first + 1n;
      if (rest < size) return first + rest;
      rest -= size;
    }
    throw new Error("place outside the address space");
  }
}

/** The first candidate that no block touches; else one with enough room beside the blocks; else one beside the cidrs only. */
function chooseRanges(family: Family, wanted: bigint, blocks: readonly AddressBlock[]): readonly AddressRange[] {
  const cidrs = blocks.map((block) => block.cidr).filter((cidr) => cidr.family === family && cidr.prefixLength > 0);
  const excepts = blocks.flatMap((block) => block.except).filter((cidr) => cidr.family === family);
  const holes = [...cidrs, ...excepts].map(cidrRange);
  // Half full at most, so that probing stays short.
  const room = 2n * wanted + 1n;
  const candidates = CANDIDATES[family];
  for (const candidate of candidates) {
    const free = subtractRanges([candidate], holes);
    if (sizeOf(free) === sizeOf([candidate]) && sizeOf(free) >= room) return free;
  }
  for (const avoided of [holes, cidrs.map(cidrRange), []]) {
    for (const candidate of candidates) {
      const free = subtractRanges([candidate], avoided);
      if (sizeOf(free) >= room) return free;
    }
  }
  return [candidates.at(-1) as AddressRange];
}

function sizeOf(ranges: readonly AddressRange[]): bigint {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}

/** FNV-1a, 32 bits, over UTF-16 units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
