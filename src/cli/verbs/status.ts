// `nftpol status`: what the agent of this node says of itself; without its answer, what the kernel holds.

import { BackendError } from "../../backends/backend.ts";
import { HELP_WIDTH } from "../help.ts";
import { lookForRules } from "../in-force/look.ts";
import { askAgent } from "../status/ask-agent.ts";
import { describeHeldRules, describeProblem } from "../status/held-rules-text.ts";
import { formatStatus } from "../status/status-text.ts";
import { printable } from "../terminal-text.ts";
import { textOption, type VerbContext, type VerbRun } from "../verb.ts";

/** Exit code 0: all is well; 1: no agent, or rules that are not as the policies say. */
export const run: VerbRun = async (_args, options, context) => {
  const address = textOption(options, "healthAddress") as string;
  const answer = await askAgent(address);
  if (answer.kind === "absent") {
    context.stderr(`nftpol: no agent answers at ${address}\n`);
    return await tellKernel("an earlier one", context);
  }
  if (answer.kind === "silent") {
    context.stderr(`nftpol: the agent at ${address} cannot be asked: ${printable(answer.reason)}\n`);
    return await tellKernel("an agent", context);
  }
  const { status } = answer;
  const format = textOption(options, "output");
  const columns = Math.min(context.columns, HELP_WIDTH);
  if (format === "json") context.stdout(`${JSON.stringify(status, null, 2)}\n`);
  else context.stdout(formatStatus(status, { now: Date.now(), wide: format === "wide", columns }));
  return status.sync.inForce ? 0 : 1;
};

async function tellKernel(whose: string, context: VerbContext): Promise<1> {
  for (const line of await kernelLines(whose)) context.stderr(`  ${line}\n`);
  return 1;
}

async function kernelLines(whose: string): Promise<readonly string[]> {
  try {
    return describeHeldRules(await lookForRules(), whose);
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return describeProblem(error, "and what this kernel holds is not known");
  }
}
