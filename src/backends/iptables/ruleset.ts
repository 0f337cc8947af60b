// Our part of iptables and ipset as data: what is rendered, diffed, traced and read back. Owns the types only.
//
// iptables knows each family by itself: chains of the two never meet. Words are ours or numbers; nothing that comes from
// cluster objects can occur, save comments.

import type { Family } from "../../net/address.ts";
import type { CidrBlock } from "../../net/cidr.ts";

/** Upper-layer protocols that our rules name, as iptables-save writes them. */
export type Protocol = "tcp" | "udp" | "sctp" | "ipv6-icmp";

/** Inclusive. */
export interface Ports {
  readonly first: number;
  readonly last: number;
}

/** One condition. A rule's come in the order of `MATCH_ORDER`, at most one of each kind, save `set`. */
export type Match =
  | { readonly kind: "source" | "destination"; readonly block: CidrBlock }
  | { readonly kind: "protocol"; readonly protocol: Protocol }
  /** Of TCP (the rule's protocol): none of FIN, SYN, RST, ACK but SYN would begin a connection. */
  | { readonly kind: "not-first-packet" }
  /** One port or range: `--dport`; several: multiport. */
  | { readonly kind: "destination-ports"; readonly ports: readonly Ports[] }
  | { readonly kind: "source-port"; readonly port: number }
  | { readonly kind: "icmpv6-type"; readonly type: number }
  | { readonly kind: "connection-state"; readonly states: readonly ConnectionStateWord[] }
  /** The connection went through destination NAT. */
  | { readonly kind: "destination-nat" }
  /** The source is an address of this node. */
  | { readonly kind: "source-is-local" }
  /** `sides`: what of the packet makes the key. */
  | {
      readonly kind: "set";
      readonly set: string;
      readonly sides: readonly SetSide[];
      readonly negated: boolean;
    }
  /** Source and destination are one address. */
  | { readonly kind: "same-address" }
  | { readonly kind: "limit"; readonly perSecond: number; readonly burst: number };

export type ConnectionStateWord = "RELATED" | "ESTABLISHED";
export type SetSide = "src" | "dst";

/** Cheap ones first: in this order the kernel asks. */
export const MATCH_ORDER: readonly Match["kind"][] = [
  "source",
  "destination",
  "protocol",
  "not-first-packet",
  "source-port",
  "destination-ports",
  "icmpv6-type",
  "connection-state",
  "destination-nat",
  "set",
  "same-address",
  "source-is-local",
  "limit",
];

export type Target =
  | { readonly kind: "return" }
  | { readonly kind: "drop" }
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  | { readonly kind: "log"; readonly prefix: string; readonly group: number };

export interface Rule {
  readonly matches: readonly Match[];
  readonly target: Target;
  readonly comment: string | undefined;
}

/** A chain of ours, or a built-in one: then `rules` are our jump alone, which has to be its first rule. */
export interface Chain {
  readonly name: string;
  readonly rules: readonly Rule[];
}

export const BUILT_IN_CHAINS = ["FORWARD", "INPUT", "OUTPUT"] as const;
export type BuiltInChain = (typeof BUILT_IN_CHAINS)[number];

export function isBuiltIn(chain: string): chain is BuiltInChain {
  return (BUILT_IN_CHAINS as readonly string[]).includes(chain);
}

export type SetType = "hash:ip" | "hash:net" | "hash:ip,port";

export interface IpSet {
  readonly name: string;
  readonly type: SetType;
  readonly family: Family;
  /** Most elements that it may hold; the kernel refuses more. */
  readonly maxElements: number;
  readonly elements: SetContents;
}

/** Elements as ipset writes them: `10.0.0.1`, `10.0.0.0/8`, `10.0.0.1,tcp:80`; in no particular order. */
export interface SetContents extends Iterable<string> {
  readonly size: number;
  has(element: string): boolean;
}

export type ChainsOfFamily = ReadonlyMap<string, Chain>;

/** The table `filter` of both families, as far as it is ours, and our sets. Iteration order means nothing: renderers sort. */
export interface IptablesRuleset {
  readonly chains: Readonly<Record<Family, ChainsOfFamily>>;
  readonly sets: ReadonlyMap<string, IpSet>;
}

/** The chain that the rule leads to, if any. */
export function chainOfRule({ target }: Rule): string | undefined {
  return "chain" in target ? target.chain : undefined;
}

/** Sets that the rule looks up; some perhaps twice. */
export function setsOfRule({ matches }: Rule): string[] {
  return matches.flatMap((match) => (match.kind === "set" ? [match.set] : []));
}
