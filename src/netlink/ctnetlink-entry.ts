// Connections as ctnetlink tells them (linux/netfilter/nfnetlink_conntrack.h). Owns the reading of one entry; asking is
// ctnetlink-requests.ts.

import type { Address } from "../net/address.ts";
import { type AddressKey, type AddressTexts, AF_INET, AF_INET6, readAddressKey } from "./address-bytes.ts";
import type { TrackedConnection, TrackedTuple } from "./connection-tracker.ts";
import { expectPayload, forEachAttribute, type NetlinkMessage } from "./message-reader.ts";
import { NetlinkError } from "./netlink-error.ts";

/** What names an entry to the kernel. Only this tracker reads it. */
export class CtnetlinkHandle {
  /**
   * Made by the kernel from the place in memory and the original tuple: a later connection with the same tuple has
   * another one, unless the kernel happened to reuse that very memory.
   */
  readonly id: number;
  /** Payload of the original tuple, as the kernel wrote it: whatever protocol, zone in the tuple included. */
  readonly tuple: Uint8Array;
  /** The zone of both directions; undefined for the default zone. */
  readonly zone: number | undefined;

  constructor(id: number, tuple: Uint8Array, zone: number | undefined) {
    this.id = id;
    this.tuple = tuple;
    this.zone = zone;
  }
}

export interface CtnetlinkConnection extends TrackedConnection {
  readonly handle: CtnetlinkHandle;
}

const NFGENMSG_BYTES = 4;

const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_ID = 12;
const CTA_ZONE = 18;

const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;

const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_SRC = 3;
const CTA_IP_V6_DST = 4;

const CTA_PROTO_NUM = 1;
const CTA_PROTO_SRC_PORT = 2;
const CTA_PROTO_DST_PORT = 3;
const CTA_PROTO_ICMP_TYPE = 5;
const CTA_PROTO_ICMPV6_TYPE = 8;

/**
 * The connection in an entry; undefined when `wanted` is given and neither the original nor the reply's source is in it.
 * Throws NetlinkError `malformed`: an entry that cannot be read would be one that nobody judges.
 */
export function readConnection(
  { bytes, start, end }: NetlinkMessage,
  texts: AddressTexts,
  wanted: ReadonlySet<AddressKey> | undefined,
): CtnetlinkConnection | undefined {
  const kernelFamily = bytes.readUInt8(expectPayload(start, end, NFGENMSG_BYTES));
  if (kernelFamily !== AF_INET && kernelFamily !== AF_INET6) {
    throw new NetlinkError("malformed", `a connection of family ${kernelFamily}`);
  }
  const original = new RawTuple();
  const reply = new RawTuple();
  let id: number | undefined;
  let zone: number | undefined;
  let tuple: Uint8Array | undefined;
  forEachAttribute(bytes, start + NFGENMSG_BYTES, end, (type, from, to) => {
    switch (type) {
      case CTA_TUPLE_ORIG:
        original.read(bytes, from, to);
        tuple = bytes.subarray(from, to);
        break;
      case CTA_TUPLE_REPLY:
        reply.read(bytes, from, to);
        break;
      case CTA_ID:
        id = bytes.readUInt32BE(expectPayload(from, to, 4));
        break;
      case CTA_ZONE:
        zone = bytes.readUInt16BE(expectPayload(from, to, 2));
        break;
    }
  });
  if (tuple === undefined || id === undefined) throw new NetlinkError("malformed", "a connection without tuple or id");
  if (wanted !== undefined && !wanted.has(original.sourceKey()) && !wanted.has(reply.sourceKey())) return undefined;
  return {
    family: kernelFamily === AF_INET ? 4 : 6,
    protocol: original.protocol,
    original: original.finish(texts),
    reply: reply.finish(texts),
    icmpType: original.icmpType,
    // A copy: the datagram's buffer is used again.
    handle: new CtnetlinkHandle(id, new Uint8Array(tuple), zone),
  };
}

/** A tuple while it is read. */
class RawTuple {
  protocol = 0;
  icmpType: number | undefined;
  #source: AddressKey | undefined;
  #destination: AddressKey | undefined;
  #sourcePort = 0;
  #destinationPort = 0;

  read(bytes: Buffer, start: number, end: number): void {
    forEachAttribute(bytes, start, end, (type, from, to) => {
      if (type === CTA_TUPLE_IP) this.#readAddresses(bytes, from, to);
      else if (type === CTA_TUPLE_PROTO) this.#readProtocol(bytes, from, to);
    });
  }

  sourceKey(): AddressKey {
    return present(this.#source);
  }

  finish(texts: AddressTexts): TrackedTuple {
    const text = (key: AddressKey | undefined): Address => texts.text(present(key));
    return {
      source: text(this.#source),
      destination: text(this.#destination),
      sourcePort: this.#sourcePort,
      destinationPort: this.#destinationPort,
    };
  }

  #readAddresses(bytes: Buffer, start: number, end: number): void {
    forEachAttribute(bytes, start, end, (type, from, to) => {
      if (type === CTA_IP_V4_SRC || type === CTA_IP_V6_SRC) this.#source = readAddressKey(bytes, from, to);
      else if (type === CTA_IP_V4_DST || type === CTA_IP_V6_DST) this.#destination = readAddressKey(bytes, from, to);
    });
  }

  #readProtocol(bytes: Buffer, start: number, end: number): void {
    forEachAttribute(bytes, start, end, (type, from, to) => {
      switch (type) {
        case CTA_PROTO_NUM:
          this.protocol = bytes.readUInt8(expectPayload(from, to, 1));
          break;
        case CTA_PROTO_SRC_PORT:
          this.#sourcePort = bytes.readUInt16BE(expectPayload(from, to, 2));
          break;
        case CTA_PROTO_DST_PORT:
          this.#destinationPort = bytes.readUInt16BE(expectPayload(from, to, 2));
          break;
        case CTA_PROTO_ICMP_TYPE:
        case CTA_PROTO_ICMPV6_TYPE:
          this.icmpType = bytes.readUInt8(expectPayload(from, to, 1));
          break;
      }
    });
  }
}

function present(key: AddressKey | undefined): AddressKey {
  if (key === undefined) throw new NetlinkError("malformed", "a connection with an address missing");
  return key;
}
