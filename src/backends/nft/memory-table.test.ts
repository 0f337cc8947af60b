// The stand-in for the kernel: refuses what the kernel refuses, and then stays as it was.

import { describe, expect, it } from "vitest";
import { ACCEPT, DROP, inSet, jump, lookUp, rule } from "./build.ts";
import { sameChain, sameDeclaration, sameElements } from "./compare.ts";
import { diffRulesets } from "./diff.ts";
import { MemoryTable, TransactionRefused } from "./memory-table.ts";
import type { Chain, NamedSet, Rule, Ruleset, VerdictMap } from "./ruleset.ts";
import type { Operation, SetKey } from "./transaction.ts";

const common = { interval: false, size: undefined, comment: undefined };
const chain = (name: string, rules: readonly Rule[] = []): Chain => ({
  name,
  hook: undefined,
  comment: undefined,
  rules,
});
const set = (name: string, elements: readonly string[] = [], size?: number): NamedSet => ({
  ...common,
  kind: "set",
  name,
  key: ["ip saddr"],
  size,
  elements: new Set(elements),
});
const map = (name: string, elements: VerdictMap["elements"]): VerdictMap => ({
  ...common,
  kind: "map",
  name,
  key: ["ip saddr"],
  elements,
});

function ruleset(chains: readonly Chain[], sets: readonly (NamedSet | VerdictMap)[]): Ruleset {
  return {
    table: "t",
    counters: new Set(),
    chains: new Map(chains.map((each) => [each.name, each])),
    sets: new Map(sets.map((each) => [each.name, each])),
  };
}

/** `used` looks up s and jumps to a; m goes to b for one address; free and empty are not used. */
const start = ruleset(
  [
    chain("used", [
      rule([inSet("ip saddr", "s")], jump("a")),
      { statements: [lookUp("ip saddr", "m")], comment: undefined },
    ]),
    chain("a"),
    chain("b"),
    chain("free"),
  ],
  [set("s", ["10.0.0.1"], 2), map("m", new Map([["10.0.0.1", jump("b")]])), set("empty")],
);

const counting = (name: string): Rule => ({ statements: [{ kind: "counter", name }], comment: undefined });
const element = (key: string) => ({ key, verdict: undefined });

const KEY: SetKey = { fields: ["ip saddr"], interval: false };

