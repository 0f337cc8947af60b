// Who is behind which address, held for good: nobody asks meanwhile, and rules that deny everything deny no such questions, which on a
// bridge cross them, too.

import { setTimeout as delay } from "node:timers/promises";
import { mustRun } from "../../test/support/lab-netns.ts";

interface Neighbour {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
}

const TRIES = 50;
const BETWEEN_TRIES_MS = 10;

/** All that the namespaces' packets have asked for so far; waits for answers. */
export async function holdNeighbours(namespaces: readonly string[]): Promise<void> {
  for (const ns of namespaces) {
    const known = await answeredNeighbours(ns);
    const commands = known.map(
      ({ dst, dev, lladdr }) => `neigh replace ${dst} lladdr ${lladdr} dev ${dev} nud permanent\n`,
    );
    await mustRun(ns, ["ip", "-batch", "-"], commands.join(""));
  }
}

async function answeredNeighbours(ns: string): Promise<readonly Neighbour[]> {
  for (let tries = 1; ; tries++) {
    const listed = JSON.parse((await mustRun(ns, ["ip", "-json", "neigh", "show"])) || "[]") as readonly Neighbour[];
    if (listed.every(({ lladdr }) => lladdr !== undefined)) return listed;
    if (tries === TRIES) throw new Error(`no answer from the neighbours: ${JSON.stringify(listed)}`);
    await delay(BETWEEN_TRIES_MS);
  }
}
