// Incremental = from scratch: after any sequence of events, in any batches, the graph holds the program of a fresh
// compile, and the transactions lead the table there, one by one, without anything the kernel would refuse.

import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { diffRulesets } from "../../src/backends/nft/diff.ts";
import { renderJson } from "../../src/backends/nft/json.ts";
import { MemoryTable } from "../../src/backends/nft/memory-table.ts";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import { RulesetTracker } from "../../src/backends/nft/tracker.ts";
import { renderTransaction } from "../../src/backends/nft/transaction.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS, isEmptyDelta, type ProgramOptions } from "../../src/program/program.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { checkProperty } from "../support/property.ts";
import {
  type ApiObject,
  cluster,
  eventOf,
  NODES,
  namespaceObject,
  nodeObject,
  objectKey,
  podObject,
  policyObject,
  removalOf,
  storeOf,
  toYaml,
} from "../support/random-cluster.ts";

/** Declared sizes are history: a set that grew keeps its room. Everything else must be equal to the letter. */
function textWithoutSizes(ruleset: Ruleset): string {
  return renderText(ruleset).replace(/^ *size \d+\n/gm, "");
}

const NOTHING = {
  addedClasses: [],
  removedClasses: [],
  addedSets: [],
  removedSets: [],
  elements: [],
  dispatch: [],
  closed: undefined,
};

const options: fc.Arbitrary<ProgramOptions> = fc
  .constantFrom("allow" as const, "drop" as const)
  .map((unknownLocalPods) => ({ ...DEFAULT_PROGRAM_OPTIONS, unknownLocalPods }));

interface Step {
  readonly object: ApiObject;
  readonly remove: boolean;
  readonly flush: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  object: fc.oneof(
    { weight: 5, arbitrary: podObject },
    { weight: 3, arbitrary: policyObject },
    { weight: 1, arbitrary: namespaceObject },
    { weight: 1, arbitrary: nodeObject },
  ),
  remove: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  flush: fc.boolean(),
});

function printSteps(steps: readonly Step[]): string {
  return steps
    .map(
      ({ object, remove, flush }) =>
        `# ${remove ? "remove" : "set"}${flush ? ", then flush" : ""}\n${toYaml([object])}`,
    )
    .join("---\n");
}

test("after any sequence of events the graph, the tracked ruleset and the table equal a fresh compile", () => {
  checkProperty(
    fc.tuple(fc.array(step, { minLength: 1, maxLength: 40 }), options),
    ([steps, settings]) => {
      const graph = new RuleGraph(new ClusterStore(), NODES[0], settings);
      const tracker = new RulesetTracker(graph.program());
      const table = new MemoryTable(tracker.ruleset());
      const objects = new Map<string, ApiObject>();
      for (const { object, remove, flush } of steps) {
        if (remove) objects.delete(objectKey(object));
        else objects.set(objectKey(object), object);
        graph.apply(remove ? removalOf(object) : eventOf(object));
        if (!flush) continue;
        table.apply(tracker.update(graph.flush()));
        const fresh = compileRuleset(new RuleGraph(storeOf([...objects.values()]), NODES[0], settings).program());
        expect(textWithoutSizes(compileRuleset(graph.program()))).toBe(textWithoutSizes(fresh));
        expect(textWithoutSizes(tracker.ruleset())).toBe(textWithoutSizes(fresh));
        expect(textWithoutSizes(table.ruleset())).toBe(textWithoutSizes(fresh));
      }
      graph.flush();
      expect(isEmptyDelta(graph.flush())).toBe(true);
    },
    { runs: 500, print: ([steps, settings]) => `# options: ${JSON.stringify(settings)}\n${printSteps(steps)}` },
  );
});

test("what is set and removed again between two flushes leaves no trace", () => {
  checkProperty(
    fc.tuple(cluster, fc.array(fc.oneof(podObject, policyObject, nodeObject), { minLength: 1, maxLength: 6 }), options),
    ([objects, visitors, settings]) => {
      const graph = new RuleGraph(storeOf(objects), NODES[0], settings);
      graph.flush();
      const known = new Map(objects.map((object) => [objectKey(object), object]));
      for (const visitor of visitors) graph.apply(eventOf(visitor));
      for (const visitor of [...visitors].reverse()) {
        const original = known.get(objectKey(visitor));
        graph.apply(original === undefined ? removalOf(visitor) : eventOf(original));
      }
      expect(graph.flush()).toEqual(NOTHING);
    },
    { runs: 300, print: ([objects, visitors]) => `${toYaml(objects)}# visitors:\n---\n${toYaml(visitors)}` },
  );
});

test("the difference between two rulesets, applied to the first, gives the second", () => {
  checkProperty(
    fc.tuple(cluster, cluster, options, options),
    ([before, after, settingsBefore, settingsAfter]) => {
      const compile = (objects: readonly ApiObject[], settings: ProgramOptions) =>
        compileRuleset(new RuleGraph(storeOf(objects), NODES[0], settings).program());
      const [from, to] = [compile(before, settingsBefore), compile(after, settingsAfter)];
      const table = new MemoryTable(from);
      table.apply(diffRulesets(from, to));
      expect(textWithoutSizes(table.ruleset())).toBe(textWithoutSizes(to));
      expect(renderTransaction(diffRulesets(table.ruleset(), to))).toBe("");
    },
    { runs: 300, print: ([before, after]) => `# before\n${toYaml(before)}# after\n---\n${toYaml(after)}` },
  );
});

test("rendering does not depend on the order of objects", () => {
  checkProperty(
    cluster.chain((objects) =>
      fc.tuple(fc.constant(objects), fc.shuffledSubarray([...objects], { minLength: objects.length }), options),
    ),
    ([objects, shuffled, settings]) => {
      const render = (list: readonly ApiObject[]) => {
        const ruleset = compileRuleset(new RuleGraph(storeOf(list), NODES[0], settings).program());
        return [renderText(ruleset), renderJson(ruleset), renderJson(ruleset, "typeof")];
      };
      expect(render(shuffled)).toEqual(render(objects));
    },
    { runs: 200, print: ([objects]) => toYaml(objects) },
  );
});
