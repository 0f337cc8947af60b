// Batches of element changes, read back with the reader of this folder: the frame, who is acknowledged, and that nothing gets too long.

import { describe, expect, it } from "vitest";
import { type ElementChange, elementBatch } from "./element-batch.ts";
import { forEachAttribute, type NetlinkMessage, readMessages, readText } from "./message-reader.ts";
import { NLM_F_ACK } from "./message-writer.ts";

const BEGIN = 0x10;
const END = 0x11;
const ADD = 0x0a0c;
const DELETE = 0x0a0e;

/** Keys 0, 1, and so on. */
function change(
  kind: ElementChange["kind"],
  set: string,
  count: number,
  others: Partial<ElementChange> = {},
): ElementChange {
  const keys = new Uint8Array(4 * count);
  const view = new DataView(keys.buffer);
  for (let index = 0; index < count; index++) view.setUint32(4 * index, index);
  return { kind, set, keyLength: 4, keys, keyEnds: undefined, verdicts: undefined, ...others };
}

/** Hex of each payload, nested attributes as objects by their number; lists of elements as arrays. */
function tree(bytes: Buffer, start: number, end: number, nested: (path: string) => boolean, path = ""): unknown {
  const found: [string, unknown][] = [];
  forEachAttribute(bytes, start, end, (type, from, to) => {
    const own = `${path}/${type}`;
    found.push([String(type), nested(own) ? tree(bytes, from, to, nested, own) : bytes.toString("hex", from, to)]);
  });
  return found;
}

function summary({ type, flags, bytes, start, end }: NetlinkMessage) {
  let set = "";
  let count = 0;
  forEachAttribute(bytes, start + 4, end, (attribute, from, to) => {
    if (attribute === 2) set = readText(bytes, from, to);
    if (attribute === 3) forEachAttribute(bytes, from, to, () => count++);
  });
  return { type, set, count, acknowledged: (flags & NLM_F_ACK) !== 0 };
}

describe("a batch", () => {
  it("is framed, in order, and asks for one acknowledgement: that of the last change", () => {
    const batch = elementBatch("nftpol", [change("delete", "a", 2), change("add", "b", 1)]);
    const messages = readMessages(batch.bytes);
    expect(messages.map(({ type, sequence }) => [type, sequence])).toEqual([
      [BEGIN, 1],
      [DELETE, 2],
      [ADD, 3],
      [END, 4],
    ]);
    expect(messages.slice(1, 3).map(summary)).toEqual([
      { type: DELETE, set: "a", count: 2, acknowledged: false },
      { type: ADD, set: "b", count: 1, acknowledged: true },
    ]);
    expect(messages[3]?.flags).toBe(1);
    expect(batch.lastSequence).toBe(3);
    expect([1, 2, 3, 4].map(batch.setOf)).toEqual([undefined, "a", "b", undefined]);
  });

  it("says which subsystem it is for, and inet in every change", () => {
    const [begin, add] = readMessages(elementBatch("nftpol", [change("add", "s", 1)]).bytes);
    expect(begin?.bytes.toString("hex", begin.start, begin.end)).toBe("0000000a");
    expect(add?.bytes.toString("hex", add.start, add.start + 4)).toBe("01000000");
  });

  it("writes key, end of an interval and verdict as the kernel reads them", () => {
    const keyEnds = Uint8Array.of(0, 0, 0, 9, 0, 0, 1, 0, 0, 0, 0, 2);
    const verdicts = [{ kind: "accept" }, { kind: "jump", chain: "to" }, { kind: "drop" }] as const;
    const [, message] = readMessages(elementBatch("t", [change("add", "s", 3, { keyEnds, verdicts })]).bytes) as [
      NetlinkMessage,
      NetlinkMessage,
    ];
    const keyOf = (key: number) => ["1", [["1", key.toString(16).padStart(8, "0")]]];
    const endOf = (key: string) => ["10", [["1", key]]];
    const verdictOf = (fields: readonly (readonly string[])[]) => ["2", [["2", fields]]];
    const isNested = (path: string) => /^\/3(\/1(\/(1|2|10)(\/2)?)?)?$/.test(path);
    expect(tree(message.bytes, message.start + 4, message.end, isNested)).toEqual([
      ["1", "7400"],
      ["2", "7300"],
      [
        "3",
        [
          ["1", [keyOf(0), endOf("00000009"), verdictOf([["1", "00000001"]])]],
          [
            "1",
            [
              keyOf(1),
              endOf("00000100"),
              verdictOf([
                ["1", "fffffffd"],
                ["2", "746f00"],
              ]),
            ],
          ],
          ["1", [keyOf(2), endOf("00000002"), verdictOf([["1", "00000000"]])]],
        ],
      ],
    ]);
  });

  it.each([1, 999, 5_000, 50_000])("of %i elements loses none, and no list is too long for its attribute", (count) => {
    const { bytes, lastSequence, setOf } = elementBatch("nftpol", [
      change("add", "s", count),
      change("delete", "t", 1),
    ]);
    const messages = readMessages(bytes);
    const changes = messages.slice(1, -1).map(summary);
    expect(changes.reduce((sum, each) => sum + each.count, 0)).toBe(count + 1);
    expect(changes.filter(({ acknowledged }) => acknowledged)).toEqual([changes.at(-1)]);
    expect(lastSequence).toBe(changes.length + 1);
    expect(setOf(lastSequence)).toBe("t");
    expect(setOf(lastSequence - 1)).toBe("s");
  });

  it("counts verdicts when it cuts lists", () => {
    const chain = "c".repeat(200);
    const verdicts = Array.from({ length: 1_000 }, () => ({ kind: "goto", chain }) as const);
    const messages = readMessages(elementBatch("t", [change("add", "m", 1_000, { verdicts })]).bytes);
    expect(messages.length).toBeGreaterThan(4);
    expect(
      messages
        .slice(1, -1)
        .map(summary)
        .reduce((sum, { count }) => sum + count, 0),
    ).toBe(1_000);
  });
});
