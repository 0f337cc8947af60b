// What is not ours in our table is reported, never guessed.

import { describe, expect, it } from "vitest";
import { readCounters, readTable } from "./read-back.ts";
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
    ["a table that sleeps", { table: { name: "t", flags: ["dormant"] } }],
    ["a table with a flag, as nft 1.0.6 writes it", { table: { name: "t", flags: "inet" } }],
    [
      "a set with a condition",
      { set: { name: "s", type: "ipv4_addr", stmt: [{ limit: { rate: 1, per: "second" } }] } },
    ],
    [
      "an element with a condition",
      {
        set: { name: "s", type: "ipv4_addr", elem: [{ elem: { val: "10.0.0.1", limit: { rate: 1, per: "second" } } }] },
      },
    ],
    [
      "an element that expires",
      { set: { name: "s", type: "ipv4_addr", elem: [{ elem: { val: "10.0.0.1", expires: 7 } }] } },
    ],
    ["several flags that have to be equal", rule(match(["established", "related"], "=="), { accept: null })],
  ])("%s", (_, object) => {
    const { ruleset, unknown } = read(forward, object);
    expect(unknown).toHaveLength(1);
    expect([...ruleset.chains.keys()]).toEqual(["forward"]);
    expect(ruleset.chains.get("forward")?.rules).toEqual([]);
    expect(ruleset.sets.size).toBe(0);
  });
});

it("a comment on an element changes nothing", () => {
  const elem = [{ elem: { val: "10.0.0.1", comment: "c" } }, "10.0.0.2"];
  const { ruleset, unknown } = read({ set: { name: "s", type: "ipv4_addr", elem } });
  expect(unknown).toEqual([]);
  expect([...(ruleset.sets.get("s")?.elements ?? [])]).toEqual(["10.0.0.1", "10.0.0.2"]);
});

it("only a rule in a chain of our kind names its chain", () => {
  const base = { chain: { ...forward.chain, name: "x", policy: "drop" } };
  const inX = { rule: { chain: "x", expr: [{ accept: null }] } };
  const { unknown } = read(forward, rule({ masquerade: null }), base, inX);
  expect(unknown.map(({ where, chain }) => [where, chain])).toEqual([
    ["chain forward, rule 1", "forward"],
    ["chain x", undefined],
    ["chain x, rule 1", undefined],
  ]);
});

it("counters are read with their packets", () => {
  const counter = (name: string, packets: number) => ({
    counter: { family: "inet", name, table: "t", packets, bytes: 1 },
  });
  const text = JSON.stringify({ nftables: [meta, counter("a", 3), counter("b", 0)] });
  expect(readCounters(text)).toEqual(
    new Map([
      ["a", 3],
      ["b", 0],
    ]),
  );
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
