// Many commands of iproute2 in one process. Owns how they end before their own end, and what they say when they fail.

import { spawn } from "node:child_process";
import { LabError } from "./lab-error.ts";
import type { Leash } from "./leash.ts";
import { programEnvironment } from "./program-environment.ts";

/** Ctrl-C is sent to a terminal's whole group: not to what builds and removes. `spawnSync` knows this option, its types do not. */
export const OWN_GROUP = { detached: true };

/** What a shell says of a program that is not there, and setpriv of what it is to start. */
const NOT_FOUND = 127;

/** Commands for one process. */
export interface Batch {
  readonly program: "ip" | "bridge";
  readonly args: readonly string[];
  readonly commands: readonly string[];
}

/** What ends a batch before its own end. */
export interface BatchTies {
  readonly leash: Leash;
  readonly signal: AbortSignal;
}

/** Resolves when all commands are done. Throws LabError with what the program says, or the signal's reason; no process is left then. */
export function runBatch({ program, args, commands }: Batch, { leash, signal }: BatchTies): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason);
  if (commands.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const [first = program, ...rest] = [...leash("KILL"), program, ...args, "-batch", "-"];
    const child = spawn(first, rest, { env: programEnvironment(), stdio: ["pipe", "ignore", "pipe"], ...OWN_GROUP });
    const end = () => child.kill("SIGKILL");
    signal.addEventListener("abort", end, { once: true });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    // One that ends before it has read everything tells why.
    child.stdin.on("error", () => {});
    child.stdin.end(`${commands.join("\n")}\n`);
    child.on("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") reject(missing(program));
      else reject(new LabError(`${program} could not be started: ${cause.message}`, undefined, cause));
    });
    child.on("close", (code) => {
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve();
      else if (code === NOT_FOUND) reject(missing(program));
      else reject(new LabError(`${program}: ${describeFailure(said, commands)}`));
    });
  });
}

/** Runs them at the same time. As runBatch, but that all have ended when it throws. */
export async function runBatches(batches: readonly Batch[], ties: BatchTies): Promise<void> {
  const results = await Promise.allSettled(batches.map((batch) => runBatch(batch, ties)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

function missing(program: string): LabError {
  return new LabError(`the program ${program} is not installed`, "install the package iproute2");
}

/** iproute2 says `Command failed -:7`. */
function describeFailure(said: string, commands: readonly string[]): string {
  const line = /Command failed -:(\d+)/.exec(said)?.[1];
  const command = line === undefined ? undefined : commands[Number(line) - 1];
  const reason = said.split("\n").find((each) => each !== "" && !each.startsWith("Command failed")) ?? "it failed";
  return command === undefined ? reason : `${reason} (${command})`;
}
