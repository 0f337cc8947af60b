// Collects the peers of many rules into one union of addresses of one family.

import type { Peer, PodQuery, Rule } from "../model/policy.ts";
import { ANY } from "../model/policy.ts";
import { type Family, maxAddressValue } from "../net/address.ts";
import { type CidrBlock, cidrRange } from "../net/cidr.ts";
import { type AddressRange, rangesToBlocks, subtractRanges, unionRanges } from "../net/range.ts";
import { canonicalQuery, queryKey } from "./pod-query.ts";

/** Peers of some rules, for one family, with the rules they come from. */
export interface AddressUnion {
  readonly any: boolean;
  /** By `queryKey`. */
  readonly queries: ReadonlyMap<string, PodQuery>;
  /** As `unionRanges` gives them. */
  readonly ranges: readonly AddressRange[];
  readonly origins: readonly string[];
}

/** What a rule's peers are for one family; excepts are subtracted per peer, another peer may allow the address again. */
export function unionOfRule(rule: Rule, family: Family, origin: string): AddressUnion {
  if (rule.peers === ANY) return { any: true, queries: new Map(), ranges: [], origins: [origin] };
  const queries = new Map<string, PodQuery>();
  const ranges: AddressRange[] = [];
  for (const peer of rule.peers) {
    if (peer.kind === "pods") {
      const query = canonicalQuery(peer.query);
      queries.set(queryKey(query), query);
    } else {
      ranges.push(...rangesOfBlock(peer, family));
    }
  }
  return simplify(family, { any: false, queries, ranges: unionRanges(ranges), origins: [origin] });
}

function rangesOfBlock(peer: Peer & { kind: "ipBlock" }, family: Family): AddressRange[] {
  if (peer.cidr.family !== family) return [];
  const holes = peer.except.filter((hole) => hole.family === family).map(cidrRange);
  return subtractRanges([cidrRange(peer.cidr)], holes);
}

export function mergeUnions(family: Family, unions: readonly AddressUnion[]): AddressUnion {
  const queries = new Map<string, PodQuery>();
  for (const union of unions) for (const [key, query] of union.queries) queries.set(key, query);
  return simplify(family, {
    any: unions.some((union) => union.any),
    queries,
    ranges: unionRanges(unions.flatMap((union) => union.ranges)),
    origins: [...new Set(unions.flatMap((union) => union.origins))].sort(),
  });
}

/** A union that covers the whole family matches any address: nothing else in it matters. */
function simplify(family: Family, union: AddressUnion): AddressUnion {
  const [only] = union.ranges;
  const covers = only !== undefined && only.first === 0n && only.last === maxAddressValue(family);
  return union.any || covers ? { any: true, queries: new Map(), ranges: [], origins: union.origins } : union;
}

/** Matches no address of the family. */
export function isEmptyUnion(union: AddressUnion): boolean {
  return !union.any && union.queries.size === 0 && union.ranges.length === 0;
}

/** Equal for unions of the same addresses by construction (origins aside). */
export function unionKey(union: AddressUnion): string {
  const ranges = union.ranges.map((range) => `${range.first}-${range.last}`);
  return JSON.stringify([union.any, [...union.queries.keys()].sort(), ranges]);
}

export function unionBlocks(family: Family, union: AddressUnion): CidrBlock[] {
  return rangesToBlocks(family, union.ranges);
}
