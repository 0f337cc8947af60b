// The backends by name, for verbs that only compute: the rules that each would have on a node. What is in the kernel is `in-force/`'s.

import * as iptables from "../backends/iptables/compile.ts";
import { iptablesRules } from "../backends/iptables/provable-rules.ts";
import { compileRuleset } from "../backends/nft/compile.ts";
import { nftRules } from "../backends/nft/provable-rules.ts";
import type { NodeRules } from "../backends/node-rules.ts";
import { RuleGraph } from "../graph/rule-graph.ts";
import type { NodeProgram, ProgramOptions } from "../program/program.ts";
import type { ClusterStore } from "../state/store.ts";
import { type OptionValues, textOption } from "./verb.ts";

export type BackendName = "nft" | "iptables";
export const BACKEND_NAMES: readonly BackendName[] = ["nft", "iptables"];

/** Of `--backend`, whose values are checked; undefined: not given. */
export function wantedBackend(options: OptionValues): BackendName | undefined {
  const name = textOption(options, "backend");
  return BACKEND_NAMES.find((each) => each === name);
}

/** The rules of one node, as `explain` and `prove` ask them. */
export function nodeRules(
  store: ClusterStore,
  nodeName: string,
  options: ProgramOptions,
  backend: BackendName,
): NodeRules {
  return rulesOfProgram(new RuleGraph(store, nodeName, options).program(), backend);
}

export function rulesOfProgram(program: NodeProgram, backend: BackendName): NodeRules {
  return backend === "nft" ? nftRules(compileRuleset(program)) : iptablesRules(iptables.compileRuleset(program));
}
