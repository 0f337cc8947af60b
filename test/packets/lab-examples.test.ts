// Every example on two nodes, bridged or through a tunnel: packets find what the policies mean. The backends take turns, so that each
// shape of network is tried with all. NFTPOL_RUNS=2 tries every example in both.

import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import { labBackendInTurn } from "../support/lab-backends.ts";
import { differencesOf, type TestLabSettings, withTestLab } from "../support/packet-lab.ts";

const ROOT = resolve(import.meta.dirname, "../../policies-examples");
const EXAMPLES = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

/** Routed and with the nodes that they name: lab-expectations.test.ts. */
const SHAPES: readonly Required<Pick<TestLabSettings, "topology" | "nodes" | "dualStack">>[] = [
  { topology: "bridged", nodes: 2, dualStack: false },
  { topology: "vxlan", nodes: 2, dualStack: true },
];

const IN_BOTH = Number(process.env.NFTPOL_RUNS ?? 1) > 1;

describeKernel("measured = meant", () => {
  describe.each(SHAPES)("$topology, nodes: $nodes, dual-stack: $dualStack", (shape) => {
    const turn = SHAPES.indexOf(shape);
    const examples = EXAMPLES.map((name, index) => ({ name, index }))
      .filter(({ index }) => IN_BOTH || index % SHAPES.length === turn)
      .map(({ name, index }) => [name, labBackendInTurn(index + turn)] as const);
    it.each(examples)("%s (%s)", (name, backend) =>
      withTestLab({ path: resolve(ROOT, name) }, { ...shape, backend }, async ({ measure }) => {
        const result = await measure();
        expect(differencesOf(result)).toEqual([]);
        expect(result.measured.flows.length).toBeGreaterThan(0);
      }),
    );
  });
});
