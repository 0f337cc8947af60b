// Takes away what is ours, in one variant of iptables and among the sets. For what an agent changes see `iptables-kernel-rules.ts`.

import { setTimeout as sleep } from "node:timers/promises";
import { BackendError } from "../../backend.ts";
import { saysNoSuchSet, saysSetInUse } from "../ipset-output.ts";
import { differenceTo, NOTHING_DESIRED } from "../repair.ts";
import { stageText } from "../stages.ts";
import type { OursInVariant } from "./find-ours.ts";
import type { IpsetProgram } from "./ipset-program.ts";

/**
 * Chains and jumps, of each family in one step. Returns why chains stay, empty, where they could not be deleted: a rule of somebody
 * else leads to one. Throws BackendError where rules stay.
 */
export async function removeRules(ours: OursInVariant): Promise<BackendError | undefined> {
  try {
    await writeNothing(ours, false);
    return undefined;
  } catch (error) {
    if (!(error instanceof BackendError) || error.kind !== "refused") throw error;
    await writeNothing(ours, true);
    return error;
  }
}

async function writeNothing({ programs, families, found }: OursInVariant, keepsChains: boolean): Promise<void> {
  for (const stage of differenceTo(found, NOTHING_DESIRED, keepsChains).stages)
    if (stage.kind === "rules" && families.includes(stage.family))
      await programs.restore(stage.family, stageText(stage));
}

/** The kernel gives the sets of deleted rules free a little later than the rules are gone. */
const FREE_ATTEMPTS = 20;
const FREE_RETRY_MS = 50;

/** Destroys those of the sets that are there. Returns those that stay, since something looks them up. Throws BackendError. */
export async function removeSets(ipset: IpsetProgram, names: readonly string[]): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt++) {
    const left = await destroyUnused(ipset, names);
    if (left.length === 0 || attempt > FREE_ATTEMPTS) return left;
    await sleep(FREE_RETRY_MS);
  }
}

/** The same in one attempt. */
export async function destroyUnused(ipset: IpsetProgram, names: readonly string[]): Promise<readonly string[]> {
  const references = await ipset.references();
  const there = names.filter((name) => references.has(name));
  const unused = there.filter((name) => references.get(name) === 0);
  await destroy(ipset, unused);
  return unused.length === 0 ? there : stillThere(ipset, there);
}

async function stillThere(ipset: IpsetProgram, names: readonly string[]): Promise<readonly string[]> {
  const references = await ipset.references();
  return names.filter((name) => references.has(name));
}

/** What somebody takes into use or destroys meanwhile is for the next attempt. */
async function destroy(ipset: IpsetProgram, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  try {
    await ipset.restore(stageText({ kind: "destroy-sets", sets: names }));
  } catch (error) {
    if (!(error instanceof BackendError) || !(saysSetInUse(error) || saysNoSuchSet(error))) throw error;
  }
}
