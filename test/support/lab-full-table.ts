// Fills the connection table of a lab's node. The limit is the machine's, and not to be changed for one namespace, but each namespace
// counts its own entries: so many are made that there is no room. Owns the entries, through ctnetlink.

import { readFileSync } from "node:fs";
import type { LabNetwork } from "../../src/lab/lab-network.ts";
import type { WriteRequest } from "../../src/netlink/conversation.ts";
import { sendBatch } from "../../src/netlink/conversation.ts";
import type { MessageWriter } from "../../src/netlink/message-writer.ts";
import { loadNetlink, NETLINK_NETFILTER } from "../../src/netlink/netlink-socket.ts";

const IPCTNL_MSG_CT_NEW = 1 << 8;
const NLM_F_CREATE_EXCL = 0x600;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_STATUS = 3;
const CTA_TIMEOUT = 7;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const UDP = 17;
const AF_INET = 2;
/** And confirmed, as every entry of the table. */
const IPS_SEEN_REPLY_ASSURED = 0b1110;
/** Nobody's addresses, numbered from here: 192.0.0.0. */
const FIRST_ADDRESS = 0xc000_0000;
const BATCH = 100;
const TIMEOUT_S = 600;

/** Above it, making so many entries is not for a test. */
const MOST_ENTRIES = 300_000;

export interface TableRoom {
  readonly entries: number;
  readonly limit: number;
}

export function tableRoom({ inside }: LabNetwork, ns: string): TableRoom {
  const read = (name: string) => Number(readFileSync(`/proc/sys/net/netfilter/${name}`, "utf8"));
  return inside(ns, () => ({ entries: read("nf_conntrack_count"), limit: read("nf_conntrack_max") }));
}

/** Why the table cannot be filled on this machine; undefined when it can. */
export function whyNotFilled(): string | undefined {
  const limit = Number(readFileSync("/proc/sys/net/netfilter/nf_conntrack_max", "utf8"));
  return limit <= MOST_ENTRIES ? undefined : `${limit} connections fit into the table, more than a test makes`;
}

/**
 * Makes UDP flows of others until the kernel takes no more. `assured`: answered ones, which the kernel never gives up for new ones; others
 * it does.
 */
export async function fillTable(network: LabNetwork, ns: string, kind: "assured" | "unanswered"): Promise<void> {
  const open = await loadNetlink();
  const openThere: typeof open = (protocol, receiveBytes) => network.inside(ns, () => open(protocol, receiveBytes));
  const { limit } = tableRoom(network, ns);
  let refused = 0;
  for (let made = 0; made < limit + BATCH && refused === 0; made += BATCH) {
    const requests = Array.from({ length: BATCH }, (_, index) => requestFlow(made + index, kind));
    await sendBatch(openThere, NETLINK_NETFILTER, requests, (_index, error) => {
      if (error.code !== "ENOMEM") throw error;
      refused++;
    });
  }
}

function requestFlow(number: number, kind: "assured" | "unanswered"): WriteRequest {
  const from = FIRST_ADDRESS + (number >> 8);
  const to = from + 0x0100_0000;
  const port = 1024 + (number & 255);
  return (writer, flags, sequence) =>
    writer.message(
      { type: IPCTNL_MSG_CT_NEW, flags: flags | NLM_F_CREATE_EXCL, sequence },
      Uint8Array.of(AF_INET, 0, 0, 0),
      () => {
        writer.nested(CTA_TUPLE_ORIG, () => writeTuple(writer, from, to, port, 53));
        writer.nested(CTA_TUPLE_REPLY, () => writeTuple(writer, to, from, 53, port));
        if (kind === "assured") writer.attributeBe32(CTA_STATUS, IPS_SEEN_REPLY_ASSURED);
        writer.attributeBe32(CTA_TIMEOUT, TIMEOUT_S);
      },
    );
}

/** Attributes 1 and 2 of an address: source, destination; 1 to 3 of a protocol: number, source port, destination port. */
function writeTuple(writer: MessageWriter, source: number, destination: number, from: number, to: number): void {
  writer.nested(CTA_TUPLE_IP, () => writer.attributeBe32(1, source).attributeBe32(2, destination));
  writer.nested(CTA_TUPLE_PROTO, () =>
    writer.attribute(1, Uint8Array.of(UDP)).attributeBe16(2, from).attributeBe16(3, to),
  );
}
