// `nftpol render`: the ruleset of a node as text or JSON, to stdout or into files.

import { renderJson } from "../../backends/nft/json.ts";
import type { Ruleset } from "../../backends/nft/ruleset.ts";
import { renderText } from "../../backends/nft/text.ts";
import { chooseNode } from "../choose-node.ts";
import { loadCluster } from "../input.ts";
import { nodeRuleset, noteMissingPodCidrs, programOptions } from "../node-ruleset.ts";
import { countOf, printable } from "../terminal-text.ts";
import { CommandError, flagOption, type OptionValues, textOption, type VerbRun } from "../verb.ts";
import { safeFileName, writeFilesAtomically } from "../write-files.ts";

export const run: VerbRun = async (_args, options, context) => {
  const format = textOption(options, "output") === "json" ? "json" : "nft";
  const node = textOption(options, "node");
  const folder = textOption(options, "outputDir");
  refuseContradictions(options, node, folder);
  const { store, nodeNames } = await loadCluster(options, context, { wantedNode: node === "all" ? undefined : node });
  const settings = programOptions(options);
  const render = (name: string) => renderRuleset(nodeRuleset(store, name, settings), format, options);
  const names = node === "all" ? nodeNames : [chooseNode(nodeNames, node)];
  noteMissingPodCidrs(store, names, settings, context);
  if (folder === undefined) {
    for (const name of names) context.stdout(render(name));
    return 0;
  }
  const files = names.map((name) => ({ name: `${safeFileName(name)}.${format}`, text: render(name) }));
  await writeFilesAtomically(folder, files);
  context.stderr(`wrote ${countOf(files.length, "file")} to ${printable(folder)}\n`);
  return 0;
};

function refuseContradictions(options: OptionValues, node: string | undefined, folder: string | undefined): void {
  if (textOption(options, "backend") === "iptables") {
    throw new CommandError(2, "the iptables backend is not built yet", "--backend nft is there");
  }
  if (node === "all" && folder === undefined) {
    throw new CommandError(2, "--node all needs --output-dir DIR", "one file for each node is written there");
  }
  if (flagOption(options, "jsonTypeof") && textOption(options, "output") !== "json") {
    throw new CommandError(2, "--json-typeof needs -o json", "the text form declares sets by typeof anyway");
  }
}

function renderRuleset(ruleset: Ruleset, format: "nft" | "json", options: OptionValues): string {
  if (format === "nft") return renderText(ruleset);
  return renderJson(ruleset, flagOption(options, "jsonTypeof") ? "typeof" : "type");
}
