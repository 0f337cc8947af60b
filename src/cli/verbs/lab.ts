// `nftpol lab`: policies tried with real packets. Chooses what is to be done; each of it is a module of its own.

import { LabError } from "../../lab/lab-error.ts";
import { runDemo } from "../lab/demo.ts";
import { runLab } from "../lab/run.ts";
import { CommandError, type ExitCode, type OptionValues, type VerbContext, type VerbRun } from "../verb.ts";

const ACTIONS: Readonly<
  Record<string, (args: readonly string[], options: OptionValues, context: VerbContext) => Promise<ExitCode>>
> = {
  run: runLab,
  demo: runDemo,
};

export const run: VerbRun = async ([action = "", ...args], options, context) => {
  const act = ACTIONS[action];
  if (act === undefined) throw new CommandError(2, `lab: unknown action ${JSON.stringify(action)}`);
  try {
    return await act(args, options, context);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    throw new CommandError(3, error.message, error.hint, { cause: error });
  }
};
