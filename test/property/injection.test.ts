// Hostile text in objects never leaves its comment: names, labels and port names are put into the model past all validation.

import { expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { diffRulesets } from "../../src/backends/nft/diff.ts";
import { renderJson } from "../../src/backends/nft/json.ts";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import { renderTransaction } from "../../src/backends/nft/transaction.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import type { Address } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { type HostileInput, hostileInput, hostileStore } from "../support/hostile-cluster.ts";
import { checkProperty } from "../support/property.ts";

const NAME = /^[A-Za-z][A-Za-z0-9._-]*$/;
/** Shorter than what the kernel (NFT_NAME_MAXLEN, 256) and a log prefix can hold. */
const MAX_NAME = 127;
const QUOTED = /"[^"\\\n]*"/g;
/** What is left of a line without its quoted text: words, numbers, addresses, sets and verdicts. */
const LINE = /^[A-Za-z0-9 ._:,;@&|!=(){}/-]*$/;

/** The one other quoted text: the name of a chain. */
const LOG_PREFIX = / log prefix "nftpol [A-Za-z][A-Za-z0-9._-]* "/;

function expectGrammar(text: string): void {
  expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  for (const line of text.split("\n")) {
    expect((line.match(/"/g)?.length ?? 0) % 2, line).toBe(0);
    for (const [quoted] of line.matchAll(QUOTED)) expect(quoted.length, line).toBeLessThanOrEqual(122);
    const bare = line.replace(/ comment "[^"]*"/g, "").replace(LOG_PREFIX, "");
    expect(bare).toMatch(LINE);
  }
}

function names(ruleset: Ruleset): string[] {
  return [...ruleset.chains.keys(), ...ruleset.sets.keys(), ...ruleset.counters];
}

const printInput = (each: HostileInput) => JSON.stringify(each, undefined, 2);

function compiled(each: HostileInput): Ruleset {
  return compileRuleset(new RuleGraph(hostileStore(each), "node", DEFAULT_PROGRAM_OPTIONS).program());
}

test("no text from objects leaves its comment in the table's text", () => {
  checkProperty(
    hostileInput,
    (each) => {
      const ruleset = compiled(each);
      expect(ruleset.sets.get("ingress4")?.elements.size).toBeGreaterThan(0);
      const text = renderText(ruleset);
      expectGrammar(text);
      for (const name of names(ruleset)) {
        expect(name).toMatch(NAME);
        expect(name.length).toBeLessThanOrEqual(MAX_NAME);
      }
      const bare = text.replace(QUOTED, "");
      const declared = (kind: string) =>
        [...bare.matchAll(new RegExp(`^ {2}${kind} (\\S+) \\{`, "gm"))].map((found) => found[1]);
      expect(declared("chain").sort()).toEqual([...ruleset.chains.keys()].sort());
      expect([...declared("set"), ...declared("map")].sort()).toEqual([...ruleset.sets.keys()].sort());
      expect(bare.match(/\{/g)?.length).toBe(bare.match(/\}/g)?.length);
      expect(text.split("\n").filter((line) => /^\s*(flush|delete)\b/.test(line))).toEqual([
        "delete table inet nftpol",
      ]);
    },
    { runs: 300, print: printInput },
  );
});

test("no text from objects leaves its comment in a transaction", () => {
  const empty: Ruleset = { table: "nftpol", counters: new Set(), sets: new Map(), chains: new Map() };
  checkProperty(
    hostileInput,
    (each) => {
      const ruleset = compiled(each);
      for (const transaction of [diffRulesets(empty, ruleset), diffRulesets(ruleset, empty)]) {
        const text = renderTransaction(transaction);
        expectGrammar(text);
        expect(text.split("\n")).toHaveLength(transaction.operations.length + 1);
        for (const line of text.split("\n").slice(0, -1))
          expect(line).toMatch(/^(add|delete|flush) (table|counter|chain|rule|set|map|element) inet nftpol /);
      }
    },
    { runs: 200, print: printInput },
  );
});

test("the JSON form parses and has the same names and only safe comments", () => {
  checkProperty(
    hostileInput,
    (each) => {
      const ruleset = compiled(each);
      const { nftables } = JSON.parse(renderJson(ruleset)) as {
        nftables: Record<string, Record<string, { name?: string; comment?: string }>>[];
      };
      const added = nftables.flatMap(({ add }) => Object.entries(add ?? {}));
      const found = added.filter(([kind]) => ["chain", "set", "map", "counter"].includes(kind));
      expect(found.map(([, body]) => body.name).sort()).toEqual(names(ruleset).sort());
      for (const [, body] of added) expect(body.comment ?? "").toMatch(/^[^"\\]{0,120}$/);
      for (const [, body] of added) expect(body.comment ?? "").toMatch(/^[\x20-\x7e]*$/);
    },
    { runs: 200, print: printInput },
  );
});

test("addresses of pods and ports are all that objects add to the elements", () => {
  checkProperty(
    hostileInput,
    (each) => {
      for (const set of compiled(each).sets.values()) {
        const elements = [...(set.kind === "map" ? set.elements.keys() : set.elements)];
        if (set.name.startsWith("portranges_")) {
          for (const element of elements) expect(element).toMatch(/^(tcp|udp|sctp) \. (1-9|8080)$/);
          continue;
        }
        for (const element of elements) {
          const [address, second] = element.split(" . ") as [Address, string | undefined];
          expect(address).toMatch(/^(10\.0\.0\.\d+|fd00::\d*)$/);
          if (second !== undefined) expect(element).toMatch(/^\S+ \. (\S+|(tcp|udp|sctp) \. 8080)$/);
        }
      }
    },
    { runs: 100, print: printInput },
  );
});
