// Addresses that several live pods claim, as the agent tells them. Owns which are new, which have ended, and which matter here.

import type { Diagnostic } from "../model/diagnostic.ts";
import { type SharedAddress, sharedAddressWarning } from "../state/shared-addresses.ts";
import type { StandingFinding } from "./cluster-change.ts";
import type { Log } from "./log.ts";

export class SharedAddresses {
  readonly #nodeName: string;
  readonly #log: Log;
  /** By message. */
  #standing: ReadonlyMap<string, Diagnostic> = new Map();

  constructor(nodeName: string, log: Log) {
    this.#nodeName = nodeName;
    this.#log = log;
  }

  /** Takes what is shared now, and logs the difference. Of pods of other nodes only: their agents tell it. Cost: what is shared. */
  update(shared: readonly SharedAddress[]): void {
    if (shared.length === 0 && this.#standing.size === 0) return;
    const here = shared.filter(({ claimants }) => claimants.some(({ nodeName }) => nodeName === this.#nodeName));
    const before = this.#standing;
    this.#standing = new Map(here.map(sharedAddressWarning).map((warning) => [warning.message, warning]));
    for (const { object, message } of missingIn(before, this.#standing)) {
      this.#log.warn({ object, finding: message }, "several live pods claim one address");
    }
    for (const { object, message } of missingIn(this.#standing, before)) {
      this.#log.info({ object, finding: message }, "they do not claim one address any more");
    }
  }

  /** In no order. */
  standing(): readonly StandingFinding[] {
    return [...this.#standing.values()].map((warning) => ({ object: warning.object ?? "", diagnostics: [warning] }));
  }
}

function missingIn(some: ReadonlyMap<string, Diagnostic>, all: ReadonlyMap<string, Diagnostic>): Diagnostic[] {
  return [...all].filter(([message]) => !some.has(message)).map(([, warning]) => warning);
}
