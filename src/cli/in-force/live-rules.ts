// The rules that are in force, as the prover asks them: one backend's, in one variant.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { BackendError } from "../../backends/backend.ts";
import { compileRuleset } from "../../backends/iptables/compile.ts";
import { PROC_NET } from "../../backends/iptables/io/choose-variant.ts";
import type { FoundOurs, OursInVariant } from "../../backends/iptables/io/find-ours.ts";
import { iptablesRules } from "../../backends/iptables/provable-rules.ts";
import type { FoundRules } from "../../backends/iptables/read-back.ts";
import type { IptablesRuleset } from "../../backends/iptables/ruleset.ts";
import { ruleText } from "../../backends/iptables/text.ts";
import type { Variant } from "../../backends/iptables/xtables-version.ts";
import { listTable } from "../../backends/nft/io/table-listing.ts";
import { nftRules } from "../../backends/nft/provable-rules.ts";
import type { ReadBack } from "../../backends/nft/read-back.ts";
import { TABLE } from "../../backends/nft/ruleset.ts";
import type { NodeRules } from "../../backends/node-rules.ts";
import { FAMILIES } from "../../net/address.ts";
import type { NodeProgram } from "../../program/program.ts";
import type { BackendName } from "../backends.ts";
import { CommandError } from "../verb.ts";
import { type HeldRules, lookForIptables, lookForRules } from "./look.ts";

export interface LiveRules {
  readonly rules: NodeRules;
  readonly backend: BackendName;
  /** Of iptables. */
  readonly variant: Variant | undefined;
  readonly foreign: readonly ForeignObject[];
  /** What else may be in force and could not be looked at. */
  readonly doubts: readonly BackendError[];
}

/** Something in our table or chains that is not of our making: a rule, a set, where our jump stands. */
export interface ForeignObject {
  readonly where: string;
  /** As the backend's tool writes it: JSON of nft, a line of iptables or ipset, or a sentence. */
  readonly text: string;
}

export interface WantedRules {
  /** undefined: whichever is there. */
  readonly backend: BackendName | undefined;
  readonly variant: Variant | undefined;
}

/** `program`: of a family that this kernel does not have, its rules count as loaded. Throws CommandError where there is not exactly one choice. */
export async function readLiveRules(wanted: WantedRules, program: NodeProgram): Promise<LiveRules> {
  const { table, iptables, problems } = await look(wanted);
  const variants = iptables.variants.filter(
    ({ variant }) => wanted.variant === undefined || variant === wanted.variant,
  );
  const names = [
    ...(table === undefined ? [] : [`table inet ${TABLE}`]),
    ...variants.map(({ variant }) => `chains of iptables (variant ${variant})`),
  ];
  const [first] = variants;
  if (names.length > 1)
    throw new CommandError(
      3,
      `rules of nftpol are in this kernel more than once: ${names.join("; ")}`,
      "packets meet all of them; --backend and --iptables-variant say which to compare, nftpol cleanup removes all",
    );
  if (table !== undefined) return { ...nftLive(table), doubts: problems };
  if (first !== undefined) return { ...iptablesLive(first, program), doubts: problems };
  const [problem] = problems;
  throw problem === undefined ? noRules(wanted) : commandError(problem);
}

const NOT_LOOKED: FoundOurs = { variants: [], sets: [], problems: [], isInstalled: false };

/** Asks only for what is wanted. */
async function look({ backend, variant }: WantedRules): Promise<HeldRules> {
  try {
    if (backend === "nft") return { table: await listTable(TABLE), iptables: NOT_LOOKED, problems: [] };
    if (backend === undefined && variant === undefined) return await lookForRules();
    const iptables = await lookForIptables();
    return { table: undefined, iptables, problems: iptables.problems };
  } catch (error) {
    if (error instanceof BackendError) throw commandError(error);
    throw error;
  }
}

function commandError(error: BackendError): CommandError {
  return new CommandError(3, error.message, error.hint, { cause: error });
}

function noRules({ backend, variant }: WantedRules): CommandError {
  const chains = `no chains of nftpol in iptables${variant === undefined ? "" : ` (variant ${variant})`}`;
  const table = `no table inet ${TABLE}`;
  const what =
    backend === "nft" ? table : backend === "iptables" || variant !== undefined ? chains : `${table}, and ${chains}`;
  const loading =
    backend === "nft"
      ? "nftpol render … | nft -f -"
      : "nftpol render … | nft -f -, or nftpol render -o iptables … | sh";
  return new CommandError(3, `there is ${what} in this network namespace`, `load rules first: ${loading}`);
}

function nftLive({ ruleset, unknown }: ReadBack): Omit<LiveRules, "doubts"> {
  const foreign = unknown.map(({ where, json }) => ({ where, text: json }));
  return { rules: nftRules(ruleset), backend: "nft", variant: undefined, foreign };
}

function iptablesLive({ variant, found }: OursInVariant, program: NodeProgram): Omit<LiveRules, "doubts"> {
  const hasIpv6 = existsSync(join(PROC_NET, "if_inet6"));
  const ruleset = hasIpv6 ? found.ruleset : withFamilyOf(found.ruleset, compileRuleset(program));
  const foreign = [...found.unknown.map(({ where, text }) => ({ where, text })), ...jumpsOutOfPlace(found)];
  return { rules: iptablesRules(ruleset), backend: "iptables", variant, foreign };
}

/** What is loaded for IPv4, and for IPv6 what would be: no packet meets it. */
function withFamilyOf(loaded: IptablesRuleset, compiled: IptablesRuleset): IptablesRuleset {
  const sets = [...compiled.sets].filter(([, { family }]) => family === 6);
  return { chains: { 4: loaded.chains[4], 6: compiled.chains[6] }, sets: new Map([...loaded.sets, ...sets]) };
}

/** Our rules count only where the jump to them is first: what stands before may decide without them. */
function jumpsOutOfPlace({ jumps }: FoundRules): ForeignObject[] {
  return FAMILIES.flatMap((family) =>
    jumps[family]
      .filter(({ position }) => position > 0)
      .map(({ chain, position, rule }) => ({
        where: `chain ${chain} of IPv${family}, rule ${position + 1}`,
        text: `-A ${chain} ${ruleText(rule, family)} (a jump to nftpol's rules that is not the first rule)`,
      })),
  );
}
