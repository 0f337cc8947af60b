// Set elements as the kernel keeps them: numbers in network order, each part of a concatenation padded to 4 bytes (a register of
// nf_tables, linux/netfilter/nf_tables.h NFT_REG32). Owns words to bytes; the messages they go into are not known here.

import { parseAddress } from "../../net/address.ts";
import type { SetKey } from "./transaction.ts";
import { type DataType, dataType } from "./types.ts";
import { protocolNumberOf } from "./words.ts";

export interface KeyBytes {
  readonly key: Uint8Array;
  /** The last key of an interval; undefined in sets of single keys. */
  readonly keyEnd: Uint8Array | undefined;
}

/** Data types of our sets' keys, and how many bytes their values have. */
const WIDTHS: Partial<Readonly<Record<DataType, number>>> = {
  ipv4_addr: 4,
  ipv6_addr: 16,
  inet_proto: 1,
  inet_service: 2,
};

/**
 * The element that `text` names in a set with that key. undefined: only nft can say, which holds for sets of intervals over one field (there
 * the kernel keeps ends as elements of their own), and for words that are not ours. Cost: a microsecond, for IPv6 some.
 */
export function keyBytes({ fields, interval }: SetKey, text: string): KeyBytes | undefined {
  const types = fields.map(dataType);
  const isConcatenated = types.length > 1;
  if (interval && !isConcatenated) return undefined;
  const words = isConcatenated ? text.split(" . ") : [text];
  if (words.length !== types.length) return undefined;
  const widths = types.map((type) => WIDTHS[type] ?? Number.NaN);
  const length = isConcatenated ? widths.reduce((sum, width) => sum + padded(width), 0) : (widths[0] ?? Number.NaN);
  if (Number.isNaN(length)) return undefined;
  const key = new Uint8Array(length);
  const keyEnd = interval ? new Uint8Array(length) : undefined;
  let at = 0;
  for (const [index, type] of types.entries()) {
    const width = widths[index] as number;
    const last = keyEnd?.subarray(at, at + width);
    if (!writeWord(type, words[index] as string, key.subarray(at, at + width), last)) return undefined;
    at += padded(width);
  }
  return { key, keyEnd };
}

function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}

/** False: not a value of this type, or an interval where a single one is needed. */
function writeWord(type: DataType, word: string, first: Uint8Array, last: Uint8Array | undefined): boolean {
  if (type === "ipv4_addr" || type === "ipv6_addr") return writeAddresses(word, first, last);
  const [from = "", to = from, ...rest] = word.split("-");
  const numberOf = type === "inet_proto" ? protocolNumberOf : decimal;
  const [low, high] = [numberOf(from), numberOf(to)];
  if (low === undefined || high === undefined || rest.length > 0 || low > high) return false;
  if (last === undefined && low !== high) return false;
  return writeNumber(low, first) && (last === undefined || writeNumber(high, last));
}

function decimal(word: string): number | undefined {
  return /^\d+$/.test(word) ? Number(word) : undefined;
}

function writeNumber(value: number, into: Uint8Array): boolean {
  let rest = value;
  for (let at = into.length - 1; at >= 0; at--) {
    into[at] = rest & 0xff;
    rest >>>= 8;
  }
  return rest === 0;
}

function writeAddresses(word: string, first: Uint8Array, last: Uint8Array | undefined): boolean {
  const [address = "", prefix, ...rest] = word.split("/");
  if (rest.length > 0 || !writeAddress(address, first)) return false;
  const bits = first.length * 8;
  const length = prefix === undefined ? bits : (decimal(prefix) ?? Number.NaN);
  if (!(length <= bits) || (last === undefined && length !== bits)) return false;
  if (last === undefined) return true;
  last.set(first);
  for (let bit = length; bit < bits; bit++) {
    const mask = 0x80 >> (bit & 7);
    // A prefix with host bits would not be what it says.
    if (((first[bit >> 3] as number) & mask) !== 0) return false;
    last[bit >> 3] = (last[bit >> 3] as number) | mask;
  }
  return true;
}

function writeAddress(text: string, into: Uint8Array): boolean {
  const parsed = parseAddress(text);
  if (parsed === undefined || parsed.unusual !== undefined || (parsed.family === 4) !== (into.length === 4))
    return false;
  if (parsed.family === 4) return writeNumber(Number(parsed.value), into);
  const view = new DataView(into.buffer, into.byteOffset, into.length);
  view.setBigUint64(0, parsed.value >> 64n);
  view.setBigUint64(8, parsed.value & 0xffff_ffff_ffff_ffffn);
  return true;
}