describe("refused, with nothing of the transaction applied", () => {
  it.each<[string, RegExp, Operation[]]>([
    ["deleting a chain that a rule jumps to", /in use/, [{ kind: "delete-chain", chain: "a" }]],
    ["deleting a chain that a map goes to", /in use/, [{ kind: "delete-chain", chain: "b" }]],
    ["deleting a chain that is not there", /no such chain/, [{ kind: "delete-chain", chain: "x" }]],
    ["emptying a chain that is not there", /no such chain/, [{ kind: "flush-chain", chain: "x" }]],
    ["deleting a set that a rule looks up", /in use/, [{ kind: "delete-set", set: "s", setKind: "set" }]],
    ["deleting a map that a rule looks up", /in use/, [{ kind: "delete-set", set: "m", setKind: "map" }]],
    ["deleting a set that is not there", /no such set/, [{ kind: "delete-set", set: "x", setKind: "set" }]],
    [
      "deleting an element that is not there",
      /no such element/,
      [{ kind: "delete-elements", set: "s", key: KEY, elements: ["10.0.0.9"] }],
    ],
    [
      "adding to a set that is not there",
      /no such set/,
      [{ kind: "add-elements", set: "x", key: KEY, elements: [element("10.0.0.1")] }],
    ],
    [
      "adding more than fits",
      /full/,
      [{ kind: "add-elements", set: "s", key: KEY, elements: ["10.0.0.2", "10.0.0.3"].map(element) }],
    ],
    [
      "adding a key with another verdict",
      /another verdict/,
      [{ kind: "add-elements", set: "m", key: KEY, elements: [{ key: "10.0.0.1", verdict: DROP }] }],
    ],
    [
      "adding a verdict for a chain that is not there",
      /no such chain/,
      [{ kind: "add-elements", set: "m", key: KEY, elements: [{ key: "10.0.0.2", verdict: jump("x") }] }],
    ],
    [
      "adding a rule to a chain that is not there",
      /no such chain/,
      [{ kind: "add-rule", chain: "x", rule: rule([], ACCEPT) }],
    ],
    [
      "adding a rule that goes to a chain that is not there",
      /no such chain/,
      [{ kind: "add-rule", chain: "a", rule: rule([], jump("x")) }],
    ],
    [
      "adding a rule that looks up a set that is not there",
      /no such set/,
      [{ kind: "add-rule", chain: "a", rule: rule([inSet("ip saddr", "x")], DROP) }],
    ],
    ["deleting a counter that is not there", /no such counter/, [{ kind: "delete-counter", name: "x" }]],
    [
      "counting with a counter that is not there",
      /no such counter/,
      [{ kind: "add-rule", chain: "a", rule: counting("x") }],
    ],
    [
      "deleting a counter that a rule counts with",
      /in use/,
      [
        { kind: "add-counter", name: "x" },
        { kind: "add-rule", chain: "a", rule: counting("x") },
        { kind: "delete-counter", name: "x" },
      ],
    ],
    [
      "adding a chain again with a hook",
      /another hook/,
      [{ kind: "add-chain", chain: { ...chain("a"), hook: { name: "forward", priority: -5 } } }],
    ],
    [
      "doing anything in a table that is deleted",
      /no such table/,
      [{ kind: "delete-table" }, { kind: "add-counter", name: "x" }],
    ],
    [
      "adding a set again with another type",
      /another type/,
      [{ kind: "add-set", set: { ...set("s"), key: ["ip6 saddr"] } }],
    ],
  ])("%s", (_, message, operations) => {
    const table = new MemoryTable(start);
    const first: Operation = { kind: "add-chain", chain: chain("new") };
    expect(() => table.apply({ table: "t", operations: [first, ...operations] })).toThrow(TransactionRefused);
    expect(() => table.apply({ table: "t", operations: [first, ...operations] })).toThrow(message);
    expect(table.ruleset()).toEqual(start);
  });
});

describe("accepted", () => {
  it.each<[string, Operation[]]>([
    ["deleting a chain that nothing uses", [{ kind: "delete-chain", chain: "free" }]],
    ["deleting a set that nothing uses", [{ kind: "delete-set", set: "empty", setKind: "set" }]],
    [
      "deleting a chain after its user is emptied",
      [
        { kind: "flush-chain", chain: "used" },
        { kind: "delete-chain", chain: "a" },
      ],
    ],
    ["adding a set again as it is", [{ kind: "add-set", set: set("s") }]],
    ["adding a chain again", [{ kind: "add-chain", chain: chain("a") }]],
    [
      "adding an element again",
      [{ kind: "add-elements", set: "m", key: KEY, elements: [{ key: "10.0.0.1", verdict: jump("b") }] }],
    ],
    ["adding a table again", [{ kind: "add-table" }]],
    [
      "deleting the table and making it anew",
      [{ kind: "delete-table" }, { kind: "add-table" }, { kind: "add-chain", chain: chain("a") }],
    ],
    [
      "deleting a counter that nothing counts with",
      [
        { kind: "add-counter", name: "x" },
        { kind: "delete-counter", name: "x" },
      ],
    ],
    ["filling a set to its size", [{ kind: "add-elements", set: "s", key: KEY, elements: [element("10.0.0.2")] }]],
  ])("%s", (_, operations) => {
    expect(() => new MemoryTable(start).apply({ table: "t", operations })).not.toThrow();
  });

  it("adding a set again keeps its elements", () => {
    const table = new MemoryTable(start);
    table.apply({ table: "t", operations: [{ kind: "add-set", set: set("s") }] });
    expect([...(table.ruleset().sets.get("s")?.elements ?? [])]).toEqual(["10.0.0.1"]);
  });
});

