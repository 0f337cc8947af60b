// The programs of one variant of iptables: which they are, and what we ask of them. What they say when something goes wrong is read by
// `xtables-output.ts`.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FAMILIES, type Family } from "../../../net/address.ts";
import { BackendError } from "../../backend.ts";
import { type ChildOutcome, runChild, startError } from "../../child-process.ts";
import type { BuiltInChain } from "../ruleset.ts";
import { errorFromXtables, hidesReason } from "../xtables-output.ts";
import { parseXtablesVersion, type Variant, type XtablesVersion } from "../xtables-version.ts";

/** How to run the programs. */
export interface XtablesSettings {
  /** Where they lie; undefined: in PATH. */
  readonly folder: string | undefined;
  /** How long one may take; more than it may wait for the lock. */
  readonly timeoutMs: number;
  /** How long one waits for the lock that programs of iptables-legacy take; whole seconds. */
  readonly lockWaitSeconds: number;
}

export const DEFAULT_XTABLES: XtablesSettings = { folder: undefined, timeoutMs: 30_000, lockWaitSeconds: 10 };

/** Between two attempts of a restore that cannot wait for the lock itself. */
const LOCK_RETRY_MS = 200;

/** The programs of one family. */
interface FamilyPrograms {
  /** `iptables-nft`; those for saving and restoring have `-save` and `-restore` behind it. */
  readonly name: string;
  readonly version: XtablesVersion;
}

/**
 * Looks for `iptables-nft` (`-legacy`), and else for an `iptables` that says that it is of this variant; undefined: there is neither.
 * Throws BackendError where one is there and cannot be run. Cost: two to four short children.
 */
export async function findXtables(
  variant: Variant,
  settings: XtablesSettings = DEFAULT_XTABLES,
): Promise<XtablesPrograms | undefined> {
  const programs = new Map<Family, FamilyPrograms>();
  for (const family of FAMILIES) {
    const found = await findFamily(variant, family, settings);
    if (found !== undefined) programs.set(family, found);
  }
  const ipv4 = programs.get(4);
  return ipv4 === undefined ? undefined : new XtablesPrograms(ipv4.version, programs, settings);
}

async function findFamily(variant: Variant, family: Family, settings: XtablesSettings) {
  const plain = plainName(family);
  for (const name of [`${plain}-${variant}`, plain]) {
    const version = await readXtablesVersion(name, settings);
    if (version?.variant === variant) return { name, version };
  }
  return undefined;
}

function plainName(family: Family): string {
  return family === 4 ? "iptables" : "ip6tables";
}

/** undefined: there is no such program, or it is none of iptables. */
export async function readXtablesVersion(
  name: string,
  settings: XtablesSettings = DEFAULT_XTABLES,
): Promise<XtablesVersion | undefined> {
  try {
    const { code, stdout } = await run(name, ["--version"], "", settings);
    return code === 0 ? parseXtablesVersion(stdout) : undefined;
  } catch (error) {
    if (error instanceof BackendError && error.kind === "not-installed") return undefined;
    throw error;
  }
}

/** All methods throw BackendError, as `errorFromXtables` has it. `restore` must not overlap with another of ours. */
export class XtablesPrograms {
  readonly version: XtablesVersion;
  readonly #programs: ReadonlyMap<Family, FamilyPrograms>;
  readonly #settings: XtablesSettings;

  constructor(version: XtablesVersion, programs: ReadonlyMap<Family, FamilyPrograms>, settings: XtablesSettings) {
    this.version = version;
    this.#programs = programs;
    this.#settings = settings;
  }

