// Our rules and sets in the kernel, through the programs of iptables and ipset. Owns which stage goes to which program, and what of a
// failure packets have met.

import type { Family } from "../../../net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../../program/program.ts";
import { BackendError, type BackendFacts } from "../../backend.ts";
import { AbsentFamilies } from "../absent-families.ts";
import { readDropCounts } from "../drop-counts.ts";
import type { KernelRules } from "../kernel-rules.ts";
import type { DropReason } from "../names.ts";
import { type FoundRules, isNothing, readBack } from "../read-back.ts";
import { differenceTo, NOTHING_DESIRED } from "../repair.ts";
import { type Stage, stageText } from "../stages.ts";
import type { Variant } from "../xtables-version.ts";
import { type ChosenVariant, chooseVariant } from "./choose-variant.ts";
import { DEFAULT_IPSET, IpsetProgram } from "./ipset-program.ts";
import { JumpWatch } from "./jump-watch.ts";
import { judgedFamilies, probeIptables } from "./probe.ts";
import { destroyUnused, removeSets } from "./remove-ours.ts";
import { DEFAULT_XTABLES, type XtablesPrograms, type XtablesSettings } from "./xtables-programs.ts";

export interface IptablesSettings {
  /** Those of the programs that will be installed: `probe` tries what they need. */
  readonly options?: ProgramOptions;
  /** undefined: the one that other software uses. */
  readonly variant?: Variant | undefined;
  readonly xtables?: XtablesSettings;
  readonly ipset?: IpsetProgram;
  /** Between two looks at where our jumps stand; 0: never. */
  readonly watchEveryMs?: number;
  /** /proc/net of the network namespace that the programs work in. */
  readonly procNet?: string;
}

/** A flushed FORWARD is open: not for long. Cost of a look: a child of 3 ms for each family. */
const WATCH_EVERY_MS = 2_000;

/** INPUT has no place behind IPVS, as nft has it: table filter comes before 98 and 99 (NF_IP_PRI_NAT_SRC - 2, - 1). */
const IPVS_WARNING =
  "with IPVS, what pods send to services meets Admin and Baseline policies about their own node by the service's address, before IPVS translates it: a Deny of networks that hold service addresses denies these services";

/** Chosen at the first call, and kept. */
interface Opened {
  readonly chosen: ChosenVariant;
  readonly programs: XtablesPrograms;
  readonly families: readonly Family[];
}

export class IptablesKernelRules implements KernelRules {
  readonly #settings: IptablesSettings;
  readonly #ipset: IpsetProgram;
  readonly #watch: JumpWatch;
  readonly #absent = new AbsentFamilies();
  /** Sets that the kernel did not let go at once: it gives those of deleted rules free a little later. */
  #undestroyed: readonly string[] = [];
  #opening: Promise<Opened> | undefined;

