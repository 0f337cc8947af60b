// This node's own addresses, as rtnetlink tells them (linux/if_addr.h): of every interface, also of those that are down or
// without carrier, since the kernel answers and speaks from these as well. Owns the question and its answer.

import type { Address } from "../net/address.ts";
import { AF_INET, AF_INET6, keyToAddress, readAddressKey } from "./address-bytes.ts";
import { dump, type WriteRequest } from "./conversation.ts";
import { readIpAddresses } from "./ip-output.ts";
import { expectPayload, forEachAttribute, type NetlinkMessage } from "./message-reader.ts";
import { NetlinkError } from "./netlink-error.ts";
import { NETLINK_ROUTE } from "./netlink-socket.ts";
import { findRouteSource, type RouteSource, runIp } from "./route-source.ts";

const RTM_GETADDR = 22;
const RTM_NEWADDR = 20;
const IFADDRMSG_BYTES = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;

/**
 * Every address of this network namespace; undefined when neither netlink nor the program ip is there. Throws
 * NetlinkError. Cost: one request.
 */
export async function listLocalAddresses(source?: RouteSource): Promise<ReadonlySet<Address> | undefined> {
  const asked = source ?? (await findRouteSource());
  if (asked.kind === "netlink") return new Set(await dump(asked.open, NETLINK_ROUTE, requestAddresses, readAddress));
  const result = await runIp(asked.program, ["-j", "address", "show"]);
  if (result === undefined) return undefined;
  if (result.code !== 0)
    throw new NetlinkError("refused", `ip address ended with ${result.code}: ${result.stderr.trim()}`);
  return new Set(readIpAddresses(result.stdout));
}

/** struct ifaddrmsg of no family: all of them. */
const requestAddresses: WriteRequest = (writer, flags, sequence) =>
  writer.message({ type: RTM_GETADDR, flags, sequence }, Buffer.alloc(IFADDRMSG_BYTES));

/** undefined: of another family than IP. Throws NetlinkError `malformed`. */
function readAddress({ type, bytes, start, end }: NetlinkMessage): Address | undefined {
  if (type !== RTM_NEWADDR) throw new NetlinkError("malformed", `message ${type} where an address is expected`);
  const family = bytes.readUInt8(expectPayload(start, end, IFADDRMSG_BYTES));
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  let local: Address | undefined;
  let address: Address | undefined;
  forEachAttribute(bytes, start + IFADDRMSG_BYTES, end, (attribute, from, to) => {
    if (attribute === IFA_LOCAL) local = keyToAddress(readAddressKey(bytes, from, to));
    else if (attribute === IFA_ADDRESS) address = keyToAddress(readAddressKey(bytes, from, to));
  });
  // Where both are there the other one is the peer's, at the far end of a tunnel.
  const own = local ?? address;
  if (own === undefined) throw new NetlinkError("malformed", "an interface's address is not told");
  return own;
}
