// ICMP errors as bytes, both families: one that quotes a UDP packet, and what one that came quotes. Pure.

import { ICMP, ICMPV6 } from "../../src/model/flow.ts";
import type { Address, Family } from "../../src/net/address.ts";
import { addressToBytes } from "../../src/netlink/address-bytes.ts";

export const ICMP_PROTOCOL: Readonly<Record<Family, number>> = { 4: ICMP, 6: ICMPV6 };

export type IcmpError = "port unreachable" | "too big";

const TYPES: Readonly<Record<IcmpError, Readonly<Record<Family, readonly [type: number, code: number]>>>> = {
  "port unreachable": { 4: [3, 3], 6: [1, 4] },
  "too big": { 4: [3, 4], 6: [2, 0] },
};
const HEADER_BYTES = 8;
const UDP = 17;

export interface QuotedUdp {
  readonly source: Address;
  readonly destination: Address;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** From the ICMP header on. The kernel writes ICMPv6's checksum itself. */
export function encodeIcmpError(error: IcmpError, family: Family, quoted: QuotedUdp): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const [type, code] = TYPES[error][family];
  header.set([type, code]);
  // The size that fits: in these four bytes for IPv6, in the last two for IPv4.
  if (error === "too big") header.writeUInt32BE(1280, 4);
  const bytes = Buffer.concat([header, quotedIp(family, quoted), quotedUdp(quoted)]);
  if (family === 4) bytes.writeUInt16BE(checksum(bytes), 2);
  return bytes;
}

function quotedIp(family: Family, { source, destination }: QuotedUdp): Buffer {
  const bytes = Buffer.alloc(family === 4 ? 12 : 8);
  if (family === 4) {
    bytes[0] = 0x45;
    bytes.writeUInt16BE(20 + HEADER_BYTES, 2);
    bytes[8] = 64;
    bytes[9] = UDP;
  } else {
    bytes[0] = 0x60;
    bytes.writeUInt16BE(HEADER_BYTES, 4);
    bytes[6] = UDP;
    bytes[7] = 64;
  }
  const whole = Buffer.concat([bytes, addressToBytes(source), addressToBytes(destination)]);
  if (family === 4) whole.writeUInt16BE(checksum(whole), 10);
  return whole;
}

function quotedUdp({ sourcePort, destinationPort }: QuotedUdp): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt16BE(sourcePort, 0);
  bytes.writeUInt16BE(destinationPort, 2);
  bytes.writeUInt16BE(HEADER_BYTES, 4);
  return bytes;
}

/** RFC 1071, of an even number of bytes. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export interface IcmpArrival {
  readonly error: IcmpError;
  /** Of the quoted UDP packet. */
  readonly destinationPort: number;
}

/** What a raw socket got: with IPv4 the IP header comes first. undefined: something else. */
export function readIcmpError(family: Family, packet: Buffer): IcmpArrival | undefined {
  const bytes = family === 4 ? packet.subarray(((packet[0] as number) & 15) * 4) : packet;
  const names = Object.keys(TYPES) as IcmpError[];
  const error = names.find((name) => TYPES[name][family].every((value, index) => bytes[index] === value));
  const inner = bytes.subarray(HEADER_BYTES);
  const [ipBytes, protocolAt] = family === 4 ? [20, 9] : [40, 6];
  if (error === undefined || inner.length < ipBytes + 4 || inner[protocolAt] !== UDP) return undefined;
  return { error, destinationPort: inner.readUInt16BE(ipBytes + 2) };
}
