// Whether this node can hold our rules: every kind of them is put into a scratch chain that nothing leads to, with scratch sets,
// and taken out again. iptables has no other way to ask the kernel: `--test` ends before it.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Family } from "../../../net/address.ts";
import type { ProgramOptions } from "../../../program/program.ts";
import { BackendError, type BackendFacts } from "../../backend.ts";
import { saysNoSuchSet, saysSetInUse } from "../ipset-output.ts";
import {
  type Feature,
  neededFeatures,
  PROBE_SETS,
  probeSets,
  probeSetsText,
  probeText,
  removalText,
} from "../probe-rules.ts";
import type { IpSet } from "../ruleset.ts";
import { saysLockHeld } from "../xtables-output.ts";
import type { Variant } from "../xtables-version.ts";
import { type ChosenVariant, PROC_NET } from "./choose-variant.ts";
import type { IpsetProgram } from "./ipset-program.ts";
import type { XtablesPrograms } from "./xtables-programs.ts";

export interface IptablesFacts extends BackendFacts {
  readonly variant: Variant;
  /** Families that are judged: both, or 4 alone where the kernel has no IPv6. */
  readonly families: readonly Family[];
}

/**
 * Throws BackendError that says what is missing and what to do. Leaves nothing behind but the table `filter`, empty, where there was
 * none; after a crash, the next probe takes away what this one left. Cost: ten to twenty short children.
 */
export async function probeIptables(
  chosen: ChosenVariant,
  ipset: IpsetProgram,
  options: ProgramOptions,
  procNet = PROC_NET,
): Promise<IptablesFacts> {
  const { programs, variant } = chosen;
  const { families, warnings } = judgedFamilies(programs, procNet);
  const ipsetVersion = await ipset.version();
  await removeScratch(programs, ipset, families);
  let removal: readonly string[] = [];
  try {
    for (const family of families) {
      await trySets(ipset, probeSets(family));
      await tryRules(programs, family, neededFeatures(family, options));
    }
  } finally {
    removal = await removalWarnings(programs, ipset, families);
  }
  return {
    version: `${programs.version.text}, ${ipsetVersion}`,
    writer: programs.writer,
    variant,
    families,
    warnings: [...chosen.warnings, ...versionWarnings(programs), ...warnings, ...removal],
  };
}

/**
 * Where the kernel has no IPv6 at all (`ipv6.disable=1`, or built so), it takes no packet of it, and there is nothing to judge. Where it
 * has, addresses may come at any time (`disable_ipv6` is but a setting of interfaces): rules for one family would leave the other open.
 */
export function judgedFamilies(programs: XtablesPrograms, procNet = PROC_NET) {
  if (!existsSync(join(procNet, "if_inet6")))
    return { families: [4] as const, warnings: ["this kernel has no IPv6: only IPv4 is judged"] };
  if (!programs.families.includes(6))
    throw new BackendError("not-installed", "the program ip6tables is not installed, and this kernel has IPv6", {
      hint: "install the package iptables with ip6tables (of the same variant), or start the kernel with ipv6.disable=1",
    });
  return { families: [4, 6] as const, warnings: [] };
}

function versionWarnings({ version }: XtablesPrograms): readonly string[] {
  const { text, restoreWaits, isImmature } = version;
  const warnings: string[] = [];
  if (!restoreWaits)
    warnings.push(`${text}: its restore does not wait for other programs that change rules; use iptables >= 1.6.2`);
  if (isImmature) warnings.push(`${text}: the variant nft of it has bugs; use iptables >= 1.8.4`);
  return warnings;
}

async function trySets(ipset: IpsetProgram, sets: readonly IpSet[]): Promise<void> {
  const refusal = await refusalOf(() => ipset.restore(probeSetsText(sets), { exist: true }));
  if (refusal === undefined) return;
  for (const set of sets) {
    const reason = await refusalOf(() => ipset.restore(probeSetsText([set]), { exist: true }));
    if (reason === undefined) continue;
    throw lack(`sets of type ${set.type} for IPv${set.family}`, moduleOf(set), reason);
  }
  throw refusal;
}

function moduleOf({ type }: IpSet): string {
  return `kernel modules ip_set and ip_set_${type.replace(/[:,]/g, "_").replace("ip_port", "ipport")}`;
}

async function tryRules(programs: XtablesPrograms, family: Family, features: readonly Feature[]): Promise<void> {
  const refusal = await refusalOf(() => programs.restore(family, probeText(family, features)));
  if (refusal === undefined) return;
  for (const feature of features) {
    const reason = await refusalOf(() => programs.restore(family, probeText(family, [feature])));
    if (reason !== undefined) throw lack(`${feature.name} for IPv${family}`, feature.needs, reason);
  }
  throw new BackendError("unsupported", `kernel or iptables refuse our rules for IPv${family}: ${refusal.message}`, {
    hint: refusal.hint,
    output: refusal.output,
    cause: refusal,
  });
}

function lack(what: string, needs: string, reason: BackendError): BackendError {
  return new BackendError("unsupported", `this node lacks ${what}: ${reason.message}`, {
    hint: `needed: ${needs}`,
    output: reason.output,
    cause: reason,
  });
}

/** Why it does not go; undefined: it goes. Throws BackendError when that cannot be found out. */
async function refusalOf(attempt: () => Promise<void>): Promise<BackendError | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (!(error instanceof BackendError) || saysLockHeld(error)) throw error;
    if (error.kind === "refused" || error.kind === "unsupported") return error;
    throw error;
  }
}

/** The error that matters is the probe's own, if it has one. */
async function removalWarnings(
  programs: XtablesPrograms,
  ipset: IpsetProgram,
  families: readonly Family[],
): Promise<readonly string[]> {
  try {
    await removeScratch(programs, ipset, families);
    return [];
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return [`what was made to probe could not be removed: ${error.message}`];
  }
}

/** Rules first: a set that is looked up stays. */
async function removeScratch(programs: XtablesPrograms, ipset: IpsetProgram, families: readonly Family[]) {
  for (const family of families) await programs.restore(family, removalText());
  const names = await ipset.names();
  for (const name of PROBE_SETS) if (names.includes(name)) await destroy(ipset, name);
}

const FREE_ATTEMPTS = 20;
const FREE_RETRY_MS = 50;

async function destroy(ipset: IpsetProgram, name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await ipset.restore(`destroy ${name}\n`);
      return;
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      if (saysNoSuchSet(error)) return;
      if (!saysSetInUse(error) || attempt === FREE_ATTEMPTS) throw error;
      await sleep(FREE_RETRY_MS);
    }
  }
}
