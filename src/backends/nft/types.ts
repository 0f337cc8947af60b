// Data types of selectors, as nft names them, and their spelling in libnftables JSON.

import type { Field } from "./ruleset.ts";

export type DataType =
  | "ipv4_addr"
  | "ipv6_addr"
  | "inet_proto"
  | "inet_service"
  | "icmpv6_type"
  | "tcp_flag"
  | "ct_state"
  | "ct_status"
  | "nf_proto"
  | "fib_addrtype";

const DATA_TYPES: Readonly<Record<Field, DataType>> = {
  "ip saddr": "ipv4_addr",
  "ip daddr": "ipv4_addr",
  "ip6 saddr": "ipv6_addr",
  "ip6 daddr": "ipv6_addr",
  "tcp dport": "inet_service",
  "udp dport": "inet_service",
  "udp sport": "inet_service",
  "sctp dport": "inet_service",
  "th dport": "inet_service",
  "tcp flags": "tcp_flag",
  "icmpv6 type": "icmpv6_type",
  "meta l4proto": "inet_proto",
  "meta nfproto": "nf_proto",
  "ct state": "ct_state",
  "ct status": "ct_status",
  "fib saddr type": "fib_addrtype",
};

/** `typeof ip saddr` and `type ipv4_addr` declare the same set in the kernel. */
export function dataType(field: Field): DataType {
  return DATA_TYPES[field];
}

const FIELD_OF_TYPE: Readonly<Record<string, Field>> = {
  ipv4_addr: "ip saddr",
  ipv6_addr: "ip6 saddr",
  inet_proto: "meta l4proto",
  inet_service: "th dport",
};

/** Some selector of that type; undefined for types that our sets do not use. */
export function fieldOfType(type: string): Field | undefined {
  return Object.hasOwn(FIELD_OF_TYPE, type) ? FIELD_OF_TYPE[type] : undefined;
}

/** libnftables-json(5) expression of a selector. */
export function fieldToJson(field: Field): unknown {
  if (field === "fib saddr type") return { fib: { result: "type", flags: ["saddr"] } };
  const [family, name] = field.split(" ") as [string, string];
  if (family === "meta" || family === "ct") return { [family]: { key: name } };
  return { payload: { protocol: family, field: name } };
}

/** The selector behind a libnftables-json(5) expression; undefined for one that our rules do not use. */
export function fieldFromJson(json: unknown): Field | undefined {
  const text = selectorText(json);
  return text !== undefined && Object.hasOwn(DATA_TYPES, text) ? (text as Field) : undefined;
}

function selectorText(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const expression = json as Record<string, Record<string, unknown>>;
  if (expression.payload !== undefined) return `${expression.payload.protocol} ${expression.payload.field}`;
  if (expression.meta !== undefined) return `meta ${expression.meta.key}`;
  if (expression.ct !== undefined) return `ct ${expression.ct.key}`;
  const fib = expression.fib;
  if (fib !== undefined && fib.result === "type") {
    const flags = Array.isArray(fib.flags) ? fib.flags : [fib.flags];
    return flags.length === 1 ? `fib ${flags[0]} type` : undefined;
  }
  return undefined;
}
