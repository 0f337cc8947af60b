// Neighbour tables of a lab's namespaces: emptied, and asked whether somebody's link address is known.

import { readdirSync, writeFileSync } from "node:fs";
import type { LabNetwork } from "../../src/lab/lab-network.ts";
import type { Address } from "../../src/net/address.ts";
import { labNetns, mustRun } from "./lab-netns.ts";
import { until } from "./until.ts";

/** Longer than the kernel asks for a neighbour, which it does three times, a second apart. */
const PATIENCE_MS = 5000;

/**
 * Permanent entries stay: those of a tunnel are configuration. From then on a neighbour that is known because it asked is soon asked
 * itself.
 */
export async function flushNeighbours({ inside }: LabNetwork, namespaces: readonly string[]): Promise<void> {
  for (const name of namespaces) {
    inside(name, askSoon);
    await mustRun(name, ["ip", "neigh", "flush", "all"]);
  }
}

function askSoon(): void {
  for (const folder of ["/proc/sys/net/ipv4/neigh", "/proc/sys/net/ipv6/neigh"])
    for (const link of readdirSync(folder)) writeFileSync(`${folder}/${link}/delay_first_probe_time`, "1");
}

/** Whether the neighbour has answered since the table was empty: true as soon as it has, false when the kernel has given up. */
export async function isResolved(ns: string, address: Address): Promise<boolean> {
  const state = async () => /\b(REACHABLE|FAILED)\b/.exec((await show(ns, address)).trim())?.[1];
  let found: string | undefined;
  await until(
    `what becomes of neighbour ${address}`,
    async () => {
      found = await state();
      return found !== undefined;
    },
    PATIENCE_MS,
  ).catch(() => {});
  return found === "REACHABLE";
}

async function show(ns: string, address: Address): Promise<string> {
  return (await labNetns(ns).run(["ip", "neigh", "show", "to", address])).stdout;
}
