// Packets that are recognised when they arrive: each carries a number. Pure: bytes to send and bytes that came.
//
// Sent on raw sockets, so the kernel needs no support for a protocol and nobody has to listen. The kernel writes the IP header.

import { ECHO_REQUEST, ICMP, ICMPV6, PROTOCOL_NUMBER } from "../model/flow.ts";
import { type Address, addressFamily } from "../net/address.ts";
import { addressToBytes } from "../netlink/address-bytes.ts";

export interface ProbePacket {
  /** 0 .. 2^32-1 */
  readonly number: number;
  /** IANA number. */
  readonly protocol: number;
  readonly source: Address;
  readonly destination: Address;
  readonly sourcePort: number;
  /** undefined: the protocol has no ports. */
  readonly destinationPort: number | undefined;
}

const { TCP, UDP, SCTP } = PROTOCOL_NUMBER;

const MAGIC = 0x6e667470;
const TCP_SYN = 0x02;
const SCTP_INIT = 1;
const TCP_HEADER_BYTES = 20;

/** From the transport header on. The first packet of a connection, where the protocol knows such a thing. */
export function encodeProbe(packet: ProbePacket): Buffer {
  switch (packet.protocol) {
    case TCP:
      return encodeTcp(packet);
    case UDP:
      return encodeUdp(packet);
    case SCTP:
      return encodeSctp(packet);
    case ICMP:
    case ICMPV6:
      return encodeEcho(packet);
    default:
      return signature(packet.number);
  }
}

/** The number of the probe that these bytes are, from the transport header on; undefined: something else, an answer for one. */
export function probeNumber(protocol: number, bytes: Buffer): number | undefined {
  switch (protocol) {
    case TCP:
      return bytes.length >= TCP_HEADER_BYTES && bytes[13] === TCP_SYN ? bytes.readUInt32BE(4) : undefined;
    case UDP:
      return readSignature(bytes, 8);
    case SCTP:
      return bytes.length >= 20 && bytes[12] === SCTP_INIT ? bytes.readUInt32BE(16) : undefined;
    case ICMP:
      return bytes[0] === ECHO_REQUEST[ICMP] ? readSignature(bytes, 8) : undefined;
    case ICMPV6:
      return bytes[0] === ECHO_REQUEST[ICMPV6] ? readSignature(bytes, 8) : undefined;
    default:
      return readSignature(bytes, 0);
  }
}

function signature(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(MAGIC, 0);
  bytes.writeUInt32BE(number, 4);
  return bytes;
}

function readSignature(bytes: Buffer, offset: number): number | undefined {
  return bytes.length >= offset + 8 && bytes.readUInt32BE(offset) === MAGIC
    ? bytes.readUInt32BE(offset + 4)
    : undefined;
}

/** A SYN whose sequence number is the probe's. */
function encodeTcp(packet: ProbePacket): Buffer {
  const bytes = Buffer.alloc(TCP_HEADER_BYTES);
  writePorts(bytes, packet);
  bytes.writeUInt32BE(packet.number, 4);
  bytes[12] = (TCP_HEADER_BYTES / 4) << 4;
  bytes[13] = TCP_SYN;
  bytes.writeUInt16BE(65535, 14);
  bytes.writeUInt16BE(internetChecksum(pseudoHeader(packet, TCP, bytes.length), bytes), 16);
  return bytes;
}

function encodeUdp(packet: ProbePacket): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(8), signature(packet.number)]);
  writePorts(bytes, packet);
  bytes.writeUInt16BE(bytes.length, 4);
  const checksum = internetChecksum(pseudoHeader(packet, UDP, bytes.length), bytes);
  // 0 would mean that there is none (RFC 768).
  bytes.writeUInt16BE(checksum === 0 ? 0xffff : checksum, 6);
  return bytes;
}

/** A packet with one INIT chunk (RFC 9260, 3.3.2) whose initiate tag is the probe's number, which must not be 0. */
function encodeSctp(packet: ProbePacket): Buffer {
  const bytes = Buffer.alloc(32);
  writePorts(bytes, packet);
  bytes[12] = SCTP_INIT;
  bytes.writeUInt16BE(20, 14);
  bytes.writeUInt32BE(packet.number, 16);
  bytes.writeUInt32BE(65536, 20);
  bytes.writeUInt16BE(1, 24);
  bytes.writeUInt16BE(1, 26);
  bytes.writeUInt32BE(packet.number, 28);
  bytes.writeUInt32LE(crc32c(bytes), 8);
  return bytes;
}

/** The kernel writes ICMPv6's checksum itself. */
function encodeEcho(packet: ProbePacket): Buffer {
  const family = addressFamily(packet.destination);
  const bytes = Buffer.concat([Buffer.alloc(8), signature(packet.number)]);
  bytes[0] = ECHO_REQUEST[family === 4 ? ICMP : ICMPV6];
  bytes.writeUInt16BE(packet.sourcePort, 4);
  bytes.writeUInt16BE(1, 6);
  if (family === 4) bytes.writeUInt16BE(internetChecksum(bytes), 2);
  return bytes;
}

function writePorts(bytes: Buffer, { sourcePort, destinationPort }: ProbePacket): void {
  if (destinationPort === undefined) throw new Error("a protocol with ports needs one");
  bytes.writeUInt16BE(sourcePort, 0);
  bytes.writeUInt16BE(destinationPort, 2);
}

function pseudoHeader({ source, destination }: ProbePacket, protocol: number, length: number): Buffer {
  const end = Buffer.alloc(8);
  end.writeUInt32BE(length, 0);
  end.writeUInt32BE(protocol, 4);
  return Buffer.concat([addressToBytes(source), addressToBytes(destination), end]);
}

/** RFC 1071, over parts of even length. */
function internetChecksum(...parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) for (let i = 0; i < part.length; i += 2) sum += part.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** CRC32c (RFC 9260, appendix A). */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
