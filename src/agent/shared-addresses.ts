// Addresses that several live pods claim, as the agent tells them. Owns which are new, which have ended, and which matter
// here; who owns an address is the state's.

import type { Pod } from "../model/cluster.ts";
import type { Address } from "../net/address.ts";
import type { Log } from "./log.ts";

/** The owner first. */
interface SharedAddress {
  readonly address: Address;
  readonly claimants: readonly Pod[];
}

export interface AddressFinding {
  /** The pod that has lost the address, `pod shop/web`. */
  readonly object: string;
  readonly severity: "warning";
  readonly message: string;
}

export class SharedAddresses {
  readonly #nodeName: string;
  readonly #log: Log;
  #standing: ReadonlyMap<string, AddressFinding> = new Map();

  constructor(nodeName: string, log: Log) {
    this.#nodeName = nodeName;
    this.#log = log;
  }

  /** Takes what is shared now, and logs the difference. Of pods of other nodes only: their agents tell it. Cost: what is shared. */
  update(shared: readonly SharedAddress[]): void {
    if (shared.length === 0 && this.#standing.size === 0) return;
    const standing = new Map<string, AddressFinding>();
    for (const each of shared) {
      if (each.claimants.some((pod) => pod.nodeName === this.#nodeName)) standing.set(describe(each), findingOf(each));
    }
    for (const [message, { object }] of standing) {
      if (!this.#standing.has(message))
        this.#log.warn({ object, finding: message }, "several live pods claim one address");
    }
    for (const [message, { object }] of this.#standing) {
      if (!standing.has(message))
        this.#log.info({ object, finding: message }, "they do not claim one address any more");
    }
    this.#standing = standing;
  }

  /** In no order. */
  standing(): readonly AddressFinding[] {
    return [...this.#standing.values()];
  }
}

function findingOf(shared: SharedAddress): AddressFinding {
  return { object: `pod ${shared.claimants[1]?.key}`, severity: "warning", message: describe(shared) };
}

function describe({ address, claimants }: SharedAddress): string {
  const names = claimants.map(({ key, nodeName }) => `${key} (${nodeName ?? "no node"})`);
  const [owner, ...others] = names;
  return `${address} is claimed by ${others.join(", ")} and by ${owner}, which started last: only policies for ${owner} count for it`;
}
