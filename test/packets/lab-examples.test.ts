// Every example, in every topology, on one node and on two: packets find what the policies mean.

import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { TOPOLOGIES } from "../../src/lab/topology.ts";
import { describeKernel } from "../support/kernel.ts";
import { differencesOf, type TestLabSettings, withTestLab } from "../support/packet-lab.ts";

const ROOT = resolve(import.meta.dirname, "../../policies-examples");
const EXAMPLES = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

/** Each example in all of them; the second node and the second family are there in two of three. */
const SHAPES: readonly Required<Pick<TestLabSettings, "topology" | "nodes" | "dualStack">>[] = TOPOLOGIES.map(
  (topology, index) => ({
    topology,
    nodes: index === 0 ? ("as-is" as const) : 2,
    dualStack: index !== 1,
  }),
);

describeKernel("measured = meant", () => {
  describe.each(SHAPES)("$topology, nodes: $nodes, dual-stack: $dualStack", (shape) => {
    it.each(EXAMPLES)("%s", (name) =>
      withTestLab({ path: resolve(ROOT, name) }, shape, async ({ measure }) => {
        const result = await measure();
        expect(differencesOf(result)).toEqual([]);
        expect(result.measured.flows.length).toBeGreaterThan(0);
      }),
    );
  });
});
