// Names of sets with tags, and back.

import { expect, it } from "vitest";
import { chain, goto, inSet, RETURN, rule } from "./build.ts";
import { MAX_SET_NAME } from "./names.ts";
import { nextTag, splitName, taggedName, withSetNames } from "./set-tags.ts";

it.each([
  ["NFTPOL-isolated4", "NFTPOL-isolated4", 0],
  ["NFTPOL-isolated4.1", "NFTPOL-isolated4", 1],
  ["NFTPOL-isolated4.zzz", "NFTPOL-isolated4", 46655],
  ["NFTPOL-x.1.2", "NFTPOL-x.1", 2],
])("%s is a name with a tag", (text, name, tag) => {
  expect(splitName(text)).toEqual({ name, tag });
  expect(taggedName(name, tag)).toBe(text);
});

it.each([
  "NFTPOL-x.0",
  "NFTPOL-x.01",
  "NFTPOL-x.Z",
  "NFTPOL-x.1!",
  "NFTPOL-x.",
  "NFTPOL-x.-1",
  "NFTPOL-x.1000",
  ".1z!",
])("%s is none: we would not write it so", (name) => {
  expect(splitName(name)).toEqual({ name, tag: 0 });
});

it("every tag has a name of its own that the kernel takes, and after the last comes none", () => {
  const names = new Set<string>();
  let tag = 0;
  do {
    const name = taggedName("NFTPOL-te4-aaaaaaaaaaaaaaaa", tag);
    expect(name.length).toBeLessThanOrEqual(MAX_SET_NAME);
    expect(splitName(name).tag).toBe(tag);
    names.add(name);
    tag = nextTag(tag);
  } while (tag !== 0);
  expect(names.size).toBe(46656);
});

it("a chain whose sets keep their names stays itself", () => {
  const own = chain("A", [rule([inSet("a", "src")], RETURN), rule([], goto("B"))]);
  expect(withSetNames(own, (name) => name)).toBe(own);
  const renamed = withSetNames(own, (name) => `${name}.1`);
  expect(renamed.rules[0]).toEqual(rule([inSet("a.1", "src")], RETURN));
  expect(renamed.rules[1]).toBe(own.rules[1]);
});
