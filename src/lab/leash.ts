// Ties child processes to this one: they end with it, even when it is killed. Owns how; it is done by setpriv of util-linux.

import { spawnSync } from "node:child_process";

/** Words to put before a command. Where there are none, what a killed lab started is ended by the next lab. */
export type Leash = (signal: "KILL" | "TERM" | "HUP") => readonly string[];

/** Looks for what is needed; takes some milliseconds. The commands are started from the main thread, or they end with the other one. */
export function findLeash(): Leash {
  const leash: Leash = (signal) => ["setpriv", "--pdeathsig", signal];
  const [program = "", ...args] = [...leash("KILL"), "true"];
  const { status } = spawnSync(program, args, { stdio: "ignore" });
  return status === 0 ? leash : () => [];
}
