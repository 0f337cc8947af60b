// Who is asked about this node's links and routes: the kernel by netlink, or the program ip where netlink cannot be had.
// Owns the choice; links.ts and routes.ts own the questions.

import { NetlinkError } from "./netlink-error.ts";
import { loadNetlink, type OpenNetlink } from "./netlink-socket.ts";
import { ProgramError, type ProgramResult, runProgram } from "./run-program.ts";

export type RouteSource =
  | { readonly kind: "netlink"; readonly open: OpenNetlink }
  /** What to run, with arguments that come before ours. */
  | { readonly kind: "program"; readonly program: readonly string[] };

/** Netlink, else the program ip, whether it is installed or not. */
export async function findRouteSource(): Promise<RouteSource> {
  try {
    return { kind: "netlink", open: await loadNetlink() };
  } catch (error) {
    if (error instanceof NetlinkError && error.kind === "unavailable") return { kind: "program", program: ["ip"] };
    throw error;
  }
}

/** What `ip` prints; undefined when it is not installed. Throws ProgramError when it cannot be started otherwise. */
export async function runIp(
  program: readonly string[],
  argv: readonly string[],
): Promise<(ProgramResult & { readonly stdout: string }) | undefined> {
  let stdout = "";
  try {
    const result = await runProgram([...program, ...argv], (line) => {
      stdout += `${line}\n`;
    });
    return { ...result, stdout };
  } catch (error) {
    if (error instanceof ProgramError && error.isMissing) return undefined;
    throw error;
  }
}
