// Probes as bytes: what is sent is recognised, its checksums are right, and nothing else is taken for a probe.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkProperty } from "../../test/support/property.ts";
import { ICMP, ICMPV6, PROTOCOL_NUMBER } from "../model/flow.ts";
import type { Address } from "../net/address.ts";
import { encodeProbe, type ProbePacket, probeNumber } from "./probe-packets.ts";

const { TCP, UDP, SCTP } = PROTOCOL_NUMBER;
const GRE = 47;
const IPV4 = { source: "10.0.0.1" as Address, destination: "10.0.0.2" as Address };
const IPV6 = { source: "fd00::1" as Address, destination: "2001:db8::ffff" as Address };

function packet(protocol: number, fields: Partial<ProbePacket> = {}): ProbePacket {
  return { number: 0x01020304, protocol, ...IPV4, sourcePort: 40_000, destinationPort: 8080, ...fields };
}

const KINDS: readonly (readonly [name: string, probe: ProbePacket])[] = [
  ["TCP over IPv4", packet(TCP)],
  ["TCP over IPv6", packet(TCP, IPV6)],
  ["UDP over IPv4", packet(UDP)],
  ["UDP over IPv6", packet(UDP, IPV6)],
  ["SCTP over IPv4", packet(SCTP)],
  ["SCTP over IPv6", packet(SCTP, IPV6)],
  ["ICMP", packet(ICMP, { destinationPort: undefined })],
  ["ICMPv6", packet(ICMPV6, { ...IPV6, destinationPort: undefined })],
  ["GRE over IPv4", packet(GRE, { destinationPort: undefined })],
  ["GRE over IPv6", packet(GRE, { ...IPV6, destinationPort: undefined })],
];

/** The sum of all 16-bit words, checksum included, is 0xffff where the checksum is right (RFC 1071). */
function wordSum(bytes: Buffer): number {
  let sum = 0n;
  for (let i = 0; i < bytes.length; i += 2) sum += BigInt(bytes[i] as number) * 256n + BigInt(bytes[i + 1] ?? 0);
  while (sum > 0xffffn) sum = (sum % 0x10000n) + sum / 0x10000n;
  return Number(sum);
}

/** Pseudo header (RFC 793, RFC 8200) and packet, written by hand for the addresses above. */
function withPseudoHeader(isIpv6: boolean, protocol: number, bytes: Buffer): Buffer {
  const length = bytes.length;
  const head = isIpv6
    ? `fd000000000000000000000000000001${"20010db800000000000000000000ffff"}${length.toString(16).padStart(8, "0")}000000${protocol.toString(16).padStart(2, "0")}`
    : `0a0000010a00000200${protocol.toString(16).padStart(2, "0")}${length.toString(16).padStart(4, "0")}`;
  return Buffer.concat([Buffer.from(head, "hex"), bytes]);
}

/** CRC32c as a division of polynomials, highest bit first: not how the program does it. */
function crc32c(bytes: Buffer): number {
  const reversed = (value: number, bits: number) =>
    Array.from({ length: bits }, (_, bit) => ((value >>> bit) & 1) * 2 ** (bits - 1 - bit)).reduce((a, b) => a + b, 0);
  let remainder = 0xffffffffn;
  for (const byte of bytes) {
    remainder ^= BigInt(reversed(byte, 8)) << 24n;
    for (let bit = 0; bit < 8; bit++) {
      remainder = remainder & 0x80000000n ? ((remainder << 1n) ^ 0x11edc6f41n) & 0xffffffffn : remainder << 1n;
    }
  }
  return (reversed(Number(remainder), 32) ^ 0xffffffff) >>> 0;
}

