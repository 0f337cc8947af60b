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
  let noneStay = true;
  for (const each of ours.variants) {
    const stay = isDryRun ? undefined : await removeOurRules(each);
    noneStay &&= stay === undefined || stay.isEmpty;
    if (stay === undefined) removed.push(chainsText(each));
    else if (stay.isEmpty) removed.push(`rules of iptables (${PREFIX}…, variant ${each.variant})`);
    if (stay !== undefined) problems.push(chainsStay(each, stay));
  }
  // Rules that stay keep all their sets.
  const sets = noneStay ? await removeOurSets(ours, isDryRun, problems) : 0;
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

/** Why chains stay, with their rules or without. */
interface Stay {
  readonly isEmpty: boolean;
  readonly reason: BackendError;
}

async function removeOurRules(ours: OursInVariant): Promise<Stay | undefined> {
  try {
    const reason = await removeRules(ours);
    return reason && { isEmpty: true, reason };
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    return { isEmpty: false, reason: error };
  }
}

function chainsText({ variant, families, found }: OursInVariant): string {
  const counts = families.map((family) => {
    const own = [...found.ruleset.chains[family].keys()].filter((name) => !isBuiltIn(name));
    return `${own.length} of IPv${family}`;
  });
  return `chains of iptables (${PREFIX}…, variant ${variant}): ${counts.join(", ")}`;
}

function chainsStay({ variant }: OursInVariant, { isEmpty, reason }: Stay): BackendError {
  const what = isEmpty
    ? `chains of iptables (variant ${variant}) stay, empty`
    : `rules of iptables (variant ${variant}) stay`;
  const hint = isEmpty ? `a rule of other software leads to one: iptables-save | grep ${PREFIX} shows it` : reason.hint;
  return new BackendError(reason.kind, `${what}: ${reason.message}`, { hint, output: reason.output, cause: reason });
}

function setsStay(names: readonly string[]): BackendError {
  const [first = ""] = names;
  const which = names.length === 1 ? `the set ${first} stays` : `${names.length} sets stay (${first}, …)`;
  return new BackendError("refused", `${which}: rules look them up`, {
    hint: `iptables-save | grep ${PREFIX} shows them, of each variant of iptables`,
  });
}
