import { describe, expect, it } from "vitest";
import { KnownObjects } from "./known-objects.ts";
import type { ObjectChange } from "./object-change.ts";
import { isOlderVersion, type ObjectIdentity } from "./object-identity.ts";

function at(key: string, uid: string, resourceVersion: string): ObjectIdentity {
  return { key, uid, resourceVersion };
}

function objects() {
  let decoded = 0;
  const known = new KnownObjects<string>((item, { key, uid }) => {
    decoded++;
    return { key, object: String(item), uid, diagnostics: [] };
  });
  return { known, decodedCount: () => decoded };
}

function text(changes: readonly ObjectChange<string>[]): string[] {
  return changes.map(({ key, uid, object }) => `${object === undefined ? "-" : "+"}${key} ${uid}`);
}

describe("events", () => {
  it("of the same object update it, of another one replace it", () => {
    const { known } = objects();
    expect(text(known.put("x", at("a", "u1", "1")))).toEqual(["+a u1"]);
    expect(text(known.put("x", at("a", "u1", "2")))).toEqual(["+a u1"]);
    expect(text(known.put("x", at("a", "u2", "3")))).toEqual(["-a u1", "+a u2"]);
    expect(text(known.delete(at("a", "u2", "4")))).toEqual(["-a u2"]);
  });

  it.each([
    ["the same version", at("a", "u1", "10")],
    ["an older one, as a number", at("a", "u1", "9")],
    ["an older one of the object before", at("a", "u0", "9")],
  ])("of %s change nothing", (_what, identity) => {
    const { known } = objects();
    known.put("x", at("a", "u1", "10"));
    expect(known.put("x", identity)).toEqual([]);
  });

  it("that are late deletions change nothing", () => {
    const { known } = objects();
    known.put("x", at("a", "u2", "10"));
    expect(known.delete(at("a", "u1", "9"))).toEqual([]);
    expect(known.delete(at("b", "u1", "11"))).toEqual([]);
    expect(known.size).toBe(1);
  });

  it("with versions that are no numbers are all believed", () => {
    const { known } = objects();
    known.put("x", at("a", "u1", "z"));
    expect(text(known.put("x", at("a", "u1", "b")))).toEqual(["+a u1"]);
  });
});

describe("a new list", () => {
  it("tells only what differs, deletions first, and decodes nothing else", () => {
    const { known, decodedCount } = objects();
    for (const key of ["gone", "same", "updated", "replaced"]) known.put("x", at(key, "u1", "1"));
    const list = known.beginList();
    list.put("x", at("new", "u9", "5"));
    list.put("x", at("replaced", "u2", "4"));
    list.put("x", at("same", "u1", "1"));
    list.put("x", at("updated", "u1", "3"));
    expect(decodedCount()).toBe(4 + 3);
    expect(text(list.commit())).toEqual(["-gone u1", "-replaced u1", "+new u9", "+replaced u2", "+updated u1"]);
    expect(known.size).toBe(4);
    expect(text(known.clear())).toEqual(["-new u9", "-replaced u2", "-same u1", "-updated u1"]);
  });

  it("believes older versions: etcd may have been restored", () => {
    const { known } = objects();
    known.put("x", at("a", "u1", "100"));
    const list = known.beginList();
    list.put("x", at("a", "u1", "50"));
    expect(text(list.commit())).toEqual(["+a u1"]);
    expect(text(known.put("x", at("a", "u1", "51")))).toEqual(["+a u1"]);
  });

  it("that is given up changes nothing, and the next one is not misled by it", () => {
    const { known } = objects();
    known.put("x", at("a", "u1", "1"));
    known.put("x", at("b", "u1", "1"));
    known.beginList().put("x", at("a", "u1", "1"));
    const list = known.beginList();
    list.put("x", at("b", "u1", "1"));
    expect(text(list.commit())).toEqual(["-a u1"]);
  });

  it("that begins anew forgets its first items", () => {
    const { known } = objects();
    known.put("x", at("a", "u1", "1"));
    const list = known.beginList();
    list.put("x", at("a", "u1", "1"));
    list.put("x", at("b", "u1", "1"));
    list.restart();
    list.put("x", at("c", "u1", "1"));
    expect(text(list.commit())).toEqual(["-a u1", "+c u1"]);
  });

  it("may be longer than a call has room for arguments", () => {
    const { known } = objects();
    const list = known.beginList();
    for (let index = 0; index < 200_000; index++) list.put("x", at(`pod-${index}`, "u", "1"));
    expect(list.commit()).toHaveLength(200_000);
    expect(known.beginList().commit()).toHaveLength(200_000);
  });

  it("takes events that come while it is sent", () => {
    const { known } = objects();
    known.put("x", at("a", "u1", "1"));
    const list = known.beginList();
    for (const key of ["a", "b", "c"]) list.put("x", at(key, "u1", "1"));
    list.delete("a");
    list.delete("b");
    list.put("x", at("c", "u1", "2"));
    expect(text(list.commit())).toEqual(["-a u1", "+c u1"]);
  });
});

describe("versions", () => {
  it.each([
    ["9", "10", true],
    ["10", "9", false],
    ["10", "10", false],
    ["9007199254740993", "9007199254740994", true],
    ["a", "b", false],
    ["", "1", false],
    ["0", "1", false],
  ])("%s is older than %s: %s", (a, b, expected) => {
    expect(isOlderVersion(a, b)).toBe(expected);
  });
});
