// Addresses and blocks as iptables and ipset write them: as the C library does, so that an IPv6 address may end in four decimal numbers.
// Unlike the API server's, an IPv4-mapped one stays what it is, an address of IPv6.

import { addressBits, type Family, parseAddress, parseIpv6 } from "../../net/address.ts";
import { type CidrBlock, cidrBlock } from "../../net/cidr.ts";

/** `10.0.0.1`, `10.0.0.0/8`, `::ffff:0.0.0.0/96`; undefined for anything else, masks that are no prefix included. */
export function writtenBlock(text: string): CidrBlock | undefined {
  const [address = "", length, ...rest] = text.split("/");
  const family: Family = address.includes(":") ? 6 : 4;
  const value = family === 6 ? parseIpv6(address) : parseAddress(address)?.value;
  const bits = addressBits(family);
  if (value === undefined || rest.length > 0) return undefined;
  if (length !== undefined && !(/^\d{1,3}$/.test(length) && Number(length) <= bits)) return undefined;
  return cidrBlock(family, value, length === undefined ? bits : Number(length));
}
