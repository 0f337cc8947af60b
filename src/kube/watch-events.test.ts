import { describe, expect, it } from "vitest";
import { FrameSplitter, parseWatchEvent, WatchFrameError } from "./watch-events.ts";

function lines(chunks: readonly Buffer[]): string[] {
  const splitter = new FrameSplitter();
  const found: string[] = [];
  for (const chunk of chunks) for (const line of splitter.write(chunk)) found.push(line.toString());
  splitter.end();
  return found;
}

describe("frames", () => {
  it("come out whole, wherever two chunks meet", () => {
    const bytes = Buffer.from('{"a":"ж漢😀"}\r\n\n{"b":2}\n');
    for (let end = 0; end <= bytes.length; end++) {
      const found = lines([bytes.subarray(0, end), bytes.subarray(end)]);
      expect(found.map((line) => JSON.parse(line))).toEqual([{ a: "ж漢😀" }, { b: 2 }]);
    }
  });

  it("come byte by byte", () => {
    const bytes = Buffer.from('{"a":1}\n{"b":2}\n');
    expect(lines([...bytes].map((byte) => Buffer.from([byte])))).toEqual(['{"a":1}', '{"b":2}']);
  });

  it("without an end are an error", () => {
    expect(() => lines([Buffer.from('{"a":1}\n{"b":2}')])).toThrow("ends in the middle of an event");
  });

  it("stay what they are when the chunk's memory is used again", () => {
    const splitter = new FrameSplitter();
    const memory = Buffer.from('{"a"');
    expect([...splitter.write(memory)]).toEqual([]);
    memory.fill(0x20);
    expect([...splitter.write(Buffer.from(":1}\n"))].map(String)).toEqual(['{"a":1}']);
  });
});

describe("events", () => {
  const parse = (frame: unknown) => parseWatchEvent(Buffer.from(JSON.stringify(frame)));
  const metadata = { namespace: "shop", name: "web", uid: "u1", resourceVersion: "7" };

  it.each(["ADDED", "MODIFIED", "DELETED"])("%s names its object", (type) => {
    expect(parse({ type, object: { metadata } })).toMatchObject({
      type,
      identity: { key: "shop/web", uid: "u1", resourceVersion: "7" },
      object: { metadata },
    });
  });

  it("of objects without a namespace have the name as key", () => {
    const object = { metadata: { name: "shop", namespace: "", resourceVersion: "7" } };
    expect(parse({ type: "ADDED", object })).toMatchObject({ identity: { key: "shop", uid: "" } });
  });

  it.each([
    [{ "k8s.io/initial-events-end": "true" }, true],
    [{ "k8s.io/initial-events-end": "false" }, false],
    [{}, false],
    [null, false],
    [undefined, false],
  ])("BOOKMARK with the annotations %j", (annotations, endsInitialEvents) => {
    expect(parse({ type: "BOOKMARK", object: { metadata: { resourceVersion: "9", annotations } } })).toEqual({
      type: "BOOKMARK",
      resourceVersion: "9",
      endsInitialEvents,
    });
  });

  it("ERROR carries its Status", () => {
    expect(parse({ type: "ERROR", object: { code: 410 } })).toEqual({ type: "ERROR", status: { code: 410 } });
  });

  it.each([
    ["of another type", { type: "CHANGED", object: { metadata } }],
    ["without a type", { object: { metadata } }],
    ["without an object", { type: "ADDED" }],
    ["with an object that is none", { type: "ADDED", object: [] }],
    ["without a name", { type: "ADDED", object: { metadata: { ...metadata, name: "" } } }],
    ["without a version", { type: "ADDED", object: { metadata: { ...metadata, resourceVersion: "" } } }],
    ["with a version that is a number", { type: "ADDED", object: { metadata: { ...metadata, resourceVersion: 7 } } }],
    ["BOOKMARK without a version", { type: "BOOKMARK", object: { metadata: {} } }],
    ["as a list", []],
    ["as null", null],
  ])("%s are errors", (_what, frame) => {
    expect(() => parse(frame)).toThrow(WatchFrameError);
  });

  it("with broken UTF-8 are errors: a label would become another one", () => {
    const bytes = Buffer.from(
      JSON.stringify({ type: "ADDED", object: { metadata } }).replace("web", "w\xffb"),
      "latin1",
    );
    expect(() => parseWatchEvent(bytes)).toThrow("not valid JSON in UTF-8");
  });
});
