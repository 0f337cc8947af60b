// Waits until a node's kernel holds the rules of a state. Owns the comparison; the rules are the agent's.

import { compileRuleset } from "../backends/nft/compile.ts";
import { describeDrift } from "../backends/nft/drift.ts";
import { NftKernelTable } from "../backends/nft/io/nft-kernel-table.ts";
import { DEFAULT_NFT } from "../backends/nft/io/nft-process.ts";
import { RuleGraph } from "../graph/rule-graph.ts";
import type { ProgramOptions } from "../program/program.ts";
import type { ClusterStore } from "../state/store.ts";
import { LabError } from "./lab-error.ts";
import type { LabNetwork } from "./lab-network.ts";

const PATIENCE_MS = 30_000;
const PAUSE_MS = 15;

/** Resolves when the tables of all nodes are what these policies compile to. Throws LabError with the first difference when that takes too long. */
export async function rulesSettled(network: LabNetwork, store: ClusterStore, options: ProgramOptions): Promise<void> {
  await Promise.all(network.plan.nodes.map(({ name }) => nodeSettled(network, name, store, options)));
}

async function nodeSettled(network: LabNetwork, node: string, store: ClusterStore, options: ProgramOptions) {
  const desired = compileRuleset(new RuleGraph(store, node, options).program());
  const table = new NftKernelTable({ program: DEFAULT_NFT, options, writer: "child", batchFolder: undefined });
  const endsAt = performance.now() + PATIENCE_MS;
  for (;;) {
    // It starts nft at once, on this thread: in this namespace.
    const found = await network.inside(network.node(node), () => table.read());
    const [difference] = describeDrift(found, desired);
    if (difference === undefined) return;
    if (performance.now() > endsAt)
      throw new LabError(`the rules of ${node} are not what they should be: ${difference}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
