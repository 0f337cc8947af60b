// Removes what this kernel holds of nftpol's rules. Owns the order and what is said of it; each backend removes its own.

import { BackendError } from "../../backends/backend.ts";
import type { FoundOurs, OursInVariant } from "../../backends/iptables/io/find-ours.ts";
import { DEFAULT_IPSET, IpsetProgram } from "../../backends/iptables/io/ipset-program.ts";
import { removeRules, removeSets } from "../../backends/iptables/io/remove-ours.ts";
import { PREFIX } from "../../backends/iptables/names.ts";
import { isBuiltIn } from "../../backends/iptables/ruleset.ts";
import { NftKernelTable } from "../../backends/nft/io/nft-kernel-table.ts";
import { DEFAULT_NFT } from "../../backends/nft/io/nft-process.ts";
import { TABLE } from "../../backends/nft/ruleset.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../program/program.ts";
import { countOf } from "../terminal-text.ts";
import { askNft, lookForIptables } from "./look.ts";

export interface Removal {
  /** What was removed, or would be; one line each. */
  readonly removed: readonly string[];
  /** What could not be removed or looked at. */
  readonly problems: readonly BackendError[];
}

/** What fails does not keep the rest from being removed. Throws BackendError where none of the programs is installed. */
export async function removeHeld(isDryRun: boolean): Promise<Removal> {
  const table = await askNft(() => removeTable(isDryRun));
  const ours = await lookForIptables();
  if (table.missing !== undefined && !ours.isInstalled) throw table.missing;
  const removed = table.answer === true ? [`table inet ${TABLE}`] : [];
  const problems = [...table.problems, ...ours.problems];
  let allGo = true;
  for (const each of ours.variants) {
    const problem = isDryRun ? undefined : await problemOf(() => removeRules(each));
    if (problem === undefined) removed.push(chainsText(each));
    else problems.push(rulesStay(each, problem));
    allGo &&= problem === undefined;
  }
  // Rules that stay keep all their sets.
  const sets = allGo ? await removeOurSets(ours, isDryRun, problems) : 0;
  if (sets > 0) removed.push(`${countOf(sets, "set")} of ipset (${PREFIX}…)`);
  return { removed, problems };
}

async function removeTable(isDryRun: boolean): Promise<boolean> {
  const kernel = new NftKernelTable({ program: DEFAULT_NFT, options: DEFAULT_PROGRAM_OPTIONS, writer: "child" });
  try {
    return isDryRun ? (await kernel.read()).kind !== "none" : await kernel.remove();
  } finally {
    await kernel.close();
  }
}

/** How many; those that stay are among `problems`. */
async function removeOurSets({ sets }: FoundOurs, isDryRun: boolean, problems: BackendError[]): Promise<number> {
  if (isDryRun || sets.length === 0) return sets.length;
  try {
    const left = await removeSets(new IpsetProgram(DEFAULT_IPSET), sets);
    if (left.length > 0) problems.push(setsStay(left));
    return sets.length - left.length;
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    problems.push(error);
    return 0;
  }
}

async function problemOf(remove: () => Promise<void>): Promise<BackendError | undefined> {
  try {
    await remove();
    return undefined;
  } catch (error) {
    if (error instanceof BackendError) return error;
    throw error;
  }
}

function chainsText({ variant, families, found }: OursInVariant): string {
  const counts = families.map((family) => {
    const own = [...found.ruleset.chains[family].keys()].filter((name) => !isBuiltIn(name));
    return `${own.length} of IPv${family}`;
  });
  return `chains of iptables (${PREFIX}…, variant ${variant}): ${counts.join(", ")}`;
}

function rulesStay({ variant }: OursInVariant, { kind, message, hint, output, ...rest }: BackendError): BackendError {
  return new BackendError(kind, `rules of iptables (variant ${variant}) stay: ${message}`, {
    hint:
      kind === "refused" ? `a rule of other software may lead to them: iptables-save | grep ${PREFIX} shows it` : hint,
    output,
    cause: rest.cause,
  });
}

function setsStay(names: readonly string[]): BackendError {
  const [first = ""] = names;
  const which = names.length === 1 ? `the set ${first} stays` : `${names.length} sets stay (${first}, …)`;
  return new BackendError("refused", `${which}: rules look them up`, {
    hint: `iptables-save | grep ${PREFIX} shows them, of each variant of iptables`,
  });
}
