// Questions and answers on netlink: a request with one answer, a dump of a table, a batch whose requests fail one by
// one. Owns acknowledgements, errors, ends of dumps, and what is repeated. Knows no protocol.

import { forEachAttribute, type NetlinkMessage, readMessages, readText } from "./message-reader.ts";
import { MessageWriter, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from "./message-writer.ts";
import { NetlinkError } from "./netlink-error.ts";
import type { NetlinkChannel, OpenNetlink } from "./netlink-socket.ts";

/** Writes one request with these flags and this sequence number. */
export type WriteRequest = (writer: MessageWriter, flags: number, sequence: number) => void;

const NLMSG_NOOP = 1;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLMSG_OVERRUN = 4;
const NLM_F_DUMP_INTR = 0x10;
/** In an error message: our request is not repeated in it; attributes with a reason follow. */
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

const DUMP_ATTEMPTS = 8;
const LARGER_RECEIVE_BYTES = 1024 * 1024;

/** One request. What `read` makes of the answer; undefined when the kernel only says yes. Throws NetlinkError. */
export async function ask<T>(
  open: OpenNetlink,
  protocol: number,
  write: WriteRequest,
  read: (message: NetlinkMessage) => T,
): Promise<T | undefined> {
  const writer = new MessageWriter();
  write(writer, NLM_F_REQUEST | NLM_F_ACK, 1);
  return withChannel(open(protocol), async (channel) => {
    await channel.send(writer.bytes());
    let answer: T | undefined;
    await readAnswers(channel, 1, {
      answer: (message) => {
        answer ??= read(message);
      },
      refused: throwIt,
    });
    return answer;
  });
}

/**
 * A whole table: what `read` makes of every entry that it does not answer with undefined. A dump that the kernel calls
 * inconsistent, or drops a part of, is asked for again from the start. Throws NetlinkError.
 */
export async function dump<T>(
  open: OpenNetlink,
  protocol: number,
  write: WriteRequest,
  read: (message: NetlinkMessage) => T | undefined,
): Promise<T[]> {
  const writer = new MessageWriter();
  write(writer, NLM_F_REQUEST | NLM_F_DUMP, 1);
  let receiveBytes: number | undefined;
  let cause: unknown;
  for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
    try {
      const entries = await withChannel(open(protocol, receiveBytes), (channel) =>
        dumpOnce(channel, writer.bytes(), read),
      );
      if (entries !== undefined) return entries;
    } catch (error) {
      if (!(error instanceof NetlinkError) || (error.kind !== "overrun" && error.kind !== "truncated")) throw error;
      if (error.kind === "truncated") receiveBytes = LARGER_RECEIVE_BYTES;
      cause = error;
    }
  }
  throw new NetlinkError("interrupted", `the kernel's table could not be read whole in ${DUMP_ATTEMPTS} attempts`, {
    cause,
  });
}

/** The entries; undefined when the table changed under the reading. */
async function dumpOnce<T>(
  channel: NetlinkChannel,
  request: Buffer,
  read: (message: NetlinkMessage) => T | undefined,
): Promise<T[] | undefined> {
  await channel.send(request);
  const entries: T[] = [];
  const isWhole = await readAnswers(channel, 1, {
    answer: (message) => {
      const entry = read(message);
      if (entry !== undefined) entries.push(entry);
    },
    refused: throwIt,
  });
  return isWhole ? entries : undefined;
}

/**
 * Sends the requests together; the kernel carries them out one by one, in order. `refused` learns of each that failed, by
 * its place in the list. The caller bounds the list: each failure takes room in the socket until it is read. Throws
 * NetlinkError when it is unknown what became of them.
 */
export async function sendBatch(
  open: OpenNetlink,
  protocol: number,
  requests: readonly WriteRequest[],
  refused: (index: number, error: NetlinkError) => void,
): Promise<void> {
  const writer = new MessageWriter();
  for (const [index, write] of requests.entries()) {
    const isLast = index === requests.length - 1;
    write(writer, isLast ? NLM_F_REQUEST | NLM_F_ACK : NLM_F_REQUEST, index + 1);
  }
  await withChannel(open(protocol), async (channel) => {
    await channel.send(writer.bytes());
    await readAnswers(channel, requests.length, {
      answer: () => {},
      refused: (error, sequence) => refused(sequence - 1, error),
    });
  });
}

async function withChannel<T>(channel: NetlinkChannel, body: (channel: NetlinkChannel) => Promise<T>): Promise<T> {
  try {
    return await body(channel);
  } finally {
    channel.close();
  }
}

interface AnswerHandlers {
  answer(message: NetlinkMessage): void;
  refused(error: NetlinkError, sequence: number): void;
}

function throwIt(error: NetlinkError): void {
  throw error;
}

/** Reads until the request with the last number is done. False when the kernel said that a dump was inconsistent. */
async function readAnswers(channel: NetlinkChannel, lastSequence: number, handlers: AnswerHandlers): Promise<boolean> {
  let isConsistent = true;
  for (;;) {
    for (const message of readMessages(await channel.receive())) {
      if (message.sequence < 1 || message.sequence > lastSequence) {
        throw new NetlinkError("malformed", `an answer to request ${message.sequence} of ${lastSequence}`);
      }
      if (message.flags & NLM_F_DUMP_INTR && message.type !== NLMSG_ERROR) isConsistent = false;
      if (message.type === NLMSG_NOOP) continue;
      if (message.type === NLMSG_OVERRUN) throw new NetlinkError("overrun", "the kernel says that answers are lost");
      if (message.type !== NLMSG_DONE && message.type !== NLMSG_ERROR) {
        handlers.answer(message);
        continue;
      }
      const error = readError(message);
      if (error !== undefined) handlers.refused(error, message.sequence);
      if (message.sequence === lastSequence) return isConsistent;
    }
  }
}

/** What an error message, or the end of a dump, complains about; undefined when it does not. Throws NetlinkError `malformed`. */
export function readError(message: NetlinkMessage): NetlinkError | undefined {
  const { bytes, start, end } = message;
  // The end of a dump has carried no number in old kernels.
  if (message.type === NLMSG_DONE && end - start < 4) return undefined;
  if (end - start < 4) throw new NetlinkError("malformed", "an error message without a number");
  const errno = -bytes.readInt32LE(start);
  if (errno <= 0) return undefined;
  const reason = message.type === NLMSG_ERROR ? readReason(message) : undefined;
  return new NetlinkError("refused", reason === undefined ? "the kernel refused" : `the kernel refused (${reason})`, {
    errno,
  });
}

/** The reason in words: in attributes behind the number and our request's header (and the request, if it is there). */
function readReason({ flags, bytes, start, end }: NetlinkMessage): string | undefined {
  if ((flags & NLM_F_ACK_TLVS) === 0 || end - start < 8) return undefined;
  const requestBytes = flags & NLM_F_CAPPED ? 16 : bytes.readUInt32LE(start + 4);
  let reason: string | undefined;
  forEachAttribute(bytes, start + 4 + ((requestBytes + 3) & ~3), end, (type, from, to) => {
    if (type === NLMSGERR_ATTR_MSG) reason = readText(bytes, from, to);
  });
  return reason;
}
