// What `nftpol render` writes: which backend's rules, in which form. Of `--backend`, `-o` and `--json-typeof`.

import * as iptables from "../backends/iptables/compile.ts";
import { rulesetData } from "../backends/iptables/json.ts";
import { renderScript } from "../backends/iptables/script.ts";
import { compileRuleset } from "../backends/nft/compile.ts";
import { type JsonDeclaration, renderJson } from "../backends/nft/json.ts";
import { renderText } from "../backends/nft/text.ts";
import type { NodeProgram } from "../program/program.ts";
import { wantedBackend } from "./backends.ts";
import { jsonDocument } from "./json-output.ts";
import { CommandError, flagOption, type OptionValues, textOption } from "./verb.ts";

export interface RenderFormat {
  /** Of files: `.nft`. */
  readonly extension: string;
  render(program: NodeProgram, nodeName: string): string;
}

/** A backend that is not named follows from the form; a form that is not, from the backend. Throws CommandError where they contradict. */
export function renderFormat(options: OptionValues): RenderFormat {
  const output = textOption(options, "output");
  const backend = wantedBackend(options) ?? (output === "iptables" ? "iptables" : "nft");
  const isJson = output === "json";
  if (output !== undefined && !isJson && output !== backend) {
    throw new CommandError(
      2,
      `-o ${output} is no form of rules of ${backend}`,
      `write -o ${backend} or -o json, or leave one of -o and --backend out`,
    );
  }
  if (flagOption(options, "jsonTypeof") && !(isJson && backend === "nft"))
    throw new CommandError(2, "--json-typeof needs -o json, with nft", "the text form declares sets by typeof anyway");
  if (backend === "iptables") return isJson ? IPTABLES_JSON : IPTABLES_SCRIPT;
  return isJson ? nftJson(flagOption(options, "jsonTypeof") ? "typeof" : "type") : NFT_TEXT;
}

const NFT_TEXT: RenderFormat = {
  extension: ".nft",
  render: (program) => renderText(compileRuleset(program)),
};

function nftJson(declaration: JsonDeclaration): RenderFormat {
  return { extension: ".json", render: (program) => renderJson(compileRuleset(program), declaration) };
}

/** One file that brings everything about in the right order, and may be run again; three files for the tools would not. */
const IPTABLES_SCRIPT: RenderFormat = {
  extension: ".sh",
  render: (program) => renderScript(iptables.compileRuleset(program)),
};

const IPTABLES_JSON: RenderFormat = {
  extension: ".json",
  render: (program, node) => jsonDocument("IptablesRules", { node, ...rulesetData(iptables.compileRuleset(program)) }),
};
