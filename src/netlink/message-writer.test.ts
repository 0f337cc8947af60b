import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectPayload, forEachAttribute, readMessages, readText } from "./message-reader.ts";
import { MessageWriter } from "./message-writer.ts";

function attributesOf(bytes: Buffer, start = 0, end = bytes.length): [number, string][] {
  const found: [number, string][] = [];
  forEachAttribute(bytes, start, end, (type, from, to) => found.push([type, bytes.toString("hex", from, to)]));
  return found;
}

describe("netlink messages", () => {
  it("have the bytes that linux/netlink.h says", () => {
    const writer = new MessageWriter();
    writer.message({ type: 0x0102, flags: 0x0305, sequence: 7 }, Uint8Array.of(2, 0, 0, 0), () => {
      writer.nested(1, () => writer.attribute(2, Uint8Array.of(0xaa)));
      writer.attributeBe16(3, 0x1234).attributeBe32(4, 0xfedcba98).attributeU32(5, 0xfedcba98);
    });
    const expected = [
      "38000000 0201 0503 07000000 00000000",
      "02000000",
      "0c00 0180 0500 0200 aa000000",
      "0600 0300 12340000",
      "0800 0400 fedcba98",
      "0800 0500 98badcfe",
    ];
    expect(writer.bytes().toString("hex")).toBe(expected.join("").replaceAll(" ", ""));
  });

  it("are read back as they were written, however many and however long", () => {
    const attribute = fc.tuple(fc.integer({ min: 0, max: 0x3fff }), fc.uint8Array({ maxLength: 3000 }));
    const message = fc.record({
      type: fc.integer({ min: 0, max: 0xffff }),
      flags: fc.integer({ min: 0, max: 0xffff }),
      sequence: fc.integer({ min: 0, max: 0xffffffff }),
      attributes: fc.array(attribute, { maxLength: 8 }),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
        const writer = new MessageWriter();
        for (const { attributes, ...header } of messages) {
          writer.message(header, new Uint8Array(), () => {
            for (const [type, payload] of attributes) writer.attribute(type, payload);
          });
        }
        const read = readMessages(writer.bytes()).map(({ type, flags, sequence, bytes, start, end }) => ({
          type,
          flags,
          sequence,
          attributes: attributesOf(bytes, start, end),
        }));
        const written = messages.map(({ attributes, ...header }) => ({
          ...header,
          attributes: attributes.map(([type, payload]) => [type, Buffer.from(payload).toString("hex")]),
        }));
        expect(read).toEqual(written);
      }),
      { numRuns: 50 },
    );
  });

  it("cannot have an attribute that is too long for its length field", () => {
    expect(() => new MessageWriter().attribute(1, new Uint8Array(0x10000))).toThrow("65535");
  });

  it.each([
    ["a header that is cut off", "1000000002000000"],
    ["a length below the header's", "0800000002000000 0000000000000000"],
    ["a length beyond the datagram", "2000000002000000 0000000000000000"],
    ["a length of zero, which would never end", "0000000002000000 0000000000000000"],
  ])("are refused with %s", (_name, hex) => {
    const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
    expect(() => readMessages(bytes)).toThrow(expect.objectContaining({ name: "NetlinkError", kind: "malformed" }));
  });

  it.each([
    ["a length below four", "0300010000000000"],
    ["a length of zero, which would never end", "0000010000000000"],
    ["a length beyond the message", "0c00010000000000"],
  ])("are refused when an attribute has %s", (_name, hex) => {
    expect(() => attributesOf(Buffer.from(hex, "hex"))).toThrow(expect.objectContaining({ kind: "malformed" }));
  });

  it("lose the flags of attribute types when read", () => {
    expect(attributesOf(Buffer.from("04000180" + "04000240", "hex"))).toEqual([
      [1, ""],
      [2, ""],
    ]);
  });

  it("have payloads of at least the size that is needed", () => {
    expect(expectPayload(8, 12, 4)).toBe(8);
    expect(() => expectPayload(8, 11, 4)).toThrow(expect.objectContaining({ kind: "malformed" }));
  });

  it.each([
    ["with a zero byte at its end", "lo\0\0xx", 4, "lo"],
    ["without one inside its payload", "lo\0", 2, "lo"],
    ["without one at all", "veth", 4, "veth"],
  ])("have text %s", (_name, text, end, expected) => {
    expect(readText(Buffer.from(text), 0, end)).toBe(expected);
  });
});
