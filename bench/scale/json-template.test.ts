import { expect, test } from "vitest";
import { gap, JsonTemplate } from "./json-template.ts";

const template = new JsonTemplate<"name" | "list">({ a: gap("name"), b: "x@y", c: [gap("name"), { d: gap("list") }] });

test("fills each gap with JSON of any kind, as often as it occurs, and leaves other text alone", () => {
  expect(JSON.parse(template.text({ name: '"n"', list: "[1,2]" }))).toEqual({
    a: "n",
    b: "x@y",
    c: ["n", { d: [1, 2] }],
  });
});

test("writes at a position, and says where it ended", () => {
  const target = Buffer.alloc(200, "-");
  const end = template.write(target, 3, { name: "1", list: "null" });
  expect(target.toString("latin1", 0, end)).toBe(`---${template.text({ name: "1", list: "null" })}`);
  expect(target.toString("latin1", end, end + 1)).toBe("-");
});
