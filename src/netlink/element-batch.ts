// Changes of nf_tables set elements as one netlink batch (linux/netfilter/nfnetlink.h, nf_tables.h; net/netfilter/nfnetlink.c
// nfnetlink_rcv_batch): all of it is applied or nothing. Owns the bytes; the socket is set-elements.ts's.

import { MessageWriter, NLM_F_ACK, NLM_F_REQUEST } from "./message-writer.ts";

export interface ElementChange {
  readonly kind: "add" | "delete";
  readonly set: string;
  /** Bytes of each key. */
  readonly keyLength: number;
  /** One behind the other. */
  readonly keys: Uint8Array;
  /** Of intervals the last key of each; undefined: single keys. */
  readonly keyEnds: Uint8Array | undefined;
  /** Of elements that are added to a map, one for each. */
  readonly verdicts: readonly RawVerdict[] | undefined;
}

type RawVerdict =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "jump" | "goto"; readonly chain: string };

export interface ElementBatch {
  readonly bytes: Buffer;
  /** The message whose acknowledgement says that all is done. */
  readonly lastSequence: number;
  /** What the message with that number changes; undefined for the frame. */
  readonly setOf: (sequence: number) => string | undefined;
}

const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_DELSETELEM = 14;
const NLM_F_CREATE = 0x400;
const NFPROTO_INET = 1;

const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_SET_ELEM_KEY_END = 10;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFTA_VERDICT_CHAIN = 2;

/** NF_DROP, NF_ACCEPT, NFT_JUMP, NFT_GOTO, NFT_RETURN. */
const VERDICT_CODES: Readonly<Record<RawVerdict["kind"], number>> = {
  drop: 0,
  accept: 1,
  jump: -3,
  goto: -4,
  return: -5,
};

/** An attribute ends at 65,535 bytes, and the list of a message's elements is one. */
const MOST_LIST_BYTES = 60_000;

/** Elements of a change, from one index up to another. */
interface Slice {
  readonly change: ElementChange;
  readonly from: number;
  readonly to: number;
}

/** The kernel answers only what it refuses, and the last change. (That the end of a batch is acknowledged is newer than 6.12.) */
export function elementBatch(table: string, changes: readonly ElementChange[]): ElementBatch {
  const messages = changes.flatMap(intoMessages);
  const writer = new MessageWriter();
  frame(writer, NFNL_MSG_BATCH_BEGIN, 1);
  for (const [index, slice] of messages.entries())
    writeSlice(writer, table, slice, index + 2, index === messages.length - 1);
  frame(writer, NFNL_MSG_BATCH_END, messages.length + 2);
  return {
    bytes: writer.bytes(),
    lastSequence: messages.length + 1,
    setOf: (sequence) => messages[sequence - 2]?.change.set,
  };
}

function intoMessages(change: ElementChange): Slice[] {
  const { keys, keyLength, verdicts } = change;
  const longestChain = Math.max(
    0,
    ...new Set(verdicts?.map((verdict) => ("chain" in verdict ? verdict.chain.length : 0))),
  );
  const mostElements = Math.floor(MOST_LIST_BYTES / (64 + 2 * keyLength + longestChain));
  const count = keys.length / keyLength;
  const slices: Slice[] = [];
  for (let from = 0; from < count; from += mostElements)
    slices.push({ change, from, to: Math.min(count, from + mostElements) });
  return slices;
}

function frame(writer: MessageWriter, type: number, sequence: number): void {
  writer.message({ type, flags: NLM_F_REQUEST, sequence }, Uint8Array.of(0, 0, 0, NFNL_SUBSYS_NFTABLES));
}

function writeSlice(writer: MessageWriter, table: string, slice: Slice, sequence: number, isLast: boolean): void {
  const { kind, set } = slice.change;
  const type = (NFNL_SUBSYS_NFTABLES << 8) | (kind === "add" ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM);
  const flags = NLM_F_REQUEST | (kind === "add" ? NLM_F_CREATE : 0) | (isLast ? NLM_F_ACK : 0);
  writer.message({ type, flags, sequence }, Uint8Array.of(NFPROTO_INET, 0, 0, 0), () => {
    writer.attribute(NFTA_SET_ELEM_LIST_TABLE, name(table));
    writer.attribute(NFTA_SET_ELEM_LIST_SET, name(set));
    writer.nested(NFTA_SET_ELEM_LIST_ELEMENTS, () => writeElements(writer, slice));
  });
}

function writeElements(writer: MessageWriter, { change, from, to }: Slice): void {
  const { keys, keyEnds, keyLength, verdicts } = change;
  for (let index = from; index < to; index++) {
    const [start, end] = [index * keyLength, (index + 1) * keyLength];
    writer.nested(NFTA_LIST_ELEM, () => {
      writer.nested(NFTA_SET_ELEM_KEY, () => writer.attribute(NFTA_DATA_VALUE, keys.subarray(start, end)));
      if (keyEnds !== undefined)
        writer.nested(NFTA_SET_ELEM_KEY_END, () => writer.attribute(NFTA_DATA_VALUE, keyEnds.subarray(start, end)));
      const verdict = verdicts?.[index];
      if (verdict !== undefined) writeVerdict(writer, verdict);
    });
  }
}

function writeVerdict(writer: MessageWriter, verdict: RawVerdict): void {
  writer.nested(NFTA_SET_ELEM_DATA, () =>
    writer.nested(NFTA_DATA_VERDICT, () => {
      writer.attributeBe32(NFTA_VERDICT_CODE, VERDICT_CODES[verdict.kind]);
      if ("chain" in verdict) writer.attribute(NFTA_VERDICT_CHAIN, name(verdict.chain));
    }),
  );
}

/** Names of tables, sets and chains are ours: ASCII. */
function name(text: string): Buffer {
  return Buffer.from(`${text}\0`, "latin1");
}
