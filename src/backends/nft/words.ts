// Words that nft uses for numbers, both ways. nft prints some numbers as words, depending on its version.

import type { ConnectionState } from "../packet.ts";

const ICMPV6_TYPES: Readonly<Record<string, number>> = {
  "destination-unreachable": 1,
  "packet-too-big": 2,
  "time-exceeded": 3,
  "parameter-problem": 4,
  "echo-request": 128,
  "echo-reply": 129,
  "mld-listener-query": 130,
  "mld-listener-report": 131,
  "mld-listener-done": 132,
  "mld-listener-reduction": 132,
  "nd-router-solicit": 133,
  "nd-router-advert": 134,
  "nd-neighbor-solicit": 135,
  "nd-neighbor-advert": 136,
  "nd-redirect": 137,
  "router-renumbering": 138,
  "ind-neighbor-solicit": 141,
  "ind-neighbor-advert": 142,
  "mld2-listener-report": 143,
};

const PROTOCOLS: Readonly<Record<string, number>> = {
  ip: 0,
  icmp: 1,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  "ipv6-icmp": 58,
  comp: 108,
  dccp: 33,
  sctp: 132,
  udplite: 136,
};

export const CT_STATES: readonly ConnectionState[] = ["invalid", "established", "related", "new", "untracked"];
export const TCP_FLAGS = ["fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"] as const;

/** `135` -> `nd-neighbor-solicit`; the number itself where nft has no word. */
export function icmpv6TypeWord(type: number): string {
  return Object.keys(ICMPV6_TYPES).find((word) => ICMPV6_TYPES[word] === type) ?? String(type);
}

/** The number behind a word or a number, or undefined. */
export function icmpv6TypeNumber(word: string): number | undefined {
  return numberOf(ICMPV6_TYPES, word);
}

/** The number behind a protocol word or a number, or undefined. */
export function protocolNumberOf(word: string): number | undefined {
  return numberOf(PROTOCOLS, word);
}

export function connectionStateNamed(word: string): ConnectionState | undefined {
  return CT_STATES.find((state) => state === word);
}

/** The word that nft writes for a protocol number; the number itself where it has none. */
export function protocolWord(protocol: number): string {
  return Object.keys(PROTOCOLS).find((word) => PROTOCOLS[word] === protocol) ?? String(protocol);
}

function numberOf(words: Readonly<Record<string, number>>, word: string): number | undefined {
  if (/^\d+$/.test(word)) return Number(word);
  return Object.hasOwn(words, word) ? words[word] : undefined;
}
