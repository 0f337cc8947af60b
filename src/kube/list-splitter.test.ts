import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ListSplitter, ListSyntaxError } from "./list-splitter.ts";

function split(chunks: readonly Buffer[]): { items: unknown[]; envelope: Readonly<Record<string, unknown>> } {
  const items: unknown[] = [];
  const splitter = new ListSplitter((bytes) => items.push(JSON.parse(bytes.toString())));
  for (const chunk of chunks) splitter.write(chunk);
  return { items, envelope: { ...splitter.end() } };
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

const ITEM = { metadata: { name: 'w"e\\b{[]},', labels: { ж: "漢字 😀" } }, list: [1, -2.5e3, null, true, { a: [] }] };

describe("a list's items", () => {
  it.each([
    [
      "after the metadata",
      { kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: "5" }, items: [ITEM, {}] },
    ],
    [
      "before the metadata",
      { items: [ITEM, {}], metadata: { resourceVersion: "5" }, kind: "PodList", apiVersion: "v1" },
    ],
  ])("%s come out whole, wherever two chunks meet", (_where, list) => {
    const bytes = Buffer.from(JSON.stringify(list));
    for (let end = 0; end <= bytes.length; end++) {
      const { items, envelope } = split([bytes.subarray(0, end), bytes.subarray(end)]);
      expect(items).toEqual([ITEM, {}]);
      expect(envelope).toEqual({
        kind: "PodList",
        apiVersion: "v1",
        metadata: { resourceVersion: "5" },
        items: undefined,
      });
    }
  });

  it("of any content, with any spaces, in any chunks", () => {
    const object = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue());
    const inputs = [fc.array(object), object, fc.constantFrom(0, 1, "\t", "\r\n "), fc.array(fc.nat())] as const;
    fc.assert(
      fc.property(...inputs, (items, metadata, space, places) => {
        const text = JSON.stringify(
          { kind: "List", items, metadata, number: 12, nothing: null, last: false },
          null,
          space,
        );
        const result = split(cutAt(Buffer.from(text), places));
        expect(result.items).toEqual(JSON.parse(JSON.stringify(items)));
        expect(result.envelope.metadata).toEqual(JSON.parse(JSON.stringify(metadata)));
        expect(result.envelope.number).toBe(12);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["null", '{"items":null}'],
    ["absent", '{"kind":"PodList"}'],
    ["empty", '{"items": [ ] }\n'],
    ["absent from an empty object", " {} "],
  ])("that are %s are none", (_what, text) => {
    expect(split([Buffer.from(text)]).items).toEqual([]);
  });

  it("are told one after the other while the list arrives", () => {
    let count = 0;
    const splitter = new ListSplitter(() => count++);
    splitter.write(Buffer.from('{"items":[{"a":1},{"b"'));
    expect(count).toBe(1);
    splitter.write(Buffer.from(":2}"));
    expect(count).toBe(2);
  });

  it("stay what they are when the chunk's memory is used again", () => {
    const items: unknown[] = [];
    const splitter = new ListSplitter((bytes) => items.push(JSON.parse(bytes.toString())));
    const memory = Buffer.from('{"items":[{"a":');
    splitter.write(memory);
    memory.fill(0x20);
    splitter.write(Buffer.from('"b"}]}'));
    expect(items).toEqual([{ a: "b" }]);
  });
});

describe("what is no list", () => {
  it.each([
    ["nothing", "", "cut off"],
    ["HTML", "<html>", "not a JSON object"],
    ["an array", "[]", "not a JSON object"],
    ["something after the end", "{} {}", "something follows"],
    ["a second list", '{"items":[]}{"items":[]}', "something follows"],
    ["items twice", '{"items":[],"items":[]}', "twice"],
    ["items that are an object", '{"items":{}}', "no list"],
    ["items that are a text", '{"items":"a"}', "no list"],
    ["an item that is null", '{"items":[null]}', "no object"],
    ["an item that is a list", '{"items":[[]]}', "no object"],
    ["a comma too many", '{"items":[{},]}', "no object"],
    ["a comma at the end", '{"a":1,}', "unexpected byte 0x7d"],
    ["a comma too few", '{"items":[{}{}]}', "unexpected byte 0x7b"],
    ["no colon", '{"a" 1}', "unexpected byte 0x31"],
    ["no key", "{1:2}", "unexpected byte 0x31"],
    ["a scalar that is none", '{"a":undefined}', "broken"],
    ["a value that is missing", '{"a":}', "broken"],
    ["brackets that do not fit", '{"a":[}}', "broken"],
    ["a bad escape in a key", '{"\\x":1}', "broken"],
  ])("%s is an error", (_what, text, message) => {
    expect(() => split([Buffer.from(text)])).toThrow(ListSyntaxError);
    expect(() => split([Buffer.from(text)])).toThrow(message);
  });

  it("every list that is cut off is an error", () => {
    const bytes = Buffer.from(JSON.stringify({ metadata: { a: "b" }, items: [ITEM], kind: "PodList" }));
    for (let end = 0; end < bytes.length; end++) {
      expect(() => split([bytes.subarray(0, end)])).toThrow(ListSyntaxError);
    }
  });

  it("an error of the receiver comes out as it is", () => {
    const splitter = new ListSplitter(() => {
      throw new RangeError("mine");
    });
    expect(() => splitter.write(Buffer.from('{"items":[{}]}'))).toThrow(RangeError);
  });
});
