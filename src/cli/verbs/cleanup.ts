// `nftpol cleanup`: removes our rules from this kernel, whichever backend has written them, and nothing else.

import { BackendError } from "../../backends/backend.ts";
import { removeHeld } from "../in-force/removal.ts";
import { DEFAULT_HEALTH_ADDRESS } from "../shared-options.ts";
import { askAgent } from "../status/ask-agent.ts";
import { printable } from "../terminal-text.ts";
import { CommandError, flagOption, type VerbContext, type VerbRun } from "../verb.ts";

const PATIENCE_MS = 1_000;

export const run: VerbRun = async (_args, options, context) => {
  await warnOfAgent(context);
  const isDryRun = flagOption(options, "dryRun");
  const { removed, problems } = await removeHeld(isDryRun).catch((error: unknown) => {
    if (!(error instanceof BackendError)) throw error;
    throw new CommandError(3, error.message, error.hint, { cause: error });
  });
  for (const what of removed) context.stdout(`${isDryRun ? "would remove" : "removed"} ${printable(what)}\n`);
  for (const { message, hint } of problems) {
    context.stderr(`nftpol: ${printable(message)}\n`);
    if (hint !== undefined) context.stderr(`  ${printable(hint)}\n`);
  }
  if (problems.length > 0) return 3;
  if (removed.length === 0) context.stdout("nothing to remove: there are no rules of nftpol in this kernel\n");
  return 0;
};

/** An agent at another address is not found: whoever chose that knows of it. */
async function warnOfAgent(context: VerbContext): Promise<void> {
  const answer = await askAgent(DEFAULT_HEALTH_ADDRESS, PATIENCE_MS).catch((error: unknown) => {
    // Somebody else has the port.
    if (error instanceof CommandError) return undefined;
    throw error;
  });
  if (answer === undefined || answer.kind === "absent") return;
  if (answer.kind === "status" && answer.status.dryRun) return;
  const does = answer.kind === "status" ? "answers" : "may be";
  context.stderr(
    `nftpol: an agent ${does} at ${DEFAULT_HEALTH_ADDRESS}: it will write its rules again\n  end the agent first, then run nftpol cleanup\n`,
  );
}
