// What is asked of ctnetlink: dumps, deletes, the number of entries. Owns the bytes of requests; entries are read in
// ctnetlink-entry.ts. Constants: linux/netfilter/nfnetlink_conntrack.h.

import type { Address, Family } from "../net/address.ts";
import { addressToBytes, kernelFamily } from "./address-bytes.ts";
import type { WriteRequest } from "./conversation.ts";
import type { CtnetlinkConnection } from "./ctnetlink-entry.ts";
import { expectPayload, forEachAttribute, type NetlinkMessage } from "./message-reader.ts";
import type { MessageWriter } from "./message-writer.ts";

const NFNL_SUBSYS_CTNETLINK = 1 << 8;
const IPCTNL_MSG_CT_GET = NFNL_SUBSYS_CTNETLINK | 1;
const IPCTNL_MSG_CT_DELETE = NFNL_SUBSYS_CTNETLINK | 2;
const IPCTNL_MSG_CT_GET_STATS = NFNL_SUBSYS_CTNETLINK | 5;
const NFGENMSG_BYTES = 4;

const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_ID = 12;
const CTA_ZONE = 18;
const CTA_FILTER = 25;
const CTA_TUPLE_IP = 1;
const CTA_IP_V4_SRC = 1;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_FILTER_REPLY_FLAGS = 2;
const CTA_FILTER_F_CTA_IP_SRC = 1;
const CTA_STATS_GLOBAL_ENTRIES = 1;

/** Every connection of a family. */
export function requestAll(family: Family): WriteRequest {
  return (writer, flags, sequence) =>
    writer.message({ type: IPCTNL_MSG_CT_GET, flags, sequence }, familyHeader(kernelFamily(family)));
}

/** Connections whose source, in the original or the reply direction, is this IPv4 address. Linux 5.8; older: see address-filter.ts. */
export function requestBySource(direction: "original" | "reply", address: Address): WriteRequest {
  const isOriginal = direction === "original";
  return (writer, flags, sequence) =>
    writer.message({ type: IPCTNL_MSG_CT_GET, flags, sequence }, familyHeader(kernelFamily(4)), () => {
      writer.nested(isOriginal ? CTA_TUPLE_ORIG : CTA_TUPLE_REPLY, () =>
        writer.nested(CTA_TUPLE_IP, () => writer.attribute(CTA_IP_V4_SRC, addressToBytes(address))),
      );
      writer.nested(CTA_FILTER, () =>
        writer.attributeU32(isOriginal ? CTA_FILTER_ORIG_FLAGS : CTA_FILTER_REPLY_FLAGS, CTA_FILTER_F_CTA_IP_SRC),
      );
    });
}

/** The deletion of exactly this entry. */
export function requestDelete({ family, handle }: CtnetlinkConnection): WriteRequest {
  // To the kernel, a delete without a tuple means: delete everything.
  if (handle.tuple.length === 0) throw new Error("a connection without a tuple cannot be deleted");
  return (writer: MessageWriter, flags, sequence) =>
    writer.message({ type: IPCTNL_MSG_CT_DELETE, flags, sequence }, familyHeader(kernelFamily(family)), () => {
      writer.attribute(CTA_TUPLE_ORIG | 0x8000, handle.tuple);
      writer.attributeBe32(CTA_ID, handle.id);
      if (handle.zone !== undefined) writer.attributeBe16(CTA_ZONE, handle.zone);
    });
}

/** How many entries there are in this network namespace, both families. */
export const requestCount: WriteRequest = (writer, flags, sequence) =>
  writer.message({ type: IPCTNL_MSG_CT_GET_STATS, flags, sequence }, familyHeader(0));

export function readCount({ bytes, start, end }: NetlinkMessage): number | undefined {
  let count: number | undefined;
  forEachAttribute(bytes, expectPayload(start, end, NFGENMSG_BYTES) + NFGENMSG_BYTES, end, (type, from, to) => {
    if (type === CTA_STATS_GLOBAL_ENTRIES) count = bytes.readUInt32BE(expectPayload(from, to, 4));
  });
  return count;
}

/** struct nfgenmsg: family, version 0, resource 0. */
function familyHeader(family: number): Uint8Array {
  return Uint8Array.of(family, 0, 0, 0);
}
