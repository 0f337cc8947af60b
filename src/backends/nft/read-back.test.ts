// What is not ours in our table is reported, never guessed.

import { describe, expect, it } from "vitest";
import { readTable } from "./read-back.ts";
import { ruleText } from "./text.ts";

const meta = { metainfo: { version: "1.0.6" } };
const forward = { chain: { name: "forward", type: "filter", hook: "forward", prio: -5, policy: "accept" } };
const field = { payload: { protocol: "tcp", field: "dport" } };
const rule = (...expr: unknown[]) => ({ rule: { chain: "forward", expr } });
const match = (right: unknown, op = "==") => ({ match: { op, left: field, right } });
const read = (...objects: unknown[]) => readTable("t", JSON.stringify({ nftables: [meta, ...objects] }));

describe("reported as unknown and left out", () => {
  it.each<[string, unknown]>([
    ["a statement that we do not use", rule({ masquerade: null })],
    ["an anonymous counter", rule({ counter: { packets: 1, bytes: 2 } }, { drop: null })],
    ["another comparison", rule(match(80, "<"), { drop: null })],
    ["another selector", rule({ match: { op: "==", left: { meta: { key: "mark" } }, right: 1 } }, { drop: null })],
    ["a limit per minute", rule({ limit: { rate: 1, burst: 1, per: "minute" } }, { drop: null })],
    ["an inverted limit", rule({ limit: { rate: 1, burst: 1, per: "second", inv: true } }, { drop: null })],
    ["a chain that drops by default", { chain: { ...forward.chain, name: "x", policy: "drop" } }],
    ["a chain at another hook", { chain: { ...forward.chain, name: "x", hook: "prerouting" } }],
    ["a set with a timeout", { set: { name: "s", type: "ipv4_addr", flags: ["timeout"] } }],
    ["a set of another type", { set: { name: "s", type: "mark" } }],
    ["a map to something else", { map: { name: "m", type: "ipv4_addr", map: "mark" } }],
    ["a flowtable", { flowtable: { name: "f" } }],
  ])("%s", (_, object) => {
    const { ruleset, unknown } = read(forward, object);
    expect(unknown).toHaveLength(1);
    expect([...ruleset.chains.keys()]).toEqual(["forward"]);
    expect(ruleset.chains.get("forward")?.rules).toEqual([]);
    expect(ruleset.sets.size).toBe(0);
  });
});

it("rules around a foreign one are read", () => {
  const { ruleset, unknown } = read(
    forward,
    rule(match(80), { drop: null }),
    rule({ masquerade: null }),
    rule({ accept: null }),
  );
  expect(ruleset.chains.get("forward")?.rules.map(ruleText)).toEqual(["tcp dport 80 drop", "accept"]);
  expect(unknown.map((each) => each.where)).toEqual(["chain forward, rule 2"]);
});

it("text that is no JSON is an error", () => {
  expect(() => readTable("t", "table inet t {")).toThrow(SyntaxError);
});
