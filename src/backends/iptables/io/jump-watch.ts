// Looks now and then whether our jumps are still the first rules of their chains: nothing in iptables tells that somebody flushed or
// went before them. What to do about it is the caller's.

import { FAMILIES, type Family } from "../../../net/address.ts";
import { BackendError } from "../../backend.ts";
import { BUILT_IN_CHAINS, type BuiltInChain, type ChainsOfFamily } from "../ruleset.ts";
import type { RulesStage } from "../stages.ts";
import { ruleText } from "../text.ts";

/** `-A FORWARD …`, as iptables writes the first rule of the chain; undefined: it has none. Throws BackendError. */
export type ReadFirstRule = (family: Family, chain: BuiltInChain) => Promise<string | undefined>;

export class JumpWatch {
  readonly #everyMs: number;
  readonly #read: ReadFirstRule;
  /** First rules by chain; of chains that have to have ours. */
  readonly #expected: Readonly<Record<Family, Map<BuiltInChain, string>>> = { 4: new Map(), 6: new Map() };
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #changes = 0;
  #changed = false;

  /** `everyMs` 0: never. */
  constructor(everyMs: number, read: ReadFirstRule) {
    this.#everyMs = everyMs;
    this.#read = read;
  }

  /** What has just been read. */
  found(chains: Readonly<Record<Family, ChainsOfFamily>>): void {
    this.#changes++;
    for (const family of FAMILIES) {
      this.#expected[family].clear();
      for (const name of BUILT_IN_CHAINS) {
        const [first] = chains[family].get(name)?.rules ?? [];
        if (first !== undefined) this.#expected[family].set(name, `-A ${name} ${ruleText(first, family)}`);
      }
    }
    this.#begin();
  }

  /** What has just been written. */
  written({ family, hook, unhook }: RulesStage): void {
    this.#changes++;
    for (const { chain } of unhook) this.#expected[family].delete(chain);
    for (const { chain, rule } of hook) this.#expected[family].set(chain, `-A ${chain} ${ruleText(rule, family)}`);
    this.#begin();
  }

  /** Whether something was not as expected since the last call. */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  /** One look; it does nothing while another goes on. */
  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const changes = this.#changes;
    try {
      const isAsExpected = await this.#isAsExpected();
      // What we changed ourselves meanwhile was not looked at.
      if (!isAsExpected && changes === this.#changes) this.#changed = true;
    } catch (error) {
      // The verification that follows says what is wrong.
      if (!(error instanceof BackendError)) throw error;
      this.#changed = true;
    } finally {
      this.#isLooking = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Also where nothing had to be written: rules of an earlier run are flushed as easily. */
  #begin(): void {
    const isEmpty = FAMILIES.every((family) => this.#expected[family].size === 0);
    if (this.#everyMs > 0 && !isEmpty) this.#timer ??= setInterval(() => void this.look(), this.#everyMs).unref();
  }

  async #isAsExpected(): Promise<boolean> {
    for (const family of FAMILIES) {
      for (const [chain, expected] of [...this.#expected[family]])
        if ((await this.#read(family, chain)) !== expected) return false;
    }
    return true;
  }
}
