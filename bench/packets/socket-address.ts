// struct sockaddr_in and sockaddr_in6 as bytes.

import { type Address, addressFamily } from "../../src/net/address.ts";
import { addressToBytes, kernelFamily } from "../../src/netlink/address-bytes.ts";

/** Raw sockets have no port: 0. */
export function socketAddress(address: Address, port = 0): Buffer {
  const family = addressFamily(address);
  const bytes = Buffer.alloc(family === 4 ? 16 : 28);
  bytes.writeUInt16LE(kernelFamily(family), 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(addressToBytes(address), family === 4 ? 4 : 8);
  return bytes;
}