it("starts without a table where none is given, and has one when it is added", () => {
  const table = new MemoryTable("t");
  expect(table.exists).toBe(false);
  expect(() => table.apply({ table: "t", operations: [{ kind: "delete-table" }] })).toThrow(/no such table/);
  table.apply({ table: "t", operations: [{ kind: "add-table" }] });
  expect(table.exists).toBe(true);
  table.apply({ table: "t", operations: [{ kind: "add-counter", name: "x" }, { kind: "delete-table" }] });
  expect(table.exists).toBe(false);
  expect(table.ruleset().counters.size).toBe(0);
});

it("a ruleset handed out does not change with the table", () => {
  const table = new MemoryTable(start);
  const before = table.ruleset();
  table.apply({ table: "t", operations: [{ kind: "flush-chain", chain: "used" }] });
  expect(before).toEqual(start);
  expect(table.ruleset().chains.get("used")?.rules).toEqual([]);
});

describe("the difference between two rulesets is accepted and leads from one to the other", () => {
  const rulesets: [string, Ruleset][] = [
    ["chain b alone", ruleset([chain("b")], [])],
    ["the start", start],
    [
      "other elements",
      ruleset([...start.chains.values()], [set("s", ["10.0.0.2"], 2), map("m", new Map([["10.0.0.1", DROP]]))]),
    ],
    [
      "a set that outgrew its size",
      ruleset([...start.chains.values()], [set("s", ["10.0.0.1", "10.0.0.2", "10.0.0.3"], 8), map("m", new Map())]),
    ],
    [
      "a set of another type",
      ruleset([...start.chains.values()], [{ ...set("s"), key: ["ip6 saddr"] }, map("m", new Map())]),
    ],
    ["a chain at a hook", ruleset([{ ...chain("free"), hook: { name: "forward", priority: -5 } }], [])],
    [
      "the same at another priority",
      ruleset([{ ...chain("free", [rule([], DROP)]), hook: { name: "forward", priority: 7 } }], []),
    ],
    ["jumps the other way round", ruleset([chain("a", [rule([], jump("used"))]), chain("used"), chain("b")], [])],
  ];
  const pairs = rulesets.flatMap(([from, current]) =>
    rulesets.map(([to, desired]) => [from, to, current, desired] as const),
  );
  it.each(pairs)("from %s to %s", (from, to, current, desired) => {
    const table = new MemoryTable(current);
    const transaction = diffRulesets(current, desired);
    table.apply(transaction);
    const result = table.ruleset();
    expect([...result.chains.keys()].sort()).toEqual([...desired.chains.keys()].sort());
    expect([...result.sets.keys()].sort()).toEqual([...desired.sets.keys()].sort());
    for (const each of desired.chains.values())
      expect(sameChain(result.chains.get(each.name) as Chain, each)).toBe(true);
    for (const each of desired.sets.values()) {
      const found = result.sets.get(each.name) as NamedSet | VerdictMap;
      expect([sameDeclaration(found, each), sameElements(found, each)]).toEqual([true, true]);
    }
    if (from === to) expect(transaction.operations).toEqual([]);
    expect(diffRulesets(result, desired).operations).toEqual([]);
  });
});

it.each([
  { steps: 15, refused: false },
  { steps: 16, refused: true },
])("a chain $steps steps from a hook: refused: $refused", ({ steps, refused }) => {
  const names = Array.from({ length: steps }, (_, index) => `c${index + 1}`);
  const base: Chain = { ...chain("base"), hook: { name: "forward", priority: 0 } };
  const operations: Operation[] = [
    { kind: "add-table" },
    ...[base, ...names.map((name) => chain(name))].map((each): Operation => ({ kind: "add-chain", chain: each })),
    ...names.map(
      (name, index): Operation => ({ kind: "add-rule", chain: names[index - 1] ?? "base", rule: rule([], jump(name)) }),
    ),
  ];
  const table = new MemoryTable("t");
  const apply = () => table.apply({ table: "t", operations });
  if (refused) expect(apply).toThrow("too many links");
  else expect(apply).not.toThrow();
});
