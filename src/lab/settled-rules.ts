// Waits until a node's kernel holds the rules of a state. Owns the waiting; the rules are the agent's.

import { RuleGraph } from "../graph/rule-graph.ts";
import type { ProgramOptions } from "../program/program.ts";
import type { ClusterStore } from "../state/store.ts";
import { LabError } from "./lab-error.ts";
import type { LabNetwork } from "./lab-network.ts";
import { differenceFinder, type FindDifference, type LabBackend } from "./node-rules-difference.ts";

const PATIENCE_MS = 30_000;
const PAUSE_MS = 15;

/** Resolves when the rules of all nodes are what these policies compile to. Throws LabError with the first difference when that takes too long. */
export async function rulesSettled(
  network: LabNetwork,
  backend: LabBackend,
  store: ClusterStore,
  options: ProgramOptions,
): Promise<void> {
  const find = await differenceFinder(backend);
  await Promise.all(network.plan.nodes.map(({ name }) => nodeSettled(network, find, name, store, options)));
}

async function nodeSettled(
  network: LabNetwork,
  find: FindDifference,
  node: string,
  store: ClusterStore,
  options: ProgramOptions,
) {
  const program = new RuleGraph(store, node, options).program();
  const endsAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const difference = await find(program, (body) => network.inside(network.node(node), body));
    if (difference === undefined) return;
    if (performance.now() > endsAt)
      throw new LabError(`the rules of ${node} are not what they should be: ${difference}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
