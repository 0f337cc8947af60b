// Batches of element changes, read back with the reader of this folder: the frame, who is acknowledged, and that nothing gets too long.

import { describe, expect, it } from "vitest";
import { type ElementChange, elementBatch, type RawElement } from "./element-batch.ts";
import { forEachAttribute, type NetlinkMessage, readMessages, readText } from "./message-reader.ts";
import { NLM_F_ACK } from "./message-writer.ts";

const BEGIN = 0x10;
const END = 0x11;
const ADD = 0x0a0c;
const DELETE = 0x0a0e;

function element(number: number, verdict?: RawElement["verdict"]): RawElement {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, number);
  return { key, keyEnd: undefined, verdict };
}

const elements = (count: number) => Array.from({ length: count }, (_, index) => element(index));
const change = (kind: ElementChange["kind"], set: string, count: number): ElementChange => ({
  kind,
  set,
  elements: elements(count),
});

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
    const range = { ...element(1), keyEnd: Uint8Array.of(0, 0, 0, 9) };
    const jump = element(2, { kind: "jump", chain: "to" });
    const [, message] = readMessages(
      elementBatch("t", [{ kind: "add", set: "s", elements: [range, jump, element(3, { kind: "drop" })] }]).bytes,
    ) as [NetlinkMessage, NetlinkMessage];
    const isNested = (path: string) => /^\/3(\/1(\/(1|2|10)(\/2)?)?)?$/.test(path);
    expect(tree(message.bytes, message.start + 4, message.end, isNested)).toEqual([
      ["1", "7400"],
      ["2", "7300"],
      [
        "3",
        [
          [
            "1",
            [
              ["1", [["1", "00000001"]]],
              ["10", [["1", "00000009"]]],
            ],
          ],
          [
            "1",
            [
              ["1", [["1", "00000002"]]],
              [
                "2",
                [
                  [
                    "2",
                    [
                      ["1", "fffffffd"],
                      ["2", "746f00"],
                    ],
                  ],
                ],
              ],
            ],
          ],
          [
            "1",
            [
              ["1", [["1", "00000003"]]],
              ["2", [["2", [["1", "00000000"]]]]],
            ],
          ],
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
    const verdicts = elements(1_000).map((each) => ({ ...each, verdict: { kind: "goto", chain } as const }));
    const messages = readMessages(elementBatch("t", [{ kind: "add", set: "m", elements: verdicts }]).bytes);
    expect(messages.length).toBeGreaterThan(4);
    expect(
      messages
        .slice(1, -1)
        .map(summary)
        .reduce((sum, { count }) => sum + count, 0),
    ).toBe(1_000);
  });
});
