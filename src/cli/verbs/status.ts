// `nftpol status`: what the agent of this node says of itself; without one, what the kernel holds.

import { BackendError } from "../../backends/backend.ts";
import { listTableJson } from "../../backends/nft/io/nft-process.ts";
import { isolatedSet } from "../../backends/nft/names.ts";
import { readTable } from "../../backends/nft/read-back.ts";
import { TABLE } from "../../backends/nft/ruleset.ts";
import { FAMILIES } from "../../net/address.ts";
import { askAgent } from "../status/ask-agent.ts";
import { formatStatus } from "../status/status-text.ts";
import { countOf } from "../terminal-text.ts";
import { textOption, type VerbContext, type VerbRun } from "../verb.ts";

/** Exit code 0: all is well; 1: no agent, or rules that are not as the policies say. */
export const run: VerbRun = async (_args, options, context) => {
  const address = textOption(options, "healthAddress") as string;
  const status = await askAgent(address);
  if (status === undefined) return tellWithoutAgent(address, context);
  const format = textOption(options, "output");
  if (format === "json") context.stdout(`${JSON.stringify(status, null, 2)}\n`);
  else context.stdout(formatStatus(status, { now: Date.now(), wide: format === "wide" }));
  return status.sync.inForce ? 0 : 1;
};

async function tellWithoutAgent(address: string, context: VerbContext): Promise<1> {
  context.stderr(`nftpol: no agent answers at ${address}\n`);
  try {
    const json = await listTableJson(TABLE);
    if (json === undefined) {
      context.stderr("  and there are no rules of nftpol in this kernel: nothing is enforced\n");
      return 1;
    }
    const { ruleset } = readTable(TABLE, json);
    const pods = FAMILIES.map((family) => ruleset.sets.get(isolatedSet(family))?.elements.size ?? 0);
    const addresses = pods.reduce((sum, count) => sum + count, 0);
    context.stderr(
      `  the rules of an earlier one are in the kernel and go on being enforced, for ${countOf(addresses, "pod address", "pod addresses")}\n`,
    );
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    context.stderr(`  ${error.message}\n`);
  }
  return 1;
}
