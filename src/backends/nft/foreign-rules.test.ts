// Rules and objects of others in our table: said, never guessed, and no obstacle to repairing the table.

import { describe, expect, test } from "vitest";
import { diffRulesets } from "./diff.ts";
import { MemoryTable } from "./memory-table.ts";
import { readTable } from "./read-back.ts";
import type { Ruleset } from "./ruleset.ts";

const chain = { chain: { family: "inet", table: "nftpol", name: "c", handle: 1 } };
const ruleOf = (...expr: unknown[]) => ({ rule: { family: "inet", table: "nftpol", chain: "c", handle: 2, expr } });

function read(...objects: unknown[]) {
  return readTable("nftpol", JSON.stringify({ nftables: objects }));
}

describe("reading back", () => {
  test.each([
    ["a log without options", { log: null }],
    ["a log with a level", { log: { prefix: "x", level: "warn" } }],
    ["a limit by bytes", { limit: { rate: 10, rate_unit: "kbytes", per: "second", burst: 1 } }],
    ["a limit by the minute", { limit: { rate: 10, per: "minute", burst: 1 } }],
    ["a statement nobody knows", { mangle: { key: 1 } }],
  ])("%s is reported with its rule", (_, statement) => {
    const { ruleset, unknown } = read(chain, ruleOf(statement));
    expect(unknown).toMatchObject([{ where: "chain c, rule 1" }]);
    expect(ruleset.chains.get("c")?.rules).toEqual([]);
  });

  test("the rules of a chain that is not understood are reported too", () => {
    const foreign = { chain: { ...chain.chain, type: "filter", hook: "forward", prio: 0, policy: "drop" } };
    expect(read(foreign, ruleOf({ accept: null })).unknown).toMatchObject([
      { where: "chain c" },
      { where: "chain c, rule 1" },
    ]);
  });
});

test("a map that goes together with the chain its elements jump to is no obstacle", () => {
  const empty: Ruleset = { table: "nftpol", counters: new Set(), sets: new Map(), chains: new Map() };
  const from: Ruleset = {
    ...empty,
    sets: new Map([
      [
        "m",
        {
          kind: "map",
          name: "m",
          key: ["ip saddr"],
          interval: false,
          size: 8,
          comment: undefined,
          elements: new Map([["10.0.0.1", { kind: "jump", chain: "b" }]]),
        },
      ],
    ]),
    chains: new Map([["b", { name: "b", hook: undefined, comment: undefined, rules: [] }]]),
  };
  const table = new MemoryTable(from);
  table.apply(diffRulesets(from, empty));
  expect(table.ruleset()).toEqual(empty);
});
