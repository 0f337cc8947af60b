// Where this node sends a packet to an address: the question of `ip route get`. Owns the question and its answer by
// rtnetlink (linux/rtnetlink.h); the same from the program ip is ip-output.ts.

import { type Address, addressFamily } from "../net/address.ts";
import { addressToBytes, kernelFamily, keyToAddress, readAddressKey } from "./address-bytes.ts";
import { ask, type WriteRequest } from "./conversation.ts";
import { readIpRoute } from "./ip-output.ts";
import { listLinks, readLink, requestLink } from "./links.ts";
import { expectPayload, forEachAttribute, type NetlinkMessage } from "./message-reader.ts";
import { NetlinkError } from "./netlink-error.ts";
import { NETLINK_ROUTE, type OpenNetlink } from "./netlink-socket.ts";
import { findRouteSource, type RouteSource, runIp } from "./route-source.ts";

export type Route =
  | {
      /** `local`: this node itself, whatever the interface says (mostly lo). */
      readonly type: "unicast" | "local" | "broadcast" | "multicast" | "anycast";
      readonly interfaceName: string;
      readonly interfaceIndex: number;
      /** The next router, of either family; undefined when the address is on the link. */
      readonly gateway: Address | undefined;
    }
  /** There is no way, or the node is told not to use it. */
  | { readonly type: "unreachable" | "prohibited" | "blackhole" };

const RTM_GETROUTE = 26;
const RTM_NEWROUTE = 24;
const RTMSG_BYTES = 12;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_VIA = 18;

const ROUTE_TYPES: ReadonlyMap<number, Route["type"]> = new Map([
  [1, "unicast"],
  [2, "local"],
  [3, "broadcast"],
  [4, "anycast"],
  [5, "multicast"],
  [6, "blackhole"],
  [7, "unreachable"],
  [8, "prohibited"],
]);

/** How the kernel refuses when a route says no. */
const REFUSALS: ReadonlyMap<string, Route["type"]> = new Map([
  ["ENETUNREACH", "unreachable"],
  ["EHOSTUNREACH", "unreachable"],
  ["EACCES", "prohibited"],
  ["EINVAL", "blackhole"],
]);

/**
 * The route that this node's own packets to the address take now; undefined when neither netlink nor the program ip is
 * there. Throws NetlinkError.
 */
export async function routeTo(address: Address, source?: RouteSource): Promise<Route | undefined> {
  const asked = source ?? (await findRouteSource());
  if (asked.kind === "netlink") return askKernel(asked.open, address);
  const result = await runIp(asked.program, ["-j", "route", "get", address]);
  if (result === undefined) return undefined;
  const answer = readIpRoute(result.stdout, result.stderr);
  if (typeof answer === "string") return { type: answer };
  const links = await listLinks(asked);
  const link = links?.find(({ name }) => name === answer.interfaceName);
  if (link === undefined)
    throw new NetlinkError("malformed", `a route through ${answer.interfaceName}, which is no link`);
  return { ...answer, interfaceIndex: link.index };
}

async function askKernel(open: OpenNetlink, address: Address): Promise<Route> {
  let answer: RouteAnswer | undefined;
  try {
    answer = await ask(open, NETLINK_ROUTE, requestRoute(address), readRoute);
  } catch (error) {
    const type = error instanceof NetlinkError ? REFUSALS.get(error.code ?? "") : undefined;
    if (type === undefined) throw error;
    answer = { type, interfaceIndex: undefined, gateway: undefined };
  }
  if (answer === undefined) throw new NetlinkError("malformed", `the kernel named no route to ${address}`);
  const { type, interfaceIndex, gateway } = answer;
  if (type === "unreachable" || type === "prohibited" || type === "blackhole") return { type };
  if (interfaceIndex === undefined) throw new NetlinkError("malformed", `a route to ${address} without an interface`);
  const link = await ask(open, NETLINK_ROUTE, requestLink(interfaceIndex), readLink);
  if (link === undefined) throw new NetlinkError("malformed", `the kernel did not name link ${interfaceIndex}`);
  return { type, interfaceName: link.name, interfaceIndex, gateway };
}

interface RouteAnswer {
  readonly type: Route["type"];
  readonly interfaceIndex: number | undefined;
  readonly gateway: Address | undefined;
}

function requestRoute(address: Address): WriteRequest {
  const bytes = addressToBytes(address);
  const header = Buffer.alloc(RTMSG_BYTES);
  header.writeUInt8(kernelFamily(addressFamily(address)), 0);
  header.writeUInt8(bytes.length * 8, 1);
  return (writer, flags, sequence) =>
    writer.message({ type: RTM_GETROUTE, flags, sequence }, header, () => writer.attribute(RTA_DST, bytes));
}

function readRoute({ type, bytes, start, end }: NetlinkMessage): RouteAnswer {
  if (type !== RTM_NEWROUTE) throw new NetlinkError("malformed", `message ${type} where a route is expected`);
  const typeNumber = bytes.readUInt8(expectPayload(start, end, RTMSG_BYTES) + 7);
  const routeType = ROUTE_TYPES.get(typeNumber);
  if (routeType === undefined) throw new NetlinkError("malformed", `a route of the unknown type ${typeNumber}`);
  let interfaceIndex: number | undefined;
  let gateway: Address | undefined;
  forEachAttribute(bytes, start + RTMSG_BYTES, end, (attribute, from, to) => {
    if (attribute === RTA_OIF) interfaceIndex = bytes.readInt32LE(expectPayload(from, to, 4));
    else if (attribute === RTA_GATEWAY) gateway = keyToAddress(readAddressKey(bytes, from, to));
    // struct rtvia: the family in front of the address, whose length says it too.
    else if (attribute === RTA_VIA) gateway = keyToAddress(readAddressKey(bytes, from + 2, to));
  });
  return { type: routeType, interfaceIndex, gateway };
}
