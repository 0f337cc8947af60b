// `nftpol completion`: a script for the shell.

import { bashCompletion, fishCompletion, zshCompletion } from "../completion-scripts.ts";
import { CommandError, type VerbRun } from "../verb.ts";

const SCRIPTS: Readonly<Record<string, () => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export const run: VerbRun = async ([shell = ""], _options, context) => {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined)
    throw new CommandError(2, `no completion for ${JSON.stringify(shell)}`, "bash, zsh or fish");
  context.stdout(script());
  return 0;
};
