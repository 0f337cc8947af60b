// What of ours is in this kernel, in whichever variant of iptables: for those who have no agent to ask, and for its removal. Looks
// only: no table is made, and no module loaded, by looking.

import { FAMILIES, type Family } from "../../../net/address.ts";
import { BackendError } from "../../backend.ts";
import { PREFIX } from "../names.ts";
import { type FoundRules, readBack } from "../read-back.ts";
import { VARIANTS, type Variant } from "../xtables-version.ts";
import { legacyTables, PROC_NET } from "./choose-variant.ts";
import { DEFAULT_IPSET, IpsetProgram } from "./ipset-program.ts";
import { DEFAULT_XTABLES, findXtables, type XtablesPrograms, type XtablesSettings } from "./xtables-programs.ts";

/** Chains or jumps of ours. */
export interface OursInVariant {
  readonly variant: Variant;
  readonly programs: XtablesPrograms;
  /** In which there are some. */
  readonly families: readonly Family[];
  /** With all our sets, whichever variant looks them up. */
  readonly found: FoundRules;
}

export interface FoundOurs {
  readonly variants: readonly OursInVariant[];
  /** Also those that no rule looks up. */
  readonly sets: readonly string[];
  /** Why it was not possible to look where something of ours may be. */
  readonly problems: readonly BackendError[];
  /** Whether any variant is. */
  readonly isInstalled: boolean;
}

export interface LookSettings {
  readonly xtables?: XtablesSettings;
  readonly ipset?: IpsetProgram;
  /** /proc/net of the network namespace that the programs work in. */
  readonly procNet?: string;
  readonly kernel: KernelNames;
}

/** Asked where programs are missing, or cannot tell. Throw BackendError where that cannot be found out. */
export interface KernelNames {
  /** Whether nftables hold a chain of such a name in `ip filter` (`ip6 filter`). */
  hasNftChain(family: Family, prefix: string): Promise<boolean>;
  /** Whether there is a set of such a name. */
  hasSet(prefix: string): Promise<boolean>;
}

/** Cost: ten to fifteen short children. */
export async function findOurs(settings: LookSettings): Promise<FoundOurs> {
  const { xtables = DEFAULT_XTABLES, ipset = new IpsetProgram(DEFAULT_IPSET) } = settings;
  const problems: BackendError[] = [];
  const sets = await setsOrProblem(ipset, problems);
  const variants: OursInVariant[] = [];
  let isInstalled = false;
  for (const variant of VARIANTS) {
    const programs = await findXtables(variant, xtables);
    isInstalled ||= programs !== undefined;
    const rules: Partial<Record<Family, string>> = {};
    for (const family of FAMILIES) {
      try {
        const text = await savedRules(variant, family, programs, settings);
        if (text !== undefined) rules[family] = text;
      } catch (error) {
        if (!(error instanceof BackendError)) throw error;
        problems.push(error);
      }
    }
    const found = readBack({ rules, sets: sets ?? "" });
    const families = FAMILIES.filter((family) => found.ruleset.chains[family].size + found.jumps[family].length > 0);
    if (programs !== undefined && families.length > 0) variants.push({ variant, programs, families, found });
  }
  if (sets === undefined && variants.length > 0) problems.push(noIpset());
  const names = [...readBack({ rules: {}, sets: sets ?? "" }).ruleset.sets.keys()];
  return { variants, sets: names, problems, isInstalled };
}

/** undefined: ipset is not installed. */
async function setsOrProblem(ipset: IpsetProgram, problems: BackendError[]): Promise<string | undefined> {
  try {
    return await ipset.save();
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    if (error.kind === "not-installed") return undefined;
    // A kernel that knows no sets has none.
    if (error.kind !== "unsupported") problems.push(error);
    return "";
  }
}

/** The table filter; undefined: nothing of ours can be there. Throws BackendError where it may be, and it cannot be read. */
async function savedRules(
  variant: Variant,
  family: Family,
  programs: XtablesPrograms | undefined,
  { procNet = PROC_NET, kernel }: LookSettings,
): Promise<string | undefined> {
  // The kernel makes the table that a program of legacy asks for.
  if (variant === "legacy" && !(await legacyTables(family, procNet)).includes("filter")) return undefined;
  try {
    if (programs?.families.includes(family)) return await programs.save(family);
    throw missing(variant, family);
  } catch (error) {
    const isUseless = error instanceof BackendError && (error.kind === "not-installed" || error.kind === "unsupported");
    if (isUseless && !(await mayHoldOurs(variant, family, kernel))) return undefined;
    throw error;
  }
}

/** Of legacy the kernel tells no names; but our rules look sets up, which are there as long as they are. */
function mayHoldOurs(variant: Variant, family: Family, kernel: KernelNames): Promise<boolean> {
  return variant === "nft" ? kernel.hasNftChain(family, PREFIX) : kernel.hasSet(PREFIX);
}

function missing(variant: Variant, family: Family): BackendError {
  const program = family === 4 ? "iptables" : "ip6tables";
  const what =
    variant === "nft" ? `rules of nftpol are in ${program} (nft)` : `rules of nftpol may be in ${program} (legacy)`;
  return new BackendError("not-installed", `${what}, and the program ${program}-${variant} is not installed`, {
    hint: `install the package iptables, with ${program}-${variant}`,
  });
}

function noIpset(): BackendError {
  return new BackendError("not-installed", "rules of nftpol are in iptables, and the program ipset is not installed", {
    hint: "install the package ipset",
  });
}