  /** Families whose programs are installed; 4 always is. */
  get families(): readonly Family[] {
    return [...this.#programs.keys()];
  }

  /** `iptables-nft-restore`. */
  get writer(): string {
    return this.#name(4, "-restore");
  }

  /** The table `filter` as iptables-save writes it, rules of other software and comment lines (`#`) included. Legacy makes the table. */
  async save(family: Family, { counters = false } = {}): Promise<string> {
    return this.#ask(family, "-save", counters ? ["-c", "-t", "filter"] : ["-t", "filter"]);
  }

  /** All tables. With legacy, those that there are: it makes none. */
  async saveAll(family: Family): Promise<string> {
    return this.#ask(family, "-save", []);
  }

  /**
   * Takes the text of one table, `*filter` to `COMMIT`: all of it or, where this throws "refused", nothing. Chains that it names with `:`
   * are emptied, others stay.
   */
  async restore(family: Family, text: string): Promise<void> {
    assertOneTable(text);
    const { restoreWaits } = this.version;
    const argv = restoreWaits ? ["--noflush", "-w", String(this.#settings.lockWaitSeconds)] : ["--noflush"];
    const name = this.#name(family, "-restore");
    const deadline = Date.now() + this.#settings.lockWaitSeconds * 1000;
    let outcome = await run(name, argv, text, this.#settings);
    while (!restoreWaits && outcome.code === RESOURCE_PROBLEM && Date.now() < deadline) {
      await sleep(LOCK_RETRY_MS);
      outcome = await run(name, argv, text, this.#settings);
    }
    if (outcome.code === 0) return;
    if (hidesReason(outcome)) await this.#ask(family, "", this.#listArguments("FORWARD", tableOf(text)));
    throw errorFromXtables({ ...outcome, program: name, input: text });
  }

  /**
   * The first rule of a built-in chain of the table `filter`, as iptables writes it: `-A FORWARD -j NFTPOL-FORWARD`; undefined: there is
   * none. Cost: one child; legacy reads the whole table from the kernel.
   */
  async firstRule(family: Family, chain: BuiltInChain): Promise<string | undefined> {
    const listing = await this.#ask(family, "", this.#listArguments(chain, "filter"));
    return listing.split("\n").find((line) => line.startsWith("-A "));
  }

  #listArguments(chain: BuiltInChain, table: string): readonly string[] {
    return ["-w", String(this.#settings.lockWaitSeconds), "-t", table, "-S", chain, "1"];
  }

  async #ask(family: Family, suffix: Suffix, argv: readonly string[]): Promise<string> {
    const program = this.#name(family, suffix);
    const outcome = await run(program, argv, "", this.#settings);
    const failed = { ...outcome, program, input: "" };
    // Said among the rules, with success, by those of nft, which then leave the table out.
    const unread = UNREADABLE_TABLE.exec(outcome.stdout)?.[0];
    if (outcome.code === 0 && unread !== undefined) throw errorFromXtables({ ...failed, code: 1, stderr: unread });
    if (outcome.code !== 0) throw errorFromXtables(failed);
    return outcome.stdout;
  }

  #name(family: Family, suffix: Suffix): string {
    const found = this.#programs.get(family);
    if (found === undefined) throw new Error(`the programs of IPv${family} are not installed`);
    return `${found.name}${suffix}`;
  }
}

type Suffix = "" | "-save" | "-restore";

const RESOURCE_PROBLEM = 4;
const UNREADABLE_TABLE = /^# Table `filter' is incompatible, use 'nft' tool.*$/m;

function assertOneTable(text: string): void {
  const end = "\nCOMMIT\n";
  if (!text.startsWith("*") || text.includes("\n*") || text.indexOf(end) !== text.length - end.length)
    throw new Error("restore takes one table, from its name to its COMMIT: only that is all or nothing");
}

function tableOf(text: string): string {
  return text.slice(1, text.indexOf("\n"));
}

function run(
  name: string,
  argv: readonly string[],
  input: string,
  { folder, timeoutMs }: XtablesSettings,
): Promise<ChildOutcome> {
  const binary = folder === undefined ? name : join(folder, name);
  return runChild({ binary, timeoutMs }, argv, input, {
    startError: (cause) => startError(name, "iptables", cause),
    hungError: (output) =>
      new BackendError("broken", `${name} did not answer within ${timeoutMs / 1000} s and was ended`, {
        output,
        hint: "look for a process that holds the lock of iptables (fuser -v /run/xtables.lock), or for a node without CPU time",
      }),
  });
}
