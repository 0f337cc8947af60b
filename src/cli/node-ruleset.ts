// State -> the nft rules of one node, and the options that change the rules of any backend.

import { compileRuleset } from "../backends/nft/compile.ts";
import type { Ruleset } from "../backends/nft/ruleset.ts";
import { RuleGraph } from "../graph/rule-graph.ts";
import type { ProgramOptions } from "../program/program.ts";
import type { ClusterStore } from "../state/store.ts";
import { countOf, printable } from "./terminal-text.ts";
import { CommandError, type OptionValues, textOption, type VerbContext } from "./verb.ts";

/**
 * Of `--pod-to-own-node`, `--service-proxy` and `--unknown-local-pods`. Throws CommandError for a pair that would judge wrongly:
 * packets to a service meet the input hook before IPVS gives them the address of a pod.
 */
export function programOptions(options: OptionValues): ProgramOptions {
  if (textOption(options, "podToOwnNode") === "enforce" && textOption(options, "serviceProxy") === "ipvs") {
    throw new CommandError(
      2,
      "--pod-to-own-node=enforce does not work with --service-proxy=ipvs: it would judge services by their own addresses",
      "leave --pod-to-own-node out, or run kube-proxy in nftables or iptables mode",
    );
  }
  return {
    podToOwnNode: textOption(options, "podToOwnNode") === "enforce" ? "enforce" : "allow",
    serviceProxy: textOption(options, "serviceProxy") === "ipvs" ? "ipvs" : "netfilter",
    unknownLocalPods: textOption(options, "unknownLocalPods") === "drop" ? "drop" : "allow",
  };
}

/** Says on stderr which of the nodes `--unknown-local-pods=drop` does nothing for. */
export function noteMissingPodCidrs(
  store: ClusterStore,
  nodeNames: readonly string[],
  { unknownLocalPods }: ProgramOptions,
  context: VerbContext,
): void {
  if (unknownLocalPods === "allow") return;
  const known = new Set([...store.nodes()].filter(({ podCidrs }) => podCidrs.length > 0).map(({ name }) => name));
  const missing = nodeNames.filter((name) => !known.has(name));
  const [first] = missing;
  if (first === undefined) return;
  const which =
    missing.length === 1
      ? `node ${printable(first)} has`
      : `${countOf(missing.length, "node")} (${printable(first)}, …) have`;
  context.stderr(`note: ${which} no pod CIDR (spec.podCIDRs), so --unknown-local-pods=drop closes nothing there\n`);
}

export function nodeRuleset(store: ClusterStore, nodeName: string, options: ProgramOptions): Ruleset {
  return compileRuleset(new RuleGraph(store, nodeName, options).program());
}
