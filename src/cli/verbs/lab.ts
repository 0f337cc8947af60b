// `nftpol lab`: policies tried with real packets. Chooses what is to be done; each of it is a module of its own.

import { LabError } from "../../lab/lab-error.ts";
import { runDemo } from "../lab/demo.ts";
import { runLab } from "../lab/run.ts";
import { runLabShell } from "../lab/shell.ts";
import { refuseUnusedOptions } from "../lab/unused-options.ts";
import { CommandError, type VerbRun } from "../verb.ts";

/** The only action with a second word. */
const SHELL = "shell";

const ACTIONS: Readonly<Record<string, VerbRun>> = {
  run: runLab,
  [SHELL]: runLabShell,
  demo: runDemo,
};

export const run: VerbRun = async ([action = "", ...args], options, context) => {
  const act = ACTIONS[action];
  if (act === undefined) throw new CommandError(2, `lab: unknown action ${JSON.stringify(action)}`);
  if (args[0] !== undefined && action !== SHELL) {
    const hint = `manifests are given with -f: -f ${args[0]}`;
    throw new CommandError(2, `lab ${action}: unexpected argument ${JSON.stringify(args[0])}`, hint);
  }
  refuseUnusedOptions(action, options);
  try {
    return await act(args, options, context);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    throw new CommandError(3, error.message, error.hint, { cause: error });
  }
};
