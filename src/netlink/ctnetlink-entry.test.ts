import { describe, expect, it } from "vitest";
import type { Address } from "../net/address.ts";
import { AddressTexts, addressKey } from "./address-bytes.ts";
import { readConnection } from "./ctnetlink-entry.ts";
import type { NetlinkMessage } from "./message-reader.ts";
import { MessageWriter } from "./message-writer.ts";

/** What Linux 6.18 said of an IPv4 ping (id 77, code 0) and of a translated UDP connection over IPv6 in zone 7. */
const PING = [
  "02000000",
  "3c000180 14000180 080001000a000001 080002000a000002 24000280 0500010001000000 06000400004d0000 0500050008000000 0500060000000000",
  "3c000280 14000180 080001000a000002 080002000a000001 24000280 0500010001000000 06000400004d0000 0500050000000000 0500060000000000",
  "08000300 00000188 08000700 00000063 08000c00 9e787371",
].join("");
const UDP6 = [
  "0a000000",
  "4c000180 2c000180 14000300fd000001000000000000000000000002 14000400fd000096000000000000000000000001 1c000280 0500010011000000 060002000bb80000 0600030000350000",
  "4c000280 2c000180 14000300fd000002000000000000000000000002 14000400fd000001000000000000000000000002 1c000280 0500010011000000 0600020014e90000 060003000bb80000",
  "08000c00 00000007 0600120000070000",
].join("");

function message(hex: string): NetlinkMessage {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  return { type: 0x100, flags: 2, sequence: 1, port: 0, bytes, start: 0, end: bytes.length };
}

const read = (hex: string, wanted?: readonly string[]) =>
  readConnection(
    message(hex),
    new AddressTexts(),
    wanted && new Set(wanted.map((text) => addressKey(text as Address))),
  );

describe("a ctnetlink entry", () => {
  it("of ICMP has a type, no ports, and what names it to the kernel", () => {
    const connection = read(PING);
    expect(connection).toMatchObject({
      family: 4,
      protocol: 1,
      original: { source: "10.0.0.1", destination: "10.0.0.2", sourcePort: 0, destinationPort: 0 },
      reply: { source: "10.0.0.2", destination: "10.0.0.1", sourcePort: 0, destinationPort: 0 },
      icmpType: 8,
      handle: { id: 0x9e787371, zone: undefined },
    });
    expect(Buffer.from(connection?.handle.tuple ?? []).toString("hex")).toBe(
      PING.replaceAll(" ", "").slice(16, 16 + 2 * 56),
    );
  });

  it("of a translated connection has both ends of the translation, and its zone", () => {
    expect(read(UDP6)).toMatchObject({
      family: 6,
      protocol: 17,
      original: { source: "fd00:1::2", destination: "fd00:96::1", sourcePort: 3000, destinationPort: 53 },
      reply: { source: "fd00:2::2", destination: "fd00:1::2", sourcePort: 5353, destinationPort: 3000 },
      icmpType: undefined,
      handle: { id: 7, zone: 7 },
    });
  });

  it("keeps what names it when the datagram's buffer is used again", () => {
    const reused = message(PING);
    const connection = readConnection(reused, new AddressTexts(), undefined);
    const before = Buffer.from(connection?.handle.tuple ?? []).toString("hex");
    reused.bytes.fill(0xff);
    expect(Buffer.from(connection?.handle.tuple ?? []).toString("hex")).toBe(before);
  });

  it.each([
    ["the client", PING, ["10.0.0.1"], true],
    ["the server", PING, ["10.0.0.9", "10.0.0.2"], true],
    ["somebody else", PING, ["10.0.0.9"], false],
    ["nobody", PING, [], false],
    ["the client, IPv6", UDP6, ["fd00:1::2"], true],
    ["the server behind the translation", UDP6, ["fd00:2::2"], true],
    ["the address that was translated away", UDP6, ["fd00:96::1"], false],
  ] as const)("is wanted or not when %s is asked for", (_name, hex, wanted, expected) => {
    expect(read(hex, wanted) !== undefined).toBe(expected);
  });

  it.each([
    ["no family", "0200"],
    ["a family that is not IP", `07000000${PING.slice(8)}`],
    ["no original tuple", PING.replace("3c000180", "3c003080")],
    ["no reply tuple", PING.replace("3c000280", "3c003080")],
    ["no id", PING.replace("08000c00", "08003000")],
    ["an id that is cut off", PING.replace("08000c00 9e787371", "06000c00 9e780000")],
    ["no source", PING.replace("080001000a000001", "080009000a000001")],
    ["no destination in the reply", PING.replace("080002000a000001", "080009000a000001")],
    ["an address of a strange length", PING.replace("080001000a000001", "060001000a000000")],
  ])("is an error with %s: it would be a connection that nobody judges", (_name, hex) => {
    expect(() => read(hex)).toThrow(expect.objectContaining({ name: "NetlinkError", kind: "malformed" }));
  });

  it("may have attributes that are not known here", () => {
    const writer = new MessageWriter().attribute(200, Uint8Array.of(1, 2, 3)).nested(201, () => {});
    expect(read(PING + writer.bytes().toString("hex"))).toEqual(read(PING));
  });
});
