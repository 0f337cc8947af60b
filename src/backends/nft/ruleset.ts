// An nft table as data: what is rendered to text and JSON, diffed, traced and read back. Owns the types only.
//
// Values are kept as canonical nft words: `10.0.0.1`, `10.0.0.0/8`, `80`, `80-90`, `tcp`; the parts of a concatenation
// are joined by " . ". Only words that this project makes can occur: nothing that comes from cluster objects, save comments.

import type { Hook } from "../packet.ts";

export const TABLE = "nftpol";

/** Selectors that our rules use. */
export type Field =
  | "ip saddr"
  | "ip daddr"
  | "ip6 saddr"
  | "ip6 daddr"
  | "tcp dport"
  | "udp dport"
  | "udp sport"
  | "sctp dport"
  | "th dport"
  | "tcp flags"
  | "icmpv6 type"
  | "meta l4proto"
  | "meta nfproto"
  | "ct state"
  | "ct status"
  | "fib saddr type";

export type Expression =
  | { readonly kind: "field"; readonly field: Field }
  /** `mask` is an address for addresses, a list of flag names for flags. */
  | { readonly kind: "masked"; readonly field: Field; readonly mask: readonly string[] }
  | { readonly kind: "concat"; readonly fields: readonly Field[] };

export type Verdict =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "jump" | "goto"; readonly chain: string };

export type Statement =
  | { readonly kind: "match"; readonly left: Expression; readonly operator: "==" | "!="; readonly right: MatchRight }
  | { readonly kind: "vmap"; readonly key: Expression; readonly map: VerdictLookup }
  | { readonly kind: "verdict"; readonly verdict: Verdict }
  | { readonly kind: "counter"; readonly name: string }
  | { readonly kind: "log"; readonly prefix: string; readonly group: number }
  | { readonly kind: "limit"; readonly perSecond: number; readonly burstPackets: number };

/** One value is compared, several are an anonymous set; flags (`ct state`) match when any of them is set. */
export type MatchRight =
  | { readonly kind: "values"; readonly values: readonly string[] }
  | { readonly kind: "set"; readonly name: string };

export type VerdictLookup =
  | { readonly kind: "map"; readonly name: string }
  | { readonly kind: "values"; readonly entries: readonly VerdictEntry[] };

export interface VerdictEntry {
  readonly element: string;
  readonly verdict: Verdict;
}

export interface Rule {
  readonly statements: readonly Statement[];
  readonly comment: string | undefined;
}

export interface Chain {
  readonly name: string;
  /** undefined: a regular chain, reached by jump or goto only. */
  readonly hook: { readonly name: Hook; readonly priority: number } | undefined;
  readonly comment: string | undefined;
  readonly rules: readonly Rule[];
}

interface NamedElements {
  readonly name: string;
  /** Declared by `typeof`, one field per part of the key. */
  readonly key: readonly Field[];
  /** Elements may be prefixes and ranges. */
  readonly interval: boolean;
  /** Most elements it may hold; undefined: no limit declared. */
  readonly size: number | undefined;
  readonly comment: string | undefined;
}

export interface NamedSet extends NamedElements {
  readonly kind: "set";
  readonly elements: SetContents;
}

export interface VerdictMap extends NamedElements {
  readonly kind: "map";
  readonly elements: ReadonlyMap<string, Verdict>;
}

/** Elements of a set, in no particular order. */
export interface SetContents extends Iterable<string> {
  readonly size: number;
  has(element: string): boolean;
}

/** One table of family inet. Iteration order of the maps means nothing: renderers sort. */
export interface Ruleset {
  readonly table: string;
  readonly counters: ReadonlySet<string>;
  readonly sets: ReadonlyMap<string, NamedSet | VerdictMap>;
  readonly chains: ReadonlyMap<string, Chain>;
}

export function formatVerdict(verdict: Verdict): string {
  return "chain" in verdict ? `${verdict.kind} ${verdict.chain}` : verdict.kind;
}

export function sameVerdict(a: Verdict | undefined, b: Verdict | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && formatVerdict(a) === formatVerdict(b));
}

/** Chains that a rule can go to by itself or through an anonymous map; named maps are data and not included. */
export function chainsOfRule(rule: Rule): string[] {
  const verdicts = rule.statements.flatMap((statement) => {
    if (statement.kind === "verdict") return [statement.verdict];
    return statement.kind === "vmap" && statement.map.kind === "values"
      ? statement.map.entries.map((entry) => entry.verdict)
      : [];
  });
  return verdicts.flatMap((verdict) => ("chain" in verdict ? [verdict.chain] : []));
}

/** Named sets and maps that a rule looks up. */
export function setsOfRule(rule: Rule): string[] {
  return rule.statements.flatMap((statement) => {
    if (statement.kind === "match" && statement.right.kind === "set") return [statement.right.name];
    return statement.kind === "vmap" && statement.map.kind === "map" ? [statement.map.name] : [];
  });
}
