// Waits until a node's kernel holds the rules of a state. Owns the waiting; the rules are the agent's.

import { BackendError } from "../backends/backend.ts";
import { RuleGraph } from "../graph/rule-graph.ts";
import type { ProgramOptions } from "../program/program.ts";
import type { ClusterStore } from "../state/store.ts";
import { LabError } from "./lab-error.ts";
import type { LabNetwork } from "./lab-network.ts";
import { differenceFinder, type LabBackend } from "./node-rules-difference.ts";

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
  await Promise.all(
    network.plan.nodes.map(({ name }) => {
      const program = new RuleGraph(store, name, options).program();
      return settled(name, () => find(program, (body) => network.inside(network.node(name), body)));
    }),
  );
}

/**
 * Resolves when there is no difference. Throws LabError with the last one after `patienceMs`. Rules that cannot be read are asked for again: while
 * the agent changes them, iptables may look for a set that is just gone.
 */
export async function settled(
  node: string,
  findDifference: () => Promise<string | undefined>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const endsAt = performance.now() + patienceMs;
  for (;;) {
    const found = await findDifference().catch((error: unknown) => {
      if (error instanceof BackendError) return error;
      throw error;
    });
    if (found === undefined) return;
    if (performance.now() > endsAt) {
      const [difference, cause] = found instanceof BackendError ? [found.message, found] : [found];
      throw new LabError(`the rules of ${node} are not what they should be: ${difference}`, undefined, cause);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
