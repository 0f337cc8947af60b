// Addresses of the family that a pod lacks, so that rules of both families can be tried. Pure.

import type { Pod } from "../model/cluster.ts";
import { ipBlocksOf, type Policy } from "../model/policy.ts";
import { type Address, addressFamily, FAMILIES, type Family, formatAddress } from "../net/address.ts";
import { type CidrBlock, cidrRange, parseCidr } from "../net/cidr.ts";

/** Blocks of which the first that no policy names is taken: a made-up address should be in no ipBlock by accident. */
const BLOCKS: Readonly<Record<Family, readonly string[]>> = {
  4: ["10.245.0.0/16", "100.65.0.0/16", "172.30.0.0/16", "192.168.0.0/16"],
  6: ["fd00:10:245::/64", "fd12:3456:789b::/64", "fdff:ffff:fffe::/64"],
};

/** In order of the pods' keys; pods on the host network and finished ones stay as they are. */
export function withBothFamilies(pods: readonly Pod[], policies: Iterable<Policy>): Pod[] {
  const named = [...policies].flatMap(ipBlocksOf).flatMap(({ cidr, except }) => [cidr, ...except]);
  const taken = new Set(pods.flatMap(({ addresses }) => addresses));
  const next = { 4: firstOf(4, named), 6: firstOf(6, named) };
  const take = (family: Family): Address => {
    for (;;) {
      const address = formatAddress(family, ++next[family]);
      if (!taken.has(address)) return address;
    }
  };
  return [...pods]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map((pod) => {
      if (pod.hostNetwork || pod.finished) return pod;
      const missing = FAMILIES.filter((family) => !pod.addresses.some((each) => addressFamily(each) === family));
      return { ...pod, addresses: [...pod.addresses, ...missing.map(take)] };
    });
}

function firstOf(family: Family, named: readonly CidrBlock[]): bigint {
  const ranges = named.filter((block) => block.family === family && block.prefixLength > 0).map(cidrRange);
  const blocks = BLOCKS[family].map((text) => cidrRange((parseCidr(text) as { block: CidrBlock }).block));
  const free = blocks.find((block) => !ranges.some(({ first, last }) => first <= block.last && block.first <= last));
  return (free ?? (blocks[0] as { first: bigint })).first;
}
