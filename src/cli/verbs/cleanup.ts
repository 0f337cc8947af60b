// `nftpol cleanup`: removes our table from this kernel, and nothing else.

import { BackendError } from "../../backends/backend.ts";
import { NftKernelTable } from "../../backends/nft/io/nft-kernel-table.ts";
import { DEFAULT_NFT } from "../../backends/nft/io/nft-process.ts";
import { TABLE } from "../../backends/nft/ruleset.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../program/program.ts";
import { CommandError, flagOption, type VerbRun } from "../verb.ts";

export const run: VerbRun = async (_args, options, context) => {
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
