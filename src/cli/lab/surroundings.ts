// What a lab needs of the process and the machine it runs on.

import type { SelfCommand } from "../../lab/node-agent.ts";
import { CommandError } from "../verb.ts";

/** How to start this program again. */
export function selfCommand(): SelfCommand {
  const [program, script] = process.argv;
  if (program === undefined || script === undefined) throw new Error("a process without a program");
  return [program, ...process.execArgv, script];
}

/** Why no lab can be made here; undefined: nothing is known that speaks against it. */
export function missingRights(): string | undefined {
  if (process.platform !== "linux") return `network namespaces are Linux's, and this is ${process.platform}`;
  if (process.geteuid?.() !== 0) return "the lab makes network namespaces, which only root may";
  return undefined;
}

/** Throws CommandError with exit code 3. */
export function refuseWithoutRights(): void {
  const reason = missingRights();
  if (reason === undefined) return;
  throw new CommandError(3, reason, "run it with sudo; nftpol matrix, explain and prove need no rights");
}
