// Looks which variants of iptables are here and what other software keeps in them. Changes nothing; `variant.ts` decides.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Family } from "../../../net/address.ts";
import { BackendError } from "../../backend.ts";
import { decideVariant, type HeldRules, heldRules, NO_RULES, united, type VariantDecision } from "../variant.ts";
import { VARIANTS, type Variant } from "../xtables-version.ts";
import {
  DEFAULT_XTABLES,
  findXtables,
  readXtablesVersion,
  type XtablesPrograms,
  type XtablesSettings,
} from "./xtables-programs.ts";

export interface ChosenVariant extends VariantDecision {
  readonly programs: XtablesPrograms;
  /** `iptables v1.8.9 (nf_tables)`; undefined: not installed. */
  readonly versions: Readonly<Record<Variant, string | undefined>>;
  /** Variants that hold chains of ours; one that is not chosen now has rules of an earlier run, in force until they are removed. */
  readonly holdOurs: readonly Variant[];
}

/** /proc/net of the network namespace that the programs work in. */
export const PROC_NET = "/proc/net";

/**
 * Looks at both and decides (`decideVariant`). Throws BackendError: "not-installed" where there is no iptables or not the one that is
 * wished, else why it was not possible to look.
 */
export async function chooseVariant(
  wish: Variant | undefined,
  settings: XtablesSettings = DEFAULT_XTABLES,
  procNet = PROC_NET,
): Promise<ChosenVariant> {
  const seen = {
    nft: await see("nft", lookAtNft, settings),
    legacy: await see("legacy", (programs) => lookAtLegacy(programs, procNet), settings),
  };
  const plain = (await readXtablesVersion("iptables", settings))?.variant;
  const decision = decideVariant(wish, { held: { nft: seen.nft.held, legacy: seen.legacy.held }, plain });
  const chosen = decision === undefined ? undefined : seen[decision.variant].programs;
  if (decision === undefined || chosen === undefined)
    throw (wish === undefined ? (seen.nft.problem ?? seen.legacy.problem) : seen[wish].problem) ?? notInstalled(wish);
  return {
    ...decision,
    warnings: [...decision.warnings, ...VARIANTS.flatMap((variant) => unusable(variant, seen[variant].problem))],
    programs: chosen,
    versions: { nft: seen.nft.programs?.version.text, legacy: seen.legacy.programs?.version.text },
    holdOurs: VARIANTS.filter((variant) => seen[variant].held?.hasOurs),
  };
}

interface SeenVariant {
  /** undefined: not installed. */
  readonly programs: XtablesPrograms | undefined;
  /** undefined: not installed, or not possible with this kernel, which `problem` then says. */
  readonly held: HeldRules | undefined;
  readonly problem: BackendError | undefined;
}

async function see(
  variant: Variant,
  look: (programs: XtablesPrograms) => Promise<HeldRules>,
  settings: XtablesSettings,
): Promise<SeenVariant> {
  const programs = await findXtables(variant, settings);
  if (programs === undefined) return { programs, held: undefined, problem: undefined };
  try {
    return { programs, held: await look(programs), problem: undefined };
  } catch (error) {
    if (!(error instanceof BackendError) || error.kind !== "unsupported") throw error;
    return { programs, held: undefined, problem: error };
  }
}

function unusable(variant: Variant, problem: BackendError | undefined): readonly string[] {
  return problem === undefined ? [] : [`the variant ${variant} of iptables cannot be used here: ${problem.message}`];
}

async function lookAtNft(programs: XtablesPrograms): Promise<HeldRules> {
  const families: HeldRules[] = [];
  for (const family of programs.families) families.push(heldRules(await programs.saveAll(family)));
  return united(families);
}

/** Asks only where there are tables: the kernel makes those that a program of legacy asks for, and loads what they need. */
async function lookAtLegacy(programs: XtablesPrograms, procNet: string): Promise<HeldRules> {
  const families: HeldRules[] = [];
  for (const family of programs.families) {
    const isEmpty = (await legacyTables(family, procNet)).length === 0;
    families.push(isEmpty ? NO_RULES : heldRules(await programs.saveAll(family)));
  }
  return united(families);
}

/** The tables that iptables-legacy has in this network namespace. Throws BackendError. */
export async function legacyTables(family: Family, procNet: string): Promise<readonly string[]> {
  const file = join(procNet, family === 4 ? "ip_tables_names" : "ip6_tables_names");
  try {
    return (await readFile(file, "utf8")).split("\n").filter((name) => name !== "");
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    // The kernel has no iptables, or has not loaded it yet.
    if (cause.code === "ENOENT") return [];
    const kind = cause.code === "EACCES" || cause.code === "EPERM" ? "not-permitted" : "broken";
    throw new BackendError(kind, `cannot read ${file}: ${cause.message}`, { hint: "run as root", cause });
  }
}

function notInstalled(wish: Variant | undefined): BackendError {
  return wish === undefined
    ? new BackendError("not-installed", "the program iptables is not installed", {
        hint: "install the package iptables",
      })
    : new BackendError("not-installed", `the variant ${wish} of iptables is not installed`, {
        hint: `install the package iptables, with iptables-${wish}, or ask for no variant`,
      });
}
