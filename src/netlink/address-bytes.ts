// Addresses as the kernel writes them: 4 or 16 bytes in network order. Owns both directions and keys that are quick to
// look up; what addresses mean and how their text looks is ../net's.

import { type Address, addressFamily, addressValue, type Family, formatAddress } from "../net/address.ts";
import { NetlinkError } from "./netlink-error.ts";

/** Equal for equal addresses of one family: the number of an IPv4 address, the bytes of an IPv6 one as a string. */
export type AddressKey = number | string;

export const AF_INET = 2;
export const AF_INET6 = 10;

export function kernelFamily(family: Family): number {
  return family === 4 ? AF_INET : AF_INET6;
}

export function addressToBytes(address: Address): Buffer {
  const isIpv4 = addressFamily(address) === 4;
  return Buffer.from(
    addressValue(address)
      .toString(16)
      .padStart(isIpv4 ? 8 : 32, "0"),
    "hex",
  );
}

/** The key of the address between two offsets. Throws NetlinkError `malformed` when it has neither length. */
export function readAddressKey(bytes: Buffer, start: number, end: number): AddressKey {
  if (end - start === 4) return bytes.readUInt32BE(start);
  if (end - start === 16) return bytes.toString("latin1", start, end);
  throw new NetlinkError("malformed", `an address of ${end - start} bytes`);
}

export function addressKey(address: Address): AddressKey {
  const bytes = addressToBytes(address);
  return readAddressKey(bytes, 0, bytes.length);
}

export function keyToAddress(key: AddressKey): Address {
  if (typeof key === "number") return formatAddress(4, BigInt(key));
  return formatAddress(6, BigInt(`0x${Buffer.from(key, "latin1").toString("hex")}`));
}

/** Texts of keys, each made once: tables repeat the same addresses, and IPv6 text is slow to make. */
export class AddressTexts {
  readonly #texts = new Map<AddressKey, Address>();

  text(key: AddressKey): Address {
    let text = this.#texts.get(key);
    if (text === undefined) {
      text = keyToAddress(key);
      this.#texts.set(key, text);
    }
    return text;
  }
}
