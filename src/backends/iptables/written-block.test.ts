import { expect, it } from "vitest";
import { writtenBlock } from "./written-block.ts";

it.each([
  ["10.0.0.1", "10.0.0.1/32"],
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["fd00::1", "fd00::1/128"],
  ["fd00::/64", "fd00::/64"],
  ["::ffff:10.0.0.1", "::ffff:a00:1/128"],
  ["::ffff:0.0.0.0/96", "::ffff:0:0/96"],
  ["::10.0.0.1", "::a00:1/128"],
  ["::/0", "::/0"],
])("%s is %s", (text, block) => {
  expect(writtenBlock(text)?.text).toBe(block);
});

it.each([
  "",
  "any",
  "10.0.0",
  "10.0.0.0/33",
  "10.0.0.0/255.255.0.0",
  "10.0.0.0/8/8",
  "10.0.0.0/",
  "fd00::/129",
  "fd00::g",
  "/8",
])("%s is no block", (text) => {
  expect(writtenBlock(text)).toBeUndefined();
});
