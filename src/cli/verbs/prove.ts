// `nftpol prove`: evaluator = rules, over all packet classes, for the rendered rules or the kernel's.

import { BackendError } from "../../backends/backend.ts";
import { listTable } from "../../backends/nft/io/table-listing.ts";
import { nftRules } from "../../backends/nft/provable-rules.ts";
import type { ReadBack } from "../../backends/nft/read-back.ts";
import { TABLE } from "../../backends/nft/ruleset.ts";
import type { NodeRules } from "../../backends/node-rules.ts";
import type { ProgramOptions } from "../../program/program.ts";
import { proveNode } from "../../prove/prove.ts";
import { chooseNode } from "../choose-node.ts";
import { type ClusterInput, loadCluster } from "../input.ts";
import { jsonDocument } from "../json-output.ts";
import { nodeRules, noteMissingPodCidrs, programOptions } from "../node-ruleset.ts";
import { startProgress } from "../progress.ts";
import { type NodeProof, proofJson, proofText } from "../prove/proof-text.ts";
import { CommandError, type ExitCode, flagOption, textOption, type VerbContext, type VerbRun } from "../verb.ts";

export const run: VerbRun = async (_args, options, context) => {
  const node = textOption(options, "node");
  const live = flagOption(options, "live");
  const maxPackets = parseBound(textOption(options, "maxPackets"));
  const input = await loadCluster(options, context, { wantedNode: node });
  const settings = programOptions(options);
  // One kernel has the rules of one node.
  const nodes = live || node !== undefined ? [chooseNode(input.nodeNames, node)] : input.nodeNames;
  noteMissingPodCidrs(input.store, nodes, settings, context);
  const proofs: NodeProof[] = [];
  for (const name of nodes) proofs.push(await proveOne(input, name, live, settings, maxPackets, context));
  if (textOption(options, "output") === "json") context.stdout(jsonDocument("Proof", { nodes: proofs.map(proofJson) }));
  else for (const proof of proofs) context.stdout(proofText(input.store, proof));
  return exitCodeOf(proofs);
};

/** 1 for a difference or foreign objects in the table, 3 where nothing can be claimed: a rule nobody understands, or a bound that was hit. */
function exitCodeOf(proofs: readonly NodeProof[]): ExitCode {
  if (proofs.some(({ proof, foreign }) => proof.outcome === "different" || foreign.length > 0)) return 1;
  return proofs.every(({ proof }) => proof.outcome === "equal" && proof.exhaustive) ? 0 : 3;
}

async function proveOne(
  { store }: ClusterInput,
  node: string,
  live: boolean,
  settings: ProgramOptions,
  maxPackets: number | undefined,
  context: VerbContext,
): Promise<NodeProof> {
  const { rules, foreign } = live ? await readKernel() : { rules: nodeRules(store, node, settings), foreign: [] };
  const progress = startProgress(context);
  try {
    const onProgress = (packets: number) => progress.report(`proving node ${node}: ${packets} packet classes`);
    return { node, foreign, proof: proveNode(store, node, rules, { ...settings, maxPackets, onProgress }) };
  } finally {
    progress.finish();
  }
}

async function readKernel(): Promise<{ rules: NodeRules; foreign: NodeProof["foreign"] }> {
  const found = await listKernelTable();
  if (found === undefined) {
    const hint = "load one first: nftpol render … | nft -f -";
    throw new CommandError(3, `there is no table inet ${TABLE} in this network namespace`, hint);
  }
  return { rules: nftRules(found.ruleset), foreign: found.unknown };
}

async function listKernelTable(): Promise<ReadBack | undefined> {
  try {
    return await listTable(TABLE);
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    throw new CommandError(3, error.message, error.hint, { cause: error });
  }
}

function parseBound(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,15}$/.test(text)) return Number(text);
  throw new CommandError(
    2,
    `--max-packets ${JSON.stringify(text)} is no number of packet classes`,
    "write a whole number from 1",
  );
}
