// What nftables holds, by name, asked of the kernel itself (linux/netfilter/nf_tables.h): for a look at a node that has no program
// for it. What is in a chain is nft's to say.

import { dump, type WriteRequest } from "./conversation.ts";
import { expectPayload, forEachAttribute, type NetlinkMessage, readText } from "./message-reader.ts";
import { NetlinkError } from "./netlink-error.ts";
import { NETLINK_NETFILTER, type OpenNetlink } from "./netlink-socket.ts";

export type NfFamily = "inet" | "ip" | "ip6";

export interface NfTable {
  readonly family: NfFamily;
  readonly name: string;
}

export interface NfChain {
  readonly table: NfTable;
  readonly name: string;
}

const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_GETTABLE = 1;
const NFT_MSG_GETCHAIN = 4;
const NFGENMSG_BYTES = 4;
/** NFTA_TABLE_NAME, NFTA_CHAIN_TABLE. */
const NFTA_TABLE = 1;
const NFTA_CHAIN_NAME = 3;

/** NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6. */
const FAMILIES: ReadonlyMap<number, NfFamily> = new Map([
  [1, "inet"],
  [2, "ip"],
  [10, "ip6"],
]);

/** The tables of these families in this network namespace. Needs CAP_NET_ADMIN. Throws NetlinkError. */
export async function listTables(open: OpenNetlink): Promise<readonly NfTable[]> {
  const found = await dumpNames(open, NFT_MSG_GETTABLE);
  return found.map(({ table }) => table);
}

/** The chains of all of them. Needs CAP_NET_ADMIN. Throws NetlinkError. */
export function listChains(open: OpenNetlink): Promise<readonly NfChain[]> {
  return dumpNames(open, NFT_MSG_GETCHAIN);
}

async function dumpNames(open: OpenNetlink, type: number): Promise<readonly NfChain[]> {
  // Of family 0: of all.
  const write: WriteRequest = (writer, flags, sequence) =>
    writer.message({ type: (NFNL_SUBSYS_NFTABLES << 8) | type, flags, sequence }, Buffer.alloc(NFGENMSG_BYTES));
  try {
    return await dump(open, NETLINK_NETFILTER, write, readNames);
  } catch (error) {
    // nfnetlink knows no such subsystem: this kernel has no nftables.
    if (error instanceof NetlinkError && error.code === "EINVAL") return [];
    throw error;
  }
}

/** undefined: of another family. Throws NetlinkError `malformed`. */
function readNames({ type, bytes, start, end }: NetlinkMessage): NfChain | undefined {
  if (type >> 8 !== NFNL_SUBSYS_NFTABLES) throw new NetlinkError("malformed", `message ${type} where nftables answers`);
  const family = FAMILIES.get(bytes.readUInt8(expectPayload(start, end, NFGENMSG_BYTES)));
  let table = "";
  let name = "";
  forEachAttribute(bytes, start + NFGENMSG_BYTES, end, (attribute, from, to) => {
    if (attribute === NFTA_TABLE) table = readText(bytes, from, to);
    else if (attribute === NFTA_CHAIN_NAME) name = readText(bytes, from, to);
  });
  return family === undefined ? undefined : { table: { family, name: table }, name };
}