  constructor(settings: IptablesSettings = {}) {
    this.#settings = settings;
    this.#ipset = settings.ipset ?? new IpsetProgram(DEFAULT_IPSET);
    this.#watch = new JumpWatch(settings.watchEveryMs ?? WATCH_EVERY_MS, async (family, chain) => {
      const { programs } = await this.#open();
      return programs.firstRule(family, chain);
    });
  }

  /** The variant that is written, and those that have rules of ours. Throws BackendError. */
  async variants(): Promise<Pick<ChosenVariant, "variant" | "holdOurs">> {
    return (await this.#open()).chosen;
  }

  async probe(): Promise<BackendFacts> {
    const { chosen } = await this.#open();
    const { options = DEFAULT_PROGRAM_OPTIONS, procNet } = this.#settings;
    const facts = await probeIptables(chosen, this.#ipset, options, procNet);
    return options.serviceProxy === "ipvs" ? { ...facts, warnings: [...facts.warnings, IPVS_WARNING] } : facts;
  }

  async read(): Promise<FoundRules> {
    const { programs, families } = await this.#open();
    await this.#destroyRest();
    // What is still there is found, and who reads decides about it: it may be taken into use again.
    this.#undestroyed = [];
    const rules: Partial<Record<Family, string>> = {};
    for (const family of families) rules[family] = await programs.save(family);
    const found = readBack({ rules, sets: await this.#ipset.save() });
    this.#watch.found(found.ruleset.chains);
    return this.#absent.addTo(found);
  }

  async write(stages: readonly Stage[]): Promise<readonly string[]> {
    const { programs, families } = await this.#open();
    await this.#destroyRest();
    let isMet = false;
    for (const stage of this.#absent.takeFrom(stages, families)) {
      try {
        await this.#do(stage, programs);
      } catch (error) {
        if (!(error instanceof BackendError)) throw error;
        if (stage.kind === "destroy-sets") {
          this.#undestroyed = [...this.#undestroyed, ...stage.sets];
          continue;
        }
        throw failureOf(error, stage, isMet);
      }
      if (stage.kind === "rules") this.#watch.written(stage);
      isMet ||= stage.kind === "rules" || stage.kind === "change-elements";
    }
    return this.#undestroyed;
  }

  async dropped(): Promise<ReadonlyMap<DropReason, number> | undefined> {
    const { programs, families } = await this.#open();
    const sums = new Map<DropReason, number>();
    for (const family of families) {
      const counts = readDropCounts(await programs.save(family, { counters: true }));
      if (counts === undefined) return undefined;
      for (const [reason, packets] of counts) sums.set(reason, (sums.get(reason) ?? 0) + packets);
    }
    return sums;
  }

  /** Chains and jumps of this variant; the sets stay for another one. False where there were none. */
  async removeRules(): Promise<boolean> {
    const stages = differenceTo(await this.read(), NOTHING_DESIRED).stages.filter(({ kind }) => kind === "rules");
    await this.write(stages);
    return stages.length > 0;
  }

  /** Sets that no rule of any variant looks up. */
  async removeUnusedSets(): Promise<void> {
    await destroyUnused(this.#ipset, [...(await this.read()).ruleset.sets.keys()]);
  }

  async remove(): Promise<boolean> {
    const found = await this.read();
    if (isNothing(found)) return false;
    await this.write(differenceTo(found, NOTHING_DESIRED).stages);
    // Those that the kernel did not let go at once: nobody will look for them later.
    await removeSets(this.#ipset, [...found.ruleset.sets.keys()]);
    return true;
  }

  changedByOthers(): boolean {
    return this.#watch.takeChanged();
  }

  async close(): Promise<void> {
    this.#watch.close();
  }

  async #destroyRest(): Promise<void> {
    if (this.#undestroyed.length > 0) this.#undestroyed = await destroyUnused(this.#ipset, this.#undestroyed);
  }

  #do(stage: Stage, programs: XtablesPrograms): Promise<void> {
    if (stage.kind === "rules") return programs.restore(stage.family, stageText(stage));
    return this.#ipset.restore(stageText(stage), { exist: stage.kind === "change-elements" });
  }

  #open(): Promise<Opened> {
    this.#opening ??= this.#choose().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #choose(): Promise<Opened> {
    const { variant, xtables = DEFAULT_XTABLES, procNet } = this.#settings;
    const chosen = await chooseVariant(variant, xtables, procNet);
    return { chosen, programs: chosen.programs, families: judgedFamilies(chosen.programs, procNet).families };
  }
}

/** New sets that nothing looks up are no change: packets meet the old rules, whatever came of them. */
function failureOf(error: BackendError, stage: Stage, isMet: boolean): BackendError {
  const { kind, message, hint, output } = error;
  if (isMet && kind === "refused") return new BackendError("broken", message, { hint, output, cause: error });
  if (!isMet && kind === "broken" && stage.kind === "create-sets")
    return new BackendError("refused", message, { hint, output, cause: error });
  return error;
}
