// The table that an earlier agent has left.

import { compileRuleset } from "../../src/backends/nft/compile.ts";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { type ApiObject, storeOf } from "../support/random-cluster.ts";
import { THIS_NODE } from "../support/running-agent.ts";

/** Of an agent that knew these objects. */
export function tableOf(...objects: readonly ApiObject[]): Ruleset {
  return compileRuleset(new RuleGraph(storeOf(objects), THIS_NODE, DEFAULT_PROGRAM_OPTIONS).program());
}
