// A program that writes for the agent (nft, iptables, ipset) killed at its work. Owns the moments, and the wait until all is well again.

import { changeOnce, type RunningShop } from "./running-shop.ts";

const REFUSED = "the kernel did not take the change: the old rules stay";
/** From the change at the server to the end of its transaction, and some more. */
const LONGEST_TRANSACTION_MS = 25;
const PATIENCE_MS = 30_000;

/** Kills any child of the agent at random moments after changes, until that has stopped a transaction, or the reading back. */
export async function killProgram({ agent, changes, changeFor, random }: RunningShop): Promise<void> {
  const failures = agent.lines(REFUSED).length;
  const endsAt = performance.now() + PATIENCE_MS;
  while (agent.lines(REFUSED).length === failures) {
    if (performance.now() > endsAt) throw new Error("no program was at work when it was killed");
    changes.makeNext();
    await new Promise((resolve) => setTimeout(resolve, random() * LONGEST_TRANSACTION_MS));
    const pids = agent.children();
    const pid = pids[Math.floor(random() * pids.length)];
    if (pid === undefined) continue;
    // Stopped it holds what it has begun until it is killed.
    if (random() < 0.5 && signalled(pid, "SIGSTOP")) await changeFor(30);
    signalled(pid, "SIGKILL");
    await changeFor(30);
  }
}

/** Resolves when rules have been written since the agent's log had `from` lines. */
export async function written({ agent, changes }: RunningShop, from: number): Promise<void> {
  const endsAt = performance.now() + PATIENCE_MS;
  while (!agent.log.slice(from).some(({ msg }) => msg === "rules changed" || msg === "rules repaired")) {
    if (performance.now() > endsAt) throw new Error("the agent does not write any more");
    await changeOnce(changes, agent);
  }
}

/** False: it has ended meanwhile. */
function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
