// Which sets of ipset there are, by name, asked of the kernel itself (linux/netfilter/ipset/ip_set.h): for a look at a node that has
// no program for it.

import { dump, type WriteRequest } from "./conversation.ts";
import { expectPayload, forEachAttribute, type NetlinkMessage, readText } from "./message-reader.ts";
import { NetlinkError } from "./netlink-error.ts";
import { NETLINK_NETFILTER, type OpenNetlink } from "./netlink-socket.ts";

const NFNL_SUBSYS_IPSET = 6;
const IPSET_CMD_LIST = 7;
/** Every kernel since 2.6.39 speaks it. */
const IPSET_PROTOCOL = 6;
const IPSET_ATTR_PROTOCOL = 1;
const IPSET_ATTR_SETNAME = 2;
const IPSET_ATTR_FLAGS = 6;
const IPSET_FLAG_LIST_SETNAME = 1 << 1;
const NLA_F_NET_BYTEORDER = 0x4000;
const NFGENMSG_BYTES = 4;
const MESSAGE_TYPE = (NFNL_SUBSYS_IPSET << 8) | IPSET_CMD_LIST;

/** All sets of this network namespace. Needs CAP_NET_ADMIN. Throws NetlinkError. */
export async function listSetNames(open: OpenNetlink): Promise<readonly string[]> {
  try {
    return await dump(open, NETLINK_NETFILTER, request, readName);
  } catch (error) {
    // nfnetlink knows no such subsystem: this kernel has no ipset.
    if (error instanceof NetlinkError && error.code === "EINVAL") return [];
    throw error;
  }
}

const request: WriteRequest = (writer, flags, sequence) =>
  writer.message({ type: MESSAGE_TYPE, flags, sequence }, Buffer.alloc(NFGENMSG_BYTES), () => {
    writer.attribute(IPSET_ATTR_PROTOCOL, Uint8Array.of(IPSET_PROTOCOL));
    writer.attributeBe32(IPSET_ATTR_FLAGS | NLA_F_NET_BYTEORDER, IPSET_FLAG_LIST_SETNAME);
  });

/** Throws NetlinkError `malformed`. */
function readName({ type, bytes, start, end }: NetlinkMessage): string {
  if (type !== MESSAGE_TYPE) throw new NetlinkError("malformed", `message ${type} where ipset answers`);
  let name: string | undefined;
  forEachAttribute(bytes, expectPayload(start, end, NFGENMSG_BYTES) + NFGENMSG_BYTES, end, (attribute, from, to) => {
    if (attribute === IPSET_ATTR_SETNAME) name = readText(bytes, from, to);
  });
  if (name === undefined) throw new NetlinkError("malformed", "a set without a name");
  return name;
}
