// `nftpol cleanup`: removes our table from this kernel, and nothing else.

import { BackendError } from "../../backends/backend.ts";
import { NftKernelTable } from "../../backends/nft/io/nft-kernel-table.ts";
import { DEFAULT_NFT } from "../../backends/nft/io/nft-process.ts";
import { TABLE } from "../../backends/nft/ruleset.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../program/program.ts";
import { DEFAULT_HEALTH_ADDRESS } from "../shared-options.ts";
import { askAgent } from "../status/ask-agent.ts";
import { CommandError, flagOption, type VerbContext, type VerbRun } from "../verb.ts";

const PATIENCE_MS = 1_000;

export const run: VerbRun = async (_args, options, context) => {
  await warnOfAgent(context);
  const kernel = new NftKernelTable({ program: DEFAULT_NFT, options: DEFAULT_PROGRAM_OPTIONS, writer: "child" });
  try {
    const there = flagOption(options, "dryRun") ? (await kernel.read()).kind !== "none" : await kernel.remove();
    const done = flagOption(options, "dryRun") ? "would remove" : "removed";
    context.stdout(there ? `${done} table inet ${TABLE}\n` : `nothing to remove: there is no table inet ${TABLE}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    throw new CommandError(3, error.message, error.hint, { cause: error });
  } finally {
    await kernel.close();
  }
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
