// `nftpol graph`: the intermediate rule graph of a node.

import { RuleGraph } from "../../graph/rule-graph.ts";
import { chooseNode } from "../choose-node.ts";
import { graphDot, graphMermaid, graphTables } from "../graph/graph-formats.ts";
import { type GraphModel, graphModel } from "../graph/graph-model.ts";
import { loadCluster } from "../input.ts";
import { jsonDocument } from "../json-output.ts";
import { noteMissingPodCidrs, programOptions } from "../node-ruleset.ts";
import { textOption, type VerbRun } from "../verb.ts";

export const run: VerbRun = async (_args, options, context) => {
  const wanted = textOption(options, "node");
  const { store, nodeNames } = await loadCluster(options, context, { wantedNode: wanted });
  const node = chooseNode(nodeNames, wanted);
  const settings = programOptions(options);
  noteMissingPodCidrs(store, [node], settings, context);
  const program = new RuleGraph(store, node, settings).program();
  context.stdout(format(graphModel(store, node, program), textOption(options, "output")));
  return 0;
};

function format(model: GraphModel, output: string | undefined): string {
  switch (output) {
    case "json":
      return jsonDocument("RuleGraph", { ...model });
    case "mermaid":
      return graphMermaid(model);
    case "dot":
      return graphDot(model);
    default:
      return graphTables(model);
  }
}
