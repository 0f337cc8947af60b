// `nftpol prove`: evaluator = rules, over all packet classes, for the rendered rules or the kernel's.

import { VARIANTS } from "../../backends/iptables/xtables-version.ts";
import { RuleGraph } from "../../graph/rule-graph.ts";
import type { NodeProgram, ProgramOptions } from "../../program/program.ts";
import { proveNode } from "../../prove/prove.ts";
import { type BackendName, rulesOfProgram, wantedBackend } from "../backends.ts";
import { chooseNode } from "../choose-node.ts";
import { type LiveRules, readLiveRules, type WantedRules } from "../in-force/live-rules.ts";
import { type ClusterInput, loadCluster } from "../input.ts";
import { jsonDocument } from "../json-output.ts";
import { noteMissingPodCidrs, programOptions } from "../node-ruleset.ts";
import { startProgress } from "../progress.ts";
import { type NodeProof, proofJson, proofText } from "../prove/proof-text.ts";
import { printable } from "../terminal-text.ts";
import {
  CommandError,
  type ExitCode,
  flagOption,
  type OptionValues,
  textOption,
  type VerbContext,
  type VerbRun,
} from "../verb.ts";

interface ProofSettings {
  readonly program: ProgramOptions;
  readonly maxPackets: number | undefined;
  /** The kernel's rules, and not those that would be rendered. */
  readonly live: boolean;
  readonly wanted: WantedRules;
}

export const run: VerbRun = async (_args, options, context) => {
  const node = textOption(options, "node");
  const wanted = wantedRules(options);
  const live = flagOption(options, "live");
  const maxPackets = parseBound(textOption(options, "maxPackets"));
  const input = await loadCluster(options, context, { wantedNode: node });
  const settings = { program: programOptions(options), maxPackets, wanted, live };
  // One kernel has the rules of one node.
  const nodes = live || node !== undefined ? [chooseNode(input.nodeNames, node)] : input.nodeNames;
  noteMissingPodCidrs(input.store, nodes, settings.program, context);
  const proofs: NodeProof[] = [];
  for (const name of nodes) proofs.push(await proveOne(input, name, settings, context));
  if (textOption(options, "output") === "json") context.stdout(jsonDocument("Proof", { nodes: proofs.map(proofJson) }));
  else for (const proof of proofs) context.stdout(proofText(input.store, proof));
  return exitCodeOf(proofs);
};

/** Throws CommandError for options that mean nothing together. */
function wantedRules(options: OptionValues): WantedRules {
  const backend = wantedBackend(options);
  const variant = VARIANTS.find((each) => each === textOption(options, "iptablesVariant"));
  if (variant !== undefined && (backend === "nft" || !flagOption(options, "live")))
    throw new CommandError(
      2,
      "--iptables-variant means nothing without --live, or with --backend=nft",
      "rendered rules of iptables are the same for both variants",
    );
  return { backend, variant };
}

/** 1 for a difference or foreign objects in the table, 3 where nothing can be claimed: a rule nobody understands, or a bound that was hit. */
function exitCodeOf(proofs: readonly NodeProof[]): ExitCode {
  if (proofs.some(({ proof, foreign }) => proof.outcome === "different" || foreign.length > 0)) return 1;
  return proofs.every(({ proof }) => proof.outcome === "equal" && proof.exhaustive) ? 0 : 3;
}

async function proveOne(
  { store }: ClusterInput,
  node: string,
  { program: settings, maxPackets, wanted, live }: ProofSettings,
  context: VerbContext,
): Promise<NodeProof> {
  const program = new RuleGraph(store, node, settings).program();
  const { rules, backend, variant, foreign, doubts } = live
    ? await readLiveRules(wanted, program)
    : rendered(program, wanted.backend ?? "nft");
  for (const { message } of doubts) context.stderr(`note: ${printable(message)}\n`);
  const progress = startProgress(context);
  try {
    const onProgress = (packets: number) => progress.report(`proving node ${node}: ${packets} packet classes`);
    const proof = proveNode(store, node, rules, { ...settings, maxPackets, onProgress });
    return { node, backend, variant, foreign, proof };
  } finally {
    progress.finish();
  }
}

function rendered(program: NodeProgram, backend: BackendName): LiveRules {
  return { rules: rulesOfProgram(program, backend), backend, variant: undefined, foreign: [], doubts: [] };
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
