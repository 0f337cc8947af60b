// Netlink messages from bytes: the messages of a datagram, the attributes of a message. Knows no protocol's message
// types or attributes. What does not read as netlink is an error, never skipped.

import { NetlinkError } from "./netlink-error.ts";

/** One message inside the datagram it came in; valid until the next datagram is received. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Of the sender; in messages to a multicast group, of whoever asked for what is told. */
  readonly port: number;
  readonly bytes: Buffer;
  /** Its payload behind the header: offsets into `bytes`. */
  readonly start: number;
  readonly end: number;
}

const HEADER_BYTES = 16;
/** Without the flags "nested" and "big endian". */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

/** The messages of a datagram, in order. Throws NetlinkError `malformed`. */
export function readMessages(datagram: Buffer): readonly NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < datagram.length; ) {
    const length = at + HEADER_BYTES <= datagram.length ? datagram.readUInt32LE(at) : 0;
    if (length < HEADER_BYTES || at + length > datagram.length) {
      throw new NetlinkError("malformed", `a netlink message of ${length} bytes at ${at} of ${datagram.length}`);
    }
    messages.push({
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      sequence: datagram.readUInt32LE(at + 8),
      port: datagram.readUInt32LE(at + 12),
      bytes: datagram,
      start: at + HEADER_BYTES,
      end: at + length,
    });
    at += (length + 3) & ~3;
  }
  return messages;
}

/** Calls `visit` with type and payload (offsets) of each attribute between two offsets. Throws NetlinkError `malformed`. */
export function forEachAttribute(
  bytes: Buffer,
  start: number,
  end: number,
  visit: (type: number, start: number, end: number) => void,
): void {
  for (let at = start; at + 4 <= end; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > end) {
      throw new NetlinkError("malformed", `a netlink attribute of ${length} bytes, ${end - at} are left`);
    }
    visit(bytes.readUInt16LE(at + 2) & ATTRIBUTE_TYPE_MASK, at + 4, at + length);
    at += (length + 3) & ~3;
  }
}

/** Fixed-size payload: throws NetlinkError `malformed` when it is shorter than `bytes`. */
export function expectPayload(start: number, end: number, bytes: number): number {
  if (end - start < bytes) throw new NetlinkError("malformed", `${end - start} bytes where ${bytes} are needed`);
  return start;
}

/** Text that may end with a zero byte, as kernel names do. */
export function readText(bytes: Buffer, start: number, end: number): string {
  const zero = bytes.indexOf(0, start);
  return bytes.toString("latin1", start, zero >= start && zero < end ? zero : end);
}
