// Collects the peers of many rules into one union of addresses of one family.

import type { LabelSelector } from "../model/labels.ts";
import { type AddressBlock, ANY, addressBlocksOf, type PodQuery, type Rule } from "../model/policy.ts";
import { type Family, maxAddressValue } from "../net/address.ts";
import { type CidrBlock, cidrRange } from "../net/cidr.ts";
import { type AddressRange, rangesToBlocks, subtractRanges, unionRanges } from "../net/range.ts";
import { canonicalQuery, nodeSelectorKey, queryKey } from "./pod-query.ts";

/** Peers of some rules, for one family, with the rules they come from. */
export interface AddressUnion {
  readonly any: boolean;
  /** By `queryKey`. */
  readonly queries: ReadonlyMap<string, PodQuery>;
  /** By `nodeSelectorKey`. */
  readonly nodes: ReadonlyMap<string, LabelSelector>;
  /** As `unionRanges` gives them. */
  readonly ranges: readonly AddressRange[];
  readonly origins: readonly string[];
}

/** What a rule's peers are for one family; excepts are subtracted per peer, another peer may match the address again. */
export function unionOfRule(rule: Rule, family: Family, origin: string): AddressUnion {
  const queries = new Map<string, PodQuery>();
  const nodes = new Map<string, LabelSelector>();
  const ranges: AddressRange[] = [];
  for (const peer of rule.peers === ANY ? [] : rule.peers) {
    if (peer.kind === "pods") {
      const query = canonicalQuery(peer.query);
      queries.set(queryKey(query), query);
    } else if (peer.kind === "nodes") nodes.set(nodeSelectorKey(peer.selector), peer.selector);
    else for (const block of addressBlocksOf(peer)) ranges.push(...rangesOfBlock(block, family));
  }
  return simplify(family, { any: rule.peers === ANY, queries, nodes, ranges: unionRanges(ranges), origins: [origin] });
}

function rangesOfBlock({ cidr, except }: AddressBlock, family: Family): AddressRange[] {
  if (cidr.family !== family) return [];
  const holes = except.filter((hole) => hole.family === family).map(cidrRange);
  return subtractRanges([cidrRange(cidr)], holes);
}

export function mergeUnions(family: Family, unions: readonly AddressUnion[]): AddressUnion {
  const queries = new Map<string, PodQuery>();
  const nodes = new Map<string, LabelSelector>();
  for (const union of unions) {
    for (const [key, query] of union.queries) queries.set(key, query);
    for (const [key, selector] of union.nodes) nodes.set(key, selector);
  }
  return simplify(family, {
    any: unions.some((union) => union.any),
    queries,
    nodes,
    ranges: unionRanges(unions.flatMap((union) => union.ranges)),
    origins: [...new Set(unions.flatMap((union) => union.origins))].sort(),
  });
}

/** A union that covers the whole family matches any address: nothing else in it matters. */
function simplify(family: Family, union: AddressUnion): AddressUnion {
  const [only] = union.ranges;
  const covers = only !== undefined && only.first === 0n && only.last === maxAddressValue(family);
  return union.any || covers
    ? { any: true, queries: new Map(), nodes: new Map(), ranges: [], origins: union.origins }
    : union;
}

/** Matches no address of the family. */
export function isEmptyUnion(union: AddressUnion): boolean {
  return !union.any && union.queries.size + union.nodes.size === 0 && union.ranges.length === 0;
}

/** Equal for unions of the same addresses by construction (origins aside). */
export function unionKey(union: AddressUnion): string {
  const ranges = union.ranges.map((range) => `${range.first}-${range.last}`);
  return JSON.stringify([union.any, [...union.queries.keys(), ...union.nodes.keys()].sort(), ranges]);
}

export function unionBlocks(family: Family, union: AddressUnion): CidrBlock[] {
  return rangesToBlocks(family, union.ranges);
}
