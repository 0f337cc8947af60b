import { describe, expect, it } from "vitest";
import type { Address } from "../net/address.ts";
import { AddressTexts, addressKey, addressToBytes, keyToAddress, readAddressKey } from "./address-bytes.ts";

describe("addresses as the kernel writes them", () => {
  it.each([
    ["0.0.0.0", "00000000"],
    ["10.1.2.3", "0a010203"],
    ["255.255.255.255", "ffffffff"],
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["fd00:1::2", "fd000001000000000000000000000002"],
    ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffffffffffffffffffffffffffffffff"],
  ])("%s is %s, there and back", (text, hex) => {
    const bytes = Buffer.from(hex, "hex");
    expect(addressToBytes(text as Address).toString("hex")).toBe(hex);
    expect(keyToAddress(readAddressKey(bytes, 0, bytes.length))).toBe(text);
    expect(addressKey(text as Address)).toBe(readAddressKey(bytes, 0, bytes.length));
  });

  it.each([0, 3, 5, 15])("of %d bytes do not exist", (length) => {
    expect(() => readAddressKey(Buffer.alloc(20), 0, length)).toThrow(expect.objectContaining({ kind: "malformed" }));
  });

  it("have the same text each time they are met", () => {
    const texts = new AddressTexts();
    const key = addressKey("fd00::1" as Address);
    expect([texts.text(key), texts.text(key), texts.text(1)]).toEqual(["fd00::1", "fd00::1", "0.0.0.1"]);
  });
});
