// What is said about a difference and what is done about it agree: no sentence, no operation.

import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { diffRulesets } from "../../src/backends/nft/diff.ts";
import { describeDrift } from "../../src/backends/nft/drift.ts";
import { MemoryTable } from "../../src/backends/nft/memory-table.ts";
import { wholeTable } from "../../src/backends/nft/repair.ts";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { checkProperty } from "../support/property.ts";
import { type ApiObject, cluster, NODES, storeOf, toYaml } from "../support/random-cluster.ts";

function compile(objects: readonly ApiObject[]): Ruleset {
  return compileRuleset(new RuleGraph(storeOf(objects), NODES[0], DEFAULT_PROGRAM_OPTIONS).program());
}

const found = (ruleset: Ruleset) => ({ kind: "table" as const, ruleset, unknown: [] });

/** Between two clusters, and between a cluster and what is left of it without one object. */
const pairs = fc
  .tuple(cluster, cluster, fc.nat(), fc.boolean())
  .map(([one, other, index, small]): [readonly ApiObject[], readonly ApiObject[]] =>
    small ? [one, one.filter((_, at) => at !== index % one.length)] : [one, other],
  );

const print = ([before, after]: readonly [readonly ApiObject[], readonly ApiObject[]]) =>
  `# found\n${toYaml(before)}# wanted\n---\n${toYaml(after)}`;

test("there is something to say exactly when there is something to do", () => {
  checkProperty(
    pairs,
    ([before, after]) => {
      const [current, desired] = [compile(before), compile(after)];
      const { operations } = diffRulesets(current, desired);
      const sentences = describeDrift(found(current), desired);
      expect(sentences.length > 0, sentences.join("\n")).toBe(operations.length > 0);
      const table = new MemoryTable(current);
      table.apply(diffRulesets(current, desired));
      expect(describeDrift(found(table.ruleset()), desired)).toEqual([]);
    },
    { runs: 300, print },
  );
});

test("each object that is created, deleted or refilled is named", () => {
  checkProperty(
    pairs,
    ([before, after]) => {
      const [current, desired] = [compile(before), compile(after)];
      const words = describeDrift(found(current), desired).join("\n").split(/\s/);
      for (const operation of diffRulesets(current, desired).operations) {
        if (operation.kind === "add-set") expect(words).toContain(operation.set.name);
        if (operation.kind === "delete-set") expect(words).toContain(operation.set);
        if (operation.kind === "add-elements" || operation.kind === "delete-elements")
          expect(words).toContain(operation.set);
        if (operation.kind === "add-chain") expect(words).toContain(operation.chain.name);
        if (operation.kind === "delete-chain" || operation.kind === "add-rule")
          expect(words).toContain(operation.chain);
      }
    },
    { runs: 300, print },
  );
});

test("the whole table anew leads from any table, and from none, to the wanted one", () => {
  checkProperty(
    pairs,
    ([before, after]) => {
      const [current, desired] = [compile(before), compile(after)];
      for (const table of [new MemoryTable(current), new MemoryTable(desired.table)]) {
        table.apply(wholeTable(desired));
        expect(renderText(table.ruleset())).toBe(renderText(desired));
      }
    },
    { runs: 100, print },
  );
});
