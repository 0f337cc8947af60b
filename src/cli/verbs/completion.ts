// `nftpol completion`: a script for the shell, or the program that kubectl asks.

import { COMPLETION_SCRIPTS } from "../completion-scripts.ts";
import { CommandError, type VerbRun } from "../verb.ts";

export const run: VerbRun = async ([shell = ""], _options, context) => {
  const script = Object.hasOwn(COMPLETION_SCRIPTS, shell) ? COMPLETION_SCRIPTS[shell] : undefined;
  if (script === undefined) {
    const known = Object.keys(COMPLETION_SCRIPTS).join(", ");
    throw new CommandError(2, `no completion for ${JSON.stringify(shell)}`, `there are: ${known}`);
  }
  context.stdout(script.text());
  return 0;
};
