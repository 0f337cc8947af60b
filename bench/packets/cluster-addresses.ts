// Which addresses the pods of the benchmark's cluster have. Owns the ranges: no two pods share an address, in either family.

import { type Address, addressFamily, addressValue, type Family, formatAddress } from "../../src/net/address.ts";
import type { BenchPolicies } from "./bench-cluster.ts";
import type { Ends } from "./variant.ts";

const PODS_OF_A_CROWD = 20;
/** A /10 and a /96: four million pods. */
const FIRST_OF_CROWDS: Readonly<Record<Family, Address>> = {
  4: "100.64.0.0" as Address,
  6: "fd00:10:100::" as Address,
};
/** Of a node's pods: the numbers of client and server are among them. */
const NEIGHBOUR_NUMBERS = { first: 2, last: 253 };

/** The rest of what a node's pods have in its block, which is a /24 or ends in zeros. */
export function neighbourAddresses({ client, server }: Ends): Address[] {
  const family = addressFamily(server);
  const block = addressValue(server) & ~0xffn;
  const { first, last } = NEIGHBOUR_NUMBERS;
  return Array.from({ length: last - first + 1 }, (_, index) =>
    formatAddress(family, block + BigInt(first + index)),
  ).filter((address) => address !== client && address !== server);
}

/** Pods of other nodes, of each crowd that some rule names. */
export function crowdAddresses(
  { adminRules = [], networkPolicies = [], podsOfCrowd = PODS_OF_A_CROWD }: BenchPolicies,
  { server }: Ends,
): ReadonlyMap<number, readonly Address[]> {
  const named = networkPolicies.flatMap(({ rules }) => rules.map(({ from }) => from));
  const crowds = [...adminRules.map(({ crowd }) => crowd), ...named.filter((from) => typeof from === "number")];
  const family = addressFamily(server);
  let next = addressValue(FIRST_OF_CROWDS[family]);
  return new Map(
    [...new Set(crowds)].map((crowd) => [
      crowd,
      Array.from({ length: podsOfCrowd }, () => formatAddress(family, next++)),
    ]),
  );
}
