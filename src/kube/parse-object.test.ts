import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseObject } from "./parse-object.ts";

const parse = (text: string) => parseObject(Buffer.from(text));

describe("managedFields", () => {
  it.each([
    ["in the middle", '{"metadata":{"a":1,"managedFields":[{"f:x":{"]":"}\\"["}}],"name":"ж"}}', { a: 1, name: "ж" }],
    ["at the end", '{"metadata":{"name":"web","managedFields":[]}}', { name: "web" }],
    ["at the begin", '{"metadata":{"managedFields":[[[]]],"name":"web"}}', { name: "web" }],
  ])("%s are left out", (_where, text, metadata) => {
    expect(parse(text)).toEqual({ metadata: { ...metadata, managedFields: null } });
  });

  it.each([
    ["a text", '{"managedFields":"[x"}'],
    ["a text that quotes them", '{"note":"say \\"managedFields\\":[1]"}'],
    ["a longer key", '{"x\\"managedFields":[1]}'],
    ["a key after a backslash", '{"x\\\\":1,"\\\\\\"managedFields":[1]}'],
    ["with a space", '{"managedFields": [1]}'],
  ])("that are not the API's stay: %s", (_what, text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it("are the only difference, whatever stands around them", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()), (object, fields) => {
        const before = { first: object, metadata: { name: "web", managedFields: fields }, last: object };
        const expected = { ...before, metadata: { name: "web", managedFields: null } };
        expect(parse(JSON.stringify(before))).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
    );
  });

  it.each(['{"managedFields":[', '{"managedFields":[1', '{"managedFields":["]"', '{"a":"x"managedFields":[]}'])(
    "do not hide broken JSON around them: %s",
    (text) => {
      expect(() => parse(text)).toThrow(SyntaxError);
    },
  );
});

it("broken UTF-8 is refused: a label would become another one", () => {
  expect(() => parseObject(Buffer.from('{"a":"\xff"}', "latin1"))).toThrow("not valid UTF-8");
});
