// `nftpol render`: the ruleset of a node as text or JSON, to stdout or into files.

import { RuleGraph } from "../../graph/rule-graph.ts";
import { chooseNode } from "../choose-node.ts";
import { loadCluster } from "../input.ts";
import { noteMissingPodCidrs, programOptions } from "../node-ruleset.ts";
import { renderFormat } from "../render-formats.ts";
import { countOf, printable } from "../terminal-text.ts";
import { CommandError, textOption, type VerbRun } from "../verb.ts";
import { safeFileName, writeFilesAtomically } from "../write-files.ts";

export const run: VerbRun = async (_args, options, context) => {
  const node = textOption(options, "node");
  const folder = textOption(options, "outputDir");
  const format = renderFormat(options);
  if (node === "all" && folder === undefined) {
    throw new CommandError(2, "--node all needs --output-dir DIR", "one file for each node is written there");
  }
  const { store, nodeNames } = await loadCluster(options, context, { wantedNode: node === "all" ? undefined : node });
  const settings = programOptions(options);
  const render = (name: string) => format.render(new RuleGraph(store, name, settings).program(), name);
  const names = node === "all" ? nodeNames : [chooseNode(nodeNames, node)];
  noteMissingPodCidrs(store, names, settings, context);
  if (folder === undefined) {
    for (const name of names) context.stdout(render(name));
    return 0;
  }
  const files = names.map((name) => ({ name: `${safeFileName(name)}${format.extension}`, text: render(name) }));
  await writeFilesAtomically(folder, files);
  context.stderr(`wrote ${countOf(files.length, "file")} to ${printable(folder)}\n`);
  return 0;
};