describe("a probe that arrives", () => {
  it.each(KINDS)("is recognised by its number: %s", (_, probe) => {
    expect(probeNumber(probe.protocol, encodeProbe(probe))).toBe(0x01020304);
  });

  it("keeps its number, whatever the numbers, ports and protocol", () => {
    const input = fc.record({
      kind: fc.constantFrom(...KINDS.map(([, probe]) => probe)),
      number: fc.integer({ min: 1, max: 0xffffffff }),
      sourcePort: fc.integer({ min: 1, max: 65535 }),
      port: fc.integer({ min: 0, max: 65535 }),
    });
    checkProperty(
      input,
      ({ kind, number, sourcePort, port }) => {
        const destinationPort = kind.destinationPort === undefined ? undefined : port;
        const bytes = encodeProbe({ ...kind, number, sourcePort, destinationPort });
        if (probeNumber(kind.protocol, bytes) !== number) throw new Error(`read ${probeNumber(kind.protocol, bytes)}`);
        if (destinationPort === undefined) return;
        if (bytes.readUInt16BE(0) !== sourcePort || bytes.readUInt16BE(2) !== port) throw new Error("other ports");
      },
      { runs: 500, print: (each) => JSON.stringify(each) },
    );
  });
});

describe("checksums", () => {
  it.each(KINDS.filter(([, { protocol }]) => protocol === TCP || protocol === UDP))(
    "hold with the pseudo header: %s",
    (_, probe) => {
      for (let number = 1; number < 3000; number += 7) {
        const bytes = encodeProbe({ ...probe, number, sourcePort: 10_000 + number });
        const isIpv6 = probe.source === IPV6.source;
        expect(wordSum(withPseudoHeader(isIpv6, probe.protocol, bytes))).toBe(0xffff);
      }
    },
  );

  it("of UDP are never 0, which would mean that there is none", () => {
    const fields = Array.from({ length: 65_536 }, (_, number) => encodeProbe(packet(UDP, { number })).readUInt16BE(6));
    expect(fields).not.toContain(0);
    // One of the numbers makes the sum 0: it is there, written as ones.
    expect(fields).toContain(0xffff);
  });

  it("of ICMP hold over the message", () => {
    expect(wordSum(encodeProbe(packet(ICMP, { destinationPort: undefined })))).toBe(0xffff);
  });

  it("of ICMPv6 are left to the kernel", () => {
    expect(encodeProbe(packet(ICMPV6, { ...IPV6, destinationPort: undefined })).readUInt16BE(2)).toBe(0);
  });

  it.each(KINDS.filter(([, { protocol }]) => protocol === SCTP))("are CRC32c: %s", (_, probe) => {
    // The check value of CRC32c's own definition.
    expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
    const bytes = encodeProbe(probe);
    const written = bytes.readUInt32LE(8);
    bytes.writeUInt32LE(0, 8);
    expect(written).toBe(crc32c(bytes));
  });
});

describe("packets as their protocols want them", () => {
  it("TCP: a SYN of 20 bytes without options", () => {
    const bytes = encodeProbe(packet(TCP));
    expect({ length: bytes.length, dataOffset: bytes[12], flags: bytes[13], sequence: bytes.readUInt32BE(4) }).toEqual({
      ...{ length: 20, dataOffset: 0x50, flags: 0x02 },
      sequence: 0x01020304,
    });
  });

  it("UDP: its own length", () => {
    const bytes = encodeProbe(packet(UDP));
    expect(bytes.readUInt16BE(4)).toBe(bytes.length);
  });

  it("SCTP: one INIT chunk, verification tag 0, streams and tag not 0", () => {
    const bytes = encodeProbe(packet(SCTP));
    expect({ tag: bytes.readUInt32BE(4), chunk: bytes[12], length: bytes.readUInt16BE(14) }).toEqual({
      ...{ tag: 0, chunk: 1 },
      length: bytes.length - 12,
    });
    expect(
      [bytes.readUInt32BE(16), bytes.readUInt16BE(24), bytes.readUInt16BE(26)].filter((each) => each === 0),
    ).toEqual([]);
  });

  it.each([
    ["ICMP", packet(ICMP, { destinationPort: undefined }), 8],
    ["ICMPv6", packet(ICMPV6, { ...IPV6, destinationPort: undefined }), 128],
  ])("%s: an echo request whose identifier is the source port", (_, probe, type) => {
    const bytes = encodeProbe(probe);
    expect([bytes[0], bytes[1], bytes.readUInt16BE(4)]).toEqual([type, 0, 40_000]);
  });

  it.each([TCP, UDP, SCTP])("protocol %d is refused without a port", (protocol) => {
    expect(() => encodeProbe(packet(protocol, { destinationPort: undefined }))).toThrow("needs one");
  });
});

