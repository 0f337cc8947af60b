// CIDR blocks, parsed as the Kubernetes API server does (k8s.io/utils/net ParseCIDRSloppy).

import { type Address, addressBits, type Family, formatAddress, parseAddress, parseIpv6 } from "./address.ts";
import type { AddressRange } from "./range.ts";

/** A masked block. `text` is canonical: `10.0.0.0/8`, `2001:db8::/32`. */
export interface CidrBlock {
  readonly family: Family;
  /** Numeric value of the first address; host bits are zero. */
  readonly first: bigint;
  /** 0..32 or 0..128 */
  readonly prefixLength: number;
  readonly text: string;
}

/** Accepted spellings that deserve a warning. */
export type CidrRemark = "host bits set" | "leading zeros" | "IPv4-mapped IPv6";

export interface ParsedCidr {
  readonly block: CidrBlock;
  readonly remarks: readonly CidrRemark[];
}

/** The masked block, or undefined when the API server would refuse the text. */
export function parseCidr(text: string): ParsedCidr | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const lengthText = text.slice(slash + 1);
  if (!/^\d+$/.test(lengthText)) return undefined;
  let prefixLength = Number(lengthText);
  const addressText = text.slice(0, slash);
  const address = parseAddress(addressText);
  if (address === undefined) return undefined;
  const remarks: CidrRemark[] = [];
  if (address.unusual !== undefined) remarks.push(address.unusual);
  else if (String(prefixLength) !== lengthText) remarks.push("leading zeros");
  if (address.unusual === "IPv4-mapped IPv6") {
    if (prefixLength > 128) return undefined;
    if (prefixLength < 96) {
      const block = cidrBlock(6, parseIpv6(addressText) as bigint, prefixLength);
      return { block, remarks: [...remarks, "host bits set"] };
    }
    prefixLength -= 96;
  }
  if (prefixLength > addressBits(address.family)) return undefined;
  const block = cidrBlock(address.family, address.value, prefixLength);
  if (block.first !== address.value) remarks.push("host bits set");
  return { block, remarks };
}

/** The block of this length that holds the address: host bits are cleared. */
export function cidrBlock(family: Family, value: bigint, prefixLength: number): CidrBlock {
  const hostBits = BigInt(addressBits(family) - prefixLength);
  const first = (value >> hostBits) << hostBits;
  return { family, first, prefixLength, text: `${formatAddress(family, first)}/${prefixLength}` };
}

export function cidrRange(block: CidrBlock): AddressRange {
  const size = 1n << BigInt(addressBits(block.family) - block.prefixLength);
  return { first: block.first, last: block.first + size - 1n };
}

/** Whether the address lies in the block; a block never contains an address of the other family. */
export function cidrContains(block: CidrBlock, family: Family, value: bigint): boolean {
  if (block.family !== family) return false;
  const hostBits = BigInt(addressBits(family) - block.prefixLength);
  return value >> hostBits === block.first >> hostBits;
}

/** Whether `inner` lies in `outer` and is smaller: the API's rule for `except`. */
export function isStrictSubnet(inner: CidrBlock, outer: CidrBlock): boolean {
  return inner.prefixLength > outer.prefixLength && cidrContains(outer, inner.family, inner.first);
}

export function cidrOfAddress(address: Address): CidrBlock {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`not a canonical address: ${JSON.stringify(address)}`);
  return cidrBlock(parsed.family, parsed.value, addressBits(parsed.family));
}
