// State -> the ruleset of one node: what render prints, explain traces and prove checks.

import { compileRuleset } from "../backends/nft/compile.ts";
import type { Ruleset } from "../backends/nft/ruleset.ts";
import { RuleGraph } from "../graph/rule-graph.ts";
import type { ProgramOptions } from "../program/program.ts";
import type { ClusterStore } from "../state/store.ts";
import { type OptionValues, textOption } from "./verb.ts";

/** Of `--pod-to-own-node`, `--service-proxy` and `--unknown-local-pods`. */
export function programOptions(options: OptionValues): ProgramOptions {
  return {
    podToOwnNode: textOption(options, "podToOwnNode") === "enforce" ? "enforce" : "allow",
    serviceProxy: textOption(options, "serviceProxy") === "ipvs" ? "ipvs" : "netfilter",
    unknownLocalPods: textOption(options, "unknownLocalPods") === "drop" ? "drop" : "allow",
  };
}

export function nodeRuleset(store: ClusterStore, nodeName: string, options: ProgramOptions): Ruleset {
  return compileRuleset(new RuleGraph(store, nodeName, options).program());
}
