// IP addresses: parsing exactly as the Kubernetes API server does, canonical text, numeric value.
// The API server's parser (k8s.io/utils/net ParseIPSloppy, a fork of Go 1.16's net.ParseIP) reads IPv4 octets
// with leading zeros as decimal and IPv4-mapped IPv6 addresses as IPv4; it refuses zones.

export type Family = 4 | 6;
export const FAMILIES: readonly Family[] = [4, 6];

/** Canonical text of an address: dotted decimal, or RFC 5952 for IPv6. Equal addresses are equal strings. */
export type Address = string & { readonly __address: unique symbol };

export interface ParsedAddress {
  readonly address: Address;
  readonly family: Family;
  readonly value: bigint;
  /** Spellings that parsers disagree on (CVE-2021-29923); accepted as the API server does, worth a warning. */
  readonly unusual?: "leading zeros" | "IPv4-mapped IPv6";
}

const MAX_VALUE: Readonly<Record<Family, bigint>> = { 4: (1n << 32n) - 1n, 6: (1n << 128n) - 1n };

export function addressBits(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** The highest address of a family as a number. */
export function maxAddressValue(family: Family): bigint {
  return MAX_VALUE[family];
}

export function addressFamily(address: Address): Family {
  return address.includes(":") ? 6 : 4;
}

/** The address as a number: 0 .. 2^32-1 or 2^128-1. */
export function addressValue(address: Address): bigint {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`not a canonical address: ${JSON.stringify(address)}`);
  return parsed.value;
}

/** The address, or undefined when the API server would refuse the text. */
export function parseAddress(text: string): ParsedAddress | undefined {
  if (text.includes(":")) {
    const value = parseIpv6(text);
    if (value === undefined) return undefined;
    if (value >> 32n === 0xffffn) {
      const mapped = value & MAX_VALUE[4];
      return { address: formatAddress(4, mapped), family: 4, value: mapped, unusual: "IPv4-mapped IPv6" };
    }
    return { address: formatAddress(6, value), family: 6, value };
  }
  const value = parseIpv4(text);
  if (value === undefined) return undefined;
  const address = formatAddress(4, value);
  return address === text ? { address, family: 4, value } : { address, family: 4, value, unusual: "leading zeros" };
}

function parseIpv4(text: string): bigint | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  let value = 0;
  for (const octet of octets) {
    if (!/^\d+$/.test(octet)) return undefined;
    const number = Number(octet);
    if (number > 255) return undefined;
    value = value * 256 + number;
  }
  return BigInt(value);
}

/** Numeric value of IPv6 text, with an IPv4 tail where there is one. Groups have 1..4 digits; `::` stands for at least one group. */
export function parseIpv6(text: string): bigint | undefined {
  let body = text;
  const lastColon = body.lastIndexOf(":");
  if (body.includes(".")) {
    const tail = parseIpv4(body.slice(lastColon + 1));
    if (tail === undefined) return undefined;
    body = `${body.slice(0, lastColon + 1)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  }
  const halves = body.split("::");
  if (halves.length > 2) return undefined;
  const head = splitGroups(halves[0] as string);
  const rest = halves.length === 2 ? splitGroups(halves[1] as string) : [];
  if (head === undefined || rest === undefined) return undefined;
  const missing = 8 - head.length - rest.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let value = 0n;
  for (const group of [...head, ...new Array<string>(missing).fill("0"), ...rest]) {
    value = (value << 16n) | BigInt(`0x${group}`);
  }
  return value;
}

function splitGroups(text: string): string[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  return groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) ? groups : undefined;
}

/** Canonical text of a numeric address; RFC 5952 for IPv6 (longest run of zero groups shortened, the first of equals). */
export function formatAddress(family: Family, value: bigint): Address {
  if (family === 4) {
    const number = Number(value);
    return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}` as Address;
  }
  const groups: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((value >> shift) & 0xffffn));
  const run = longestZeroRun(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (run.length < 2) return hex(groups) as Address;
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}` as Address;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
    start += length;
  }
  return best;
}

/** Numeric order, IPv4 before IPv6: the canonical order of everything that lists addresses. */
export function compareAddresses(a: Address, b: Address): number {
  const familyA = addressFamily(a);
  const familyB = addressFamily(b);
  if (familyA !== familyB) return familyA - familyB;
  const valueA = addressValue(a);
  const valueB = addressValue(b);
  return valueA < valueB ? -1 : valueA > valueB ? 1 : 0;
}
