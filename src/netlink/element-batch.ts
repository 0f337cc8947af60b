// Changes of nf_tables set elements as one netlink batch (linux/netfilter/nfnetlink.h, nf_tables.h; net/netfilter/nfnetlink.c
// nfnetlink_rcv_batch): all of it is applied or nothing. Owns the bytes; the socket is set-elements.ts's.

import { MessageWriter, NLM_F_ACK, NLM_F_REQUEST } from "./message-writer.ts";

export interface ElementChange {
  readonly kind: "add" | "delete";
  readonly set: string;
  readonly elements: readonly RawElement[];
}

export interface RawElement {
  readonly key: Uint8Array;
  readonly keyEnd: Uint8Array | undefined;
  readonly verdict: RawVerdict | undefined;
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

/** The kernel answers only what it refuses, and the last change. (That the end of a batch is acknowledged is newer than 6.12.) */
export function elementBatch(table: string, changes: readonly ElementChange[]): ElementBatch {
  const messages = changes.flatMap(intoMessages);
  const writer = new MessageWriter();
  frame(writer, NFNL_MSG_BATCH_BEGIN, 1);
  for (const [index, change] of messages.entries())
    writeChange(writer, table, change, index + 2, index === messages.length - 1);
  frame(writer, NFNL_MSG_BATCH_END, messages.length + 2);
  return {
    bytes: writer.bytes(),
    lastSequence: messages.length + 1,
    setOf: (sequence) => messages[sequence - 2]?.set,
  };
}

function intoMessages({ kind, set, elements }: ElementChange): ElementChange[] {
  const messages: ElementChange[] = [];
  let start = 0;
  let bytes = 0;
  for (const [index, element] of elements.entries()) {
    const size = sizeOf(element);
    if (bytes + size > MOST_LIST_BYTES) {
      messages.push({ kind, set, elements: elements.slice(start, index) });
      [start, bytes] = [index, 0];
    }
    bytes += size;
  }
  messages.push({ kind, set, elements: start === 0 ? elements : elements.slice(start) });
  return messages;
}

/** At least as much as it takes. */
function sizeOf({ key, keyEnd, verdict }: RawElement): number {
  const chain = verdict !== undefined && "chain" in verdict ? verdict.chain.length : 0;
  return 64 + key.length + (keyEnd?.length ?? 0) + chain;
}

function frame(writer: MessageWriter, type: number, sequence: number): void {
  writer.message({ type, flags: NLM_F_REQUEST, sequence }, Uint8Array.of(0, 0, 0, NFNL_SUBSYS_NFTABLES));
}

function writeChange(
  writer: MessageWriter,
  table: string,
  change: ElementChange,
  sequence: number,
  isLast: boolean,
): void {
  const isAdded = change.kind === "add";
  const type = (NFNL_SUBSYS_NFTABLES << 8) | (isAdded ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM);
  const flags = NLM_F_REQUEST | (isAdded ? NLM_F_CREATE : 0) | (isLast ? NLM_F_ACK : 0);
  writer.message({ type, flags, sequence }, Uint8Array.of(NFPROTO_INET, 0, 0, 0), () => {
    writer.attribute(NFTA_SET_ELEM_LIST_TABLE, name(table));
    writer.attribute(NFTA_SET_ELEM_LIST_SET, name(change.set));
    writer.nested(NFTA_SET_ELEM_LIST_ELEMENTS, () => {
      for (const element of change.elements) writer.nested(NFTA_LIST_ELEM, () => writeElement(writer, element));
    });
  });
}

function writeElement(writer: MessageWriter, { key, keyEnd, verdict }: RawElement): void {
  writer.nested(NFTA_SET_ELEM_KEY, () => writer.attribute(NFTA_DATA_VALUE, key));
  if (keyEnd !== undefined) writer.nested(NFTA_SET_ELEM_KEY_END, () => writer.attribute(NFTA_DATA_VALUE, keyEnd));
  if (verdict === undefined) return;
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