describe("what is no probe", () => {
  const edited = (probe: ProbePacket, edit: (bytes: Buffer) => void) => {
    const bytes = encodeProbe(probe);
    edit(bytes);
    return bytes;
  };
  const flags = (value: number) => edited(packet(TCP), (bytes) => bytes.writeUInt8(value, 13));
  const chunk = (type: number) => edited(packet(SCTP), (bytes) => bytes.writeUInt8(type, 12));
  const type = (probe: ProbePacket, value: number) => edited(probe, (bytes) => bytes.writeUInt8(value, 0));
  const ping = packet(ICMP, { destinationPort: undefined });
  const ping6 = packet(ICMPV6, { ...IPV6, destinationPort: undefined });
  /** An ICMP error quotes the IP header and what follows. */
  const error = (type: number, quoted: Buffer) =>
    Buffer.concat([Buffer.from([type, 3, 0, 0, 0, 0, 0, 0]), Buffer.alloc(20), quoted]);

  it.each([
    ["a TCP RST", TCP, flags(0x04)],
    ["a TCP RST with ACK", TCP, flags(0x14)],
    ["a TCP SYN-ACK", TCP, flags(0x12)],
    ["a TCP ACK", TCP, flags(0x10)],
    ["a TCP FIN", TCP, flags(0x11)],
    ["an SCTP ABORT", SCTP, chunk(6)],
    ["an SCTP INIT ACK", SCTP, chunk(2)],
    ["an echo reply", ICMP, type(ping, 0)],
    ["an ICMPv6 echo reply", ICMPV6, type(ping6, 129)],
    ["port unreachable that quotes a probe", ICMP, error(3, encodeProbe(packet(UDP)))],
    ["ICMPv6 unreachable that quotes a probe", ICMPV6, error(1, encodeProbe(packet(UDP, IPV6)))],
    [
      "protocol unreachable that quotes a probe",
      ICMP,
      error(3, encodeProbe(packet(GRE, { destinationPort: undefined }))),
    ],
    ["neighbour solicitation", ICMPV6, Buffer.concat([Buffer.from([135, 0]), Buffer.alloc(22)])],
    ["a UDP datagram of somebody else", UDP, Buffer.concat([Buffer.alloc(8), Buffer.from("hello, world")])],
    ["another's GRE", GRE, Buffer.from("0000080045000054", "hex")],
    ["nothing", TCP, Buffer.alloc(0)],
  ])("%s", (_, protocol, bytes) => {
    expect(probeNumber(protocol, bytes)).toBeUndefined();
  });

  it.each(KINDS)("a packet that ends before its number does: %s", (_, probe) => {
    const bytes = encodeProbe(probe);
    // Of TCP and SCTP the number stands amid a header, of the others at the end.
    const whole = probe.protocol === SCTP ? 20 : probe.protocol === TCP ? 20 : bytes.length;
    for (let length = 0; length < whole; length++)
      expect(probeNumber(probe.protocol, bytes.subarray(0, length))).toBeUndefined();
  });

  it("random bytes of protocols that carry our mark", () => {
    checkProperty(
      fc.record({ protocol: fc.constantFrom(UDP, ICMP, ICMPV6, GRE, 0, 255), bytes: fc.uint8Array({ maxLength: 64 }) }),
      ({ protocol, bytes }) => {
        if (probeNumber(protocol, Buffer.from(bytes)) !== undefined) throw new Error("taken for a probe");
      },
      { runs: 2000, print: (each) => JSON.stringify(each) },
    );
  });

  it("a probe read as another protocol's", () => {
    for (const [, probe] of KINDS) {
      const others = [UDP, ICMP, ICMPV6].filter((each) => each !== probe.protocol);
      const wrong = others.filter((each) => probeNumber(each, encodeProbe(probe)) !== undefined);
      // UDP and echo carry the mark at the same place; the kernel never hands one to the other's socket.
      const isSameLayout = probe.protocol === ICMP || probe.protocol === ICMPV6;
      expect([probe.protocol, wrong]).toEqual([probe.protocol, isSameLayout ? [UDP] : []]);
    }
  });
});
