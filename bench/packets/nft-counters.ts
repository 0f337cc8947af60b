// Named counters of nft, taken one by one in one run: a listing reads all elements of all sets before, which takes seconds where they
// are many, and a dump that resets loses what it has no room for in one message of the kernel's.

import type { RunInNode } from "./backend.ts";

/** Packets since they were taken last. `table`: with its family. */
export async function takeNftCounters(
  run: RunInNode,
  table: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const commands = names.map((name) => `reset counter ${table} ${name}\n`).join("");
  return commands === "" ? new Map() : countersInText(await run(["nft", "-f", "-"], commands));
}

/** In what nft prints of them. */
export function countersInText(text: string): ReadonlyMap<string, number> {
  const found = text.matchAll(/counter (\S+) \{\s+packets (\d+)/g);
  return new Map([...found].map(([, name = "", packets]) => [name, Number(packets)]));
}
