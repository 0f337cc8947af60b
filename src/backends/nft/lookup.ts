// Look-ups in sets and comparisons with words, as the kernel does them, on the tracer's packets.

import { type Address, formatAddress, parseAddress } from "../../net/address.ts";
import { cidrContains, parseCidr } from "../../net/cidr.ts";
import { Untraceable } from "../node-rules.ts";
import { type Packet, SCTP, TCP, UDP } from "../packet.ts";
import type { Expression, Field, NamedSet, VerdictMap } from "./ruleset.ts";
import { icmpv6TypeNumber, protocolNumberOf, protocolWord } from "./words.ts";

/** A part of a key: an address, a number, or words of which any may match (flags). */
export type KeyPart = Address | number | readonly string[];

/** The key that an expression takes from a packet; undefined when the packet has no such field: the rule does not match. */
export function keyOf(expression: Expression, packet: Packet): readonly KeyPart[] | undefined {
  if (expression.kind === "concat") {
    const parts: KeyPart[] = [];
    for (const field of expression.fields) {
      const part = fieldOf(field, packet);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return parts;
  }
  const part = fieldOf(expression.field, packet);
  if (part === undefined) return undefined;
  return [expression.kind === "masked" ? maskPart(part, expression.mask) : part];
}

function fieldOf(field: Field, packet: Packet): KeyPart | undefined {
  switch (field) {
    case "ip saddr":
      return packet.family === 4 ? packet.source : undefined;
    case "ip daddr":
      return packet.family === 4 ? packet.destination : undefined;
    case "ip6 saddr":
      return packet.family === 6 ? packet.source : undefined;
    case "ip6 daddr":
      return packet.family === 6 ? packet.destination : undefined;
    case "tcp dport":
      return packet.protocol === TCP ? packet.destinationPort : undefined;
    case "udp dport":
      return packet.protocol === UDP ? packet.destinationPort : undefined;
    case "udp sport":
      return packet.protocol === UDP ? packet.sourcePort : undefined;
    case "sctp dport":
      return packet.protocol === SCTP ? packet.destinationPort : undefined;
    // Reads bytes 2 and 3 of any transport header; our rules always ask for the protocol beside it.
    case "th dport":
      return packet.destinationPort ?? 0;
    case "tcp flags":
      return packet.protocol === TCP ? [...packet.tcpFlags] : undefined;
    case "icmpv6 type":
      return packet.icmpv6Type;
    case "meta l4proto":
      return packet.protocol;
    case "meta nfproto":
      return [packet.family === 4 ? "ipv4" : "ipv6"];
    case "ct state":
      return [packet.state];
    // Any packet may have come through a service: what that opens counts.
    case "ct status":
      return ["dnat"];
    case "fib saddr type":
      return [packet.sourceIsLocal ? "local" : "unicast"];
  }
}

function maskPart(part: KeyPart, mask: readonly string[]): KeyPart {
  if (typeof part === "object") return part.filter((word) => mask.includes(word));
  const [only] = mask;
  const address = typeof part === "string" ? parseAddress(part) : undefined;
  const bits = only === undefined ? undefined : parseAddress(only);
  if (address === undefined || bits === undefined || mask.length !== 1)
    throw new Untraceable(`mask ${mask.join(" | ")}`);
  return formatAddress(address.family, address.value & bits.value);
}

/** Whether a key equals one of the words, flags and prefixes and ranges included. */
export function matchesWords(left: Expression, key: readonly KeyPart[], words: readonly string[]): boolean {
  if (left.kind === "masked" && typeof key[0] === "object") return sameFlags(key[0], words);
  return words.some((word) => matchesElement(key, word));
}

function sameFlags(flags: readonly string[], words: readonly string[]): boolean {
  return flags.length === words.length && flags.every((flag) => words.includes(flag));
}

/** Whether one element, as written, covers the key. */
export function matchesElement(key: readonly KeyPart[], element: string): boolean {
  const words = element.split(" . ");
  return words.length === key.length && words.every((word, index) => matchesWord(key[index] as KeyPart, word));
}

function matchesWord(part: KeyPart, word: string): boolean {
  if (typeof part === "object") return part.includes(word);
  if (typeof part === "string") {
    if (!word.includes("/")) return part === parseAddress(word)?.address;
    const address = parseAddress(part);
    const cidr = parseCidr(word);
    if (address === undefined || cidr === undefined) throw new Untraceable(`word ${word}`);
    return cidrContains(cidr.block, address.family, address.value);
  }
  const range = /^(\d+)-(\d+)$/.exec(word);
  if (range !== null) return Number(range[1]) <= part && part <= Number(range[2]);
  const number = protocolNumberOf(word) ?? icmpv6TypeNumber(word);
  if (number === undefined) throw new Untraceable(`word ${word}`);
  return part === number;
}

/** The element of a set or map that covers the key, as it is written there. Hash look-up, or a walk for interval sets. */
export function findElement(set: NamedSet | VerdictMap, key: readonly KeyPart[]): string | undefined {
  const keys = set.kind === "map" ? set.elements.keys() : set.elements;
  if (set.interval) {
    for (const element of keys) if (matchesElement(key, element)) return element;
    return undefined;
  }
  const exact = key.map((part, index) => exactWord(part, set.key[index])).join(" . ");
  return set.elements.has(exact) ? exact : undefined;
}

function exactWord(part: KeyPart, field: Field | undefined): string {
  if (typeof part === "object") throw new Untraceable("flags in a set key");
  return field === "meta l4proto" && typeof part === "number" ? protocolWord(part) : String(part);
}
