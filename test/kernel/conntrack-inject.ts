// Entries put into a namespace's connection table through ctnetlink, as many as a test likes. Owns the bytes of such an
// entry; packets are conntrack-flows.ts.

import { type Address, addressFamily } from "../../src/net/address.ts";
import { addressToBytes, kernelFamily } from "../../src/netlink/address-bytes.ts";
import { sendBatch, type WriteRequest } from "../../src/netlink/conversation.ts";
import { MessageWriter, NLM_F_ACK, NLM_F_REQUEST } from "../../src/netlink/message-writer.ts";
import { NETLINK_NETFILTER, type OpenNetlink } from "../../src/netlink/netlink-socket.ts";

export interface InjectedEntry {
  readonly protocol: number;
  readonly source: Address;
  readonly sourcePort: number;
  /** As the client sees it. */
  readonly destination: Address;
  readonly destinationPort: number;
  /** Who answers, behind destination translation; without it, the destination. */
  readonly server?: Address;
  readonly serverPort?: number;
  /** ICMP of either family: the type of the original message; its id is the source port. */
  readonly icmpType?: number;
  readonly zone?: number;
  /** Only the original direction is in the zone. */
  readonly originalZone?: number;
}

const IPCTNL_MSG_CT_NEW = 1 << 8;
const NLM_F_EXCL_CREATE = 0x600;
const BATCH = 200;
const TIMEOUT_S = 3600;

/** Throws at the first entry that the kernel refuses. */
export async function injectEntries(open: OpenNetlink, entries: readonly InjectedEntry[]): Promise<void> {
  for (let at = 0; at < entries.length; at += BATCH) {
    const part = entries.slice(at, at + BATCH);
    await sendBatch(open, NETLINK_NETFILTER, part.map(writeEntry), (index, error) => {
      throw new Error(`entry ${JSON.stringify(part[index])}`, { cause: error });
    });
  }
}

/** As injectEntries, without waiting or telling errors apart from success: one synchronous write for traffic under a dump. */
export function writeEntries(entries: readonly InjectedEntry[]): Buffer {
  const writer = new MessageWriter();
  for (const [index, entry] of entries.entries()) writeEntry(entry)(writer, NLM_F_REQUEST | NLM_F_ACK, index + 1);
  return writer.bytes();
}

function writeEntry(entry: InjectedEntry): WriteRequest {
  const family = addressFamily(entry.source);
  const answering = entry.server ?? entry.destination;
  const answeringPort = entry.serverPort ?? entry.destinationPort;
  return (writer, flags, sequence) =>
    writer.message(
      { type: IPCTNL_MSG_CT_NEW, flags: flags | NLM_F_EXCL_CREATE, sequence },
      Uint8Array.of(kernelFamily(family), 0, 0, 0),
      () => {
        writer.nested(1, () => {
          writeTuple(writer, entry, entry.source, entry.sourcePort, entry.destination, entry.destinationPort, false);
          if (entry.originalZone !== undefined) writer.attributeBe16(3, entry.originalZone);
        });
        writer.nested(2, () =>
          writeTuple(writer, entry, answering, answeringPort, entry.source, entry.sourcePort, true),
        );
        writer.attributeBe32(7, TIMEOUT_S);
        if (entry.zone !== undefined) writer.attributeBe16(18, entry.zone);
      },
    );
}

function writeTuple(
  writer: MessageWriter,
  entry: InjectedEntry,
  source: Address,
  sourcePort: number,
  destination: Address,
  destinationPort: number,
  isReply: boolean,
): void {
  const first = addressFamily(source) === 4 ? 1 : 3;
  writer.nested(1, () => {
    writer.attribute(first, addressToBytes(source));
    writer.attribute(first + 1, addressToBytes(destination));
  });
  writer.nested(2, () => {
    writer.attribute(1, Uint8Array.of(entry.protocol));
    if (entry.icmpType !== undefined) {
      const icmp = addressFamily(source) === 4 ? 4 : 7;
      writer.attributeBe16(icmp, entry.sourcePort);
      writer.attribute(icmp + 1, Uint8Array.of(isReply ? answerType(entry.icmpType) : entry.icmpType));
      writer.attribute(icmp + 2, Uint8Array.of(0));
    } else if (sourcePort !== 0) {
      writer.attributeBe16(2, sourcePort);
      writer.attributeBe16(3, destinationPort);
    }
  });
}

/** Echo request to echo reply. */
function answerType(type: number): number {
  if (type === 8) return 0;
  if (type === 128) return 129;
  throw new Error(`no answer known to ICMP type ${type}`);
}
