// Rules in other engines' shapes as data: what becomes text for iptables or nft, and what the tracer walks. Owns the types and short
// constructors. One family and one chain at the forward hook: what else the engines load, forwarded packets do not meet.

import type { Address, Family } from "../../../src/net/address.ts";

export type Protocol = "tcp" | "udp";

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export type Match =
  | { readonly kind: "connection"; readonly states: readonly ("established" | "related" | "invalid")[] }
  | { readonly kind: "mark"; readonly mask: number; readonly value: number; readonly negated: boolean }
  | { readonly kind: "block"; readonly side: "src" | "dst"; readonly cidr: string }
  | { readonly kind: "set"; readonly side: "src" | "dst"; readonly name: string }
  | { readonly kind: "protocol"; readonly number: number }
  /** Also compares the protocol. */
  | { readonly kind: "port"; readonly protocol: Protocol; readonly port: number }
  /** Any of them; the protocol is compared before. */
  | { readonly kind: "ports"; readonly protocol: Protocol; readonly ranges: readonly PortRange[] }
  | { readonly kind: "icmp"; readonly type: string }
  /** `isPrefix`: every link whose name begins so. */
  | { readonly kind: "link"; readonly way: "in" | "out"; readonly name: string; readonly isPrefix: boolean }
  | { readonly kind: "from node" | "bridged" }
  /** 10 packets, then 10 a minute. */
  | { readonly kind: "limit" };

export type Action =
  | { readonly kind: "accept" | "drop" | "return" | "log" }
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  /** The mask's bits are cleared, then those of the value flipped. */
  | { readonly kind: "mark"; readonly mask: number; readonly value: number }
  /** The chain that the map has for the link; the next rule where it has none. */
  | { readonly kind: "goto by link"; readonly way: "in" | "out"; readonly map: string };

export interface PeerRule {
  readonly matches: readonly Match[];
  readonly actions: readonly Action[];
  /** Each is one more match for iptables. */
  readonly comments: number;
  /** Whether the engine's nft rule has a counter. */
  readonly isCounted: boolean;
  /** Which policy's rule it is, for people: no text of it is loaded. */
  readonly origin: string | undefined;
}

export interface PeerSet {
  readonly name: string;
  /** `blocks` may hold addresses, too: hash:net of ipset, an interval set of nft. */
  readonly kind: "addresses" | "blocks";
  readonly elements: readonly string[];
  /** Blocks within the elements that are not in the set; ipset only. */
  readonly excepts: readonly string[];
}

export interface LinkMap {
  readonly name: string;
  readonly chains: ReadonlyMap<string, string>;
}

export interface PeerRuleset {
  readonly family: Family;
  /** The chain at the forward hook: all others are reached from it. */
  readonly base: string;
  readonly chains: ReadonlyMap<string, readonly PeerRule[]>;
  readonly sets: readonly PeerSet[];
  readonly maps: readonly LinkMap[];
  /** The node's end of each pod's link, where rules ask for it. */
  readonly links: ReadonlyMap<Address, string>;
  /** Whether packets from pod to pod cross a bridge. */
  readonly isBridged: boolean;
}

/** Counted; what else the engine gives such rules is named. */
export function rule(
  matches: readonly Match[],
  actions: Action | readonly Action[],
  { comments = 0, isCounted = true, origin }: Partial<Pick<PeerRule, "comments" | "isCounted" | "origin">> = {},
): PeerRule {
  return { matches, actions: "kind" in actions ? [actions] : actions, comments, isCounted, origin };
}

export const ACCEPT: Action = { kind: "accept" };
export const DROP: Action = { kind: "drop" };
export const RETURN: Action = { kind: "return" };
export const LOG: Action = { kind: "log" };
export const KNOWN: Match = { kind: "connection", states: ["related", "established"] };
export const INVALID: Match = { kind: "connection", states: ["invalid"] };

export function jump(chain: string): Action {
  return { kind: "jump", chain };
}

export function goto(chain: string): Action {
  return { kind: "goto", chain };
}

export function setMark(bits: number): Action {
  return { kind: "mark", mask: bits, value: bits };
}

export function clearMark(bits: number): Action {
  return { kind: "mark", mask: bits, value: 0 };
}

/** Whether all of the bits are set. */
export function marked(bits: number): Match {
  return { kind: "mark", mask: bits, value: bits, negated: false };
}

/** Whether none of the bits is set. */
export function unmarked(bits: number): Match {
  return { kind: "mark", mask: bits, value: 0, negated: false };
}

/** Whether any of the bits is set. */
export function markedAny(bits: number): Match {
  return { kind: "mark", mask: bits, value: 0, negated: true };
}

export function from(address: Address): Match {
  return { kind: "block", side: "src", cidr: hostBlock(address) };
}

export function to(address: Address): Match {
  return { kind: "block", side: "dst", cidr: hostBlock(address) };
}

export function inSet(side: "src" | "dst", name: string): Match {
  return { kind: "set", side, name };
}

function hostBlock(address: Address): string {
  return `${address}/${address.includes(":") ? 128 : 32}`;
}
