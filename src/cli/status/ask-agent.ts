// Asks the agent of this node for its status.

import { get } from "node:http";
import type { AgentStatus } from "../../agent/agent-status.ts";
import { parseListenAddress } from "../../agent/http-server.ts";
import { CommandError } from "../verb.ts";

const PATIENCE_MS = 5_000;

export type AgentAnswer =
  | { readonly kind: "status"; readonly status: AgentStatus }
  /** Nobody listens there. */
  | { readonly kind: "absent" }
  /** Somebody may be there, and no answer comes. */
  | { readonly kind: "silent"; readonly reason: string };

/** Throws CommandError when somebody else answers, or the address is none (exit code 2). */
export async function askAgent(address: string, patienceMs = PATIENCE_MS): Promise<AgentAnswer> {
  const parsed = parseListenAddress(address);
  if (parsed === undefined) {
    const hint = "write host:port or [IPv6]:port, as the agent's own --health-address has it";
    throw new CommandError(2, `--health-address ${JSON.stringify(address)} is no address`, hint);
  }
  const host = parsed.host === "" || parsed.host === "0.0.0.0" || parsed.host === "::" ? "127.0.0.1" : parsed.host;
  let answer: HttpAnswer;
  try {
    answer = await getStatus(host, parsed.port, patienceMs);
  } catch (error) {
    return withoutAnswer(error as NodeJS.ErrnoException, patienceMs);
  }
  const status = answer.code === 200 ? parseStatus(answer.body) : undefined;
  if (status === undefined) {
    throw new CommandError(
      3,
      `what answers at ${address} is no nftpol agent`,
      "name the agent's own with --health-address",
    );
  }
  return { kind: "status", status };
}

interface HttpAnswer {
  readonly code: number | undefined;
  readonly body: string;
}

/** Not with fetch: that refuses ports which browsers refuse. */
function getStatus(host: string, port: number, patienceMs: number): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const options = { host, port, path: "/status", agent: false, signal: AbortSignal.timeout(patienceMs) };
    const request = get(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ code: response.statusCode, body: Buffer.concat(chunks).toString() }));
    });
    request.on("error", reject);
  });
}

function withoutAnswer({ name, code, message }: NodeJS.ErrnoException, patienceMs: number): AgentAnswer {
  if (name === "AbortError" || name === "TimeoutError")
    return { kind: "silent", reason: `no answer within ${patienceMs / 1000} s` };
  return code === "ECONNREFUSED" ? { kind: "absent" } : { kind: "silent", reason: message };
}

function parseStatus(body: string): AgentStatus | undefined {
  try {
    const value = JSON.parse(body) as Partial<AgentStatus> | null;
    return value?.kind === "AgentStatus" && value.apiVersion === "nftpol/v1" ? (value as AgentStatus) : undefined;
  } catch {
    return undefined;
  }
}
