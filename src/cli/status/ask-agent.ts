// Asks the agent of this node for its status.

import type { AgentStatus } from "../../agent/agent-status.ts";
import { parseListenAddress } from "../../agent/http-server.ts";
import { CommandError } from "../verb.ts";

const PATIENCE_MS = 5_000;

/** undefined: nobody answers there. Throws CommandError when somebody else answers, or the address is none (exit code 2). */
export async function askAgent(address: string): Promise<AgentStatus | undefined> {
  const parsed = parseListenAddress(address);
  if (parsed === undefined) throw new CommandError(2, `--health-address ${JSON.stringify(address)} is no address`);
  const host = parsed.host === "" || parsed.host === "0.0.0.0" || parsed.host === "::" ? "127.0.0.1" : parsed.host;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${parsed.port}/status`;
  let answer: Response;
  let body: string;
  try {
    answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    body = await answer.text();
  } catch {
    return undefined;
  }
  const status = answer.ok ? parseStatus(body) : undefined;
  if (status === undefined) {
    throw new CommandError(
      3,
      `what answers at ${address} is no nftpol agent`,
      "name the agent's own with --health-address",
    );
  }
  return status;
}

function parseStatus(body: string): AgentStatus | undefined {
  try {
    const value = JSON.parse(body) as Partial<AgentStatus> | null;
    return value?.kind === "AgentStatus" && value.apiVersion === "nftpol/v1" ? (value as AgentStatus) : undefined;
  } catch {
    return undefined;
  }
}
