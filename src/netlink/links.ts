// This node's network interfaces, as rtnetlink tells them (linux/if_link.h). Owns the question and its answer; the same
// from the program ip is ip-output.ts.

import { dump, type WriteRequest } from "./conversation.ts";
import { readIpLinks } from "./ip-output.ts";
import { expectPayload, forEachAttribute, type NetlinkMessage, readText } from "./message-reader.ts";
import { NetlinkError } from "./netlink-error.ts";
import { NETLINK_ROUTE } from "./netlink-socket.ts";
import { findRouteSource, type RouteSource, runIp } from "./route-source.ts";

export interface Link {
  readonly index: number;
  readonly name: string;
  /** As the kernel names its kinds: `veth`, `bridge`, `macvlan`, `ipvlan`, `vxlan`, `openvswitch`; undefined for devices. */
  readonly kind: string | undefined;
  /** Index of the bridge, bond or switch that it is a port of. */
  readonly masterIndex: number | undefined;
  /** Index of the link below (macvlan, vlan) or at the other end (veth). */
  readonly parentIndex: number | undefined;
  /** When the parent is in another network namespace: the kernel's number for that one here. Its index counts there. */
  readonly parentNetnsId: number | undefined;
  /** Set up by its administrator; says nothing about the cable. */
  readonly isUp: boolean;
  /** An XDP program sees packets before the network stack does. */
  readonly hasXdp: boolean;
}

const RTM_GETLINK = 18;
const RTM_NEWLINK = 16;
const IFINFOMSG_BYTES = 16;
const IFF_UP = 1;
const IFLA_IFNAME = 3;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_EXT_MASK = 29;
const IFLA_LINK_NETNSID = 37;
const IFLA_XDP = 43;
const IFLA_INFO_KIND = 1;
const IFLA_XDP_ATTACHED = 2;
const RTEXT_FILTER_SKIP_STATS = 8;

/**
 * Every interface of this network namespace; undefined when neither netlink nor the program ip is there. Throws
 * NetlinkError.
 */
export async function listLinks(source?: RouteSource): Promise<readonly Link[] | undefined> {
  const asked = source ?? (await findRouteSource());
  if (asked.kind === "netlink") return dump(asked.open, NETLINK_ROUTE, requestLinks, readLink);
  const result = await runIp(asked.program, ["-j", "-d", "link", "show"]);
  if (result === undefined) return undefined;
  if (result.code !== 0)
    throw new NetlinkError("refused", `ip link ended with ${result.code}: ${result.stderr.trim()}`);
  return readIpLinks(result.stdout);
}

const requestLinks: WriteRequest = (writer, flags, sequence) =>
  writer.message({ type: RTM_GETLINK, flags, sequence }, linkHeader(0), () => {
    writer.attributeU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  });

/** Asks for one link. */
export function requestLink(index: number): WriteRequest {
  return (writer, flags, sequence) =>
    writer.message({ type: RTM_GETLINK, flags, sequence }, linkHeader(index), () => {
      writer.attributeU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    });
}

/** struct ifinfomsg with nothing but an index. */
function linkHeader(index: number): Buffer {
  const header = Buffer.alloc(IFINFOMSG_BYTES);
  header.writeInt32LE(index, 4);
  return header;
}

/** Throws NetlinkError `malformed`. */
export function readLink({ type, bytes, start, end }: NetlinkMessage): Link {
  if (type !== RTM_NEWLINK) throw new NetlinkError("malformed", `message ${type} where a link is expected`);
  expectPayload(start, end, IFINFOMSG_BYTES);
  let name: string | undefined;
  let kind: string | undefined;
  let masterIndex: number | undefined;
  let parentIndex: number | undefined;
  let parentNetnsId: number | undefined;
  let hasXdp = false;
  const number = (from: number, to: number) => bytes.readInt32LE(expectPayload(from, to, 4));
  forEachAttribute(bytes, start + IFINFOMSG_BYTES, end, (attribute, from, to) => {
    switch (attribute) {
      case IFLA_IFNAME:
        name = readText(bytes, from, to);
        break;
      case IFLA_LINK:
        // 0 is said by tunnels without a link below.
        parentIndex = number(from, to) || undefined;
        break;
      case IFLA_MASTER:
        masterIndex = number(from, to) || undefined;
        break;
      case IFLA_LINK_NETNSID:
        parentNetnsId = number(from, to);
        break;
      case IFLA_LINKINFO:
        forEachAttribute(bytes, from, to, (info, infoFrom, infoTo) => {
          if (info === IFLA_INFO_KIND) kind = readText(bytes, infoFrom, infoTo);
        });
        break;
      case IFLA_XDP:
        forEachAttribute(bytes, from, to, (xdp, xdpFrom, xdpTo) => {
          if (xdp === IFLA_XDP_ATTACHED) hasXdp = bytes.readUInt8(expectPayload(xdpFrom, xdpTo, 1)) !== 0;
        });
        break;
    }
  });
  if (name === undefined) throw new NetlinkError("malformed", "a link without a name");
  const isUp = (bytes.readUInt32LE(start + 8) & IFF_UP) !== 0;
  return { index: bytes.readInt32LE(start + 4), name, kind, masterIndex, parentIndex, parentNetnsId, isUp, hasXdp };
}
