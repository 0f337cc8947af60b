// After an outage resources come back one by one: new policies with old pods are a state that the server never had, and may be
// more open than all it had. Owns holding back what comes of resources that were cut off until all of them are back.

import type { Clock } from "./clock.ts";
import type { ClusterChange } from "./cluster-change.ts";

/** After the last resource is back: its backlog comes at once, but nothing says where it ends. */
const SETTLE_MS = 50;
/** After the first sign of life. A resource that stays away (a right that is missing) must not hold the others for ever. */
const LONGEST_HOLD_MS = 3_000;

export interface OutageHoldOptions {
  readonly clock: Clock;
  /** One batch. */
  readonly pass: (changes: readonly ClusterChange[]) => void;
}

export class OutageHold {
  readonly #clock: Clock;
  readonly #pass: OutageHoldOptions["pass"];
  readonly #lost = new Set<string>();
  readonly #back = new Set<string>();
  #held: (readonly ClusterChange[])[] = [];
  #ends: AbortController | undefined;
  #settles: AbortController | undefined;

  constructor({ clock, pass }: OutageHoldOptions) {
    this.#clock = clock;
    this.#pass = pass;
  }

  /** The resource cannot be watched. */
  lost(resource: string): void {
    this.#back.delete(resource);
    this.#lost.add(resource);
    this.#settles?.abort();
  }

  /** The resource is watched again. */
  back(resource: string): void {
    if (!this.#lost.delete(resource)) return;
    this.#back.add(resource);
    this.#beginHold();
    if (this.#lost.size > 0) return;
    this.#settles?.abort();
    this.#settles = new AbortController();
    this.#after(SETTLE_MS, this.#settles.signal);
  }

  /** In order for each resource. Those that were not cut off are not held. */
  changed(resource: string, changes: readonly ClusterChange[]): void {
    if (!this.#lost.has(resource) && !this.#back.has(resource)) {
      this.#pass(changes);
      return;
    }
    this.#held.push(changes);
    this.#beginHold();
  }

  /** Without passing on what is held. */
  close(): void {
    this.#ends?.abort();
    this.#settles?.abort();
  }

  #beginHold(): void {
    if (this.#ends !== undefined) return;
    this.#ends = new AbortController();
    this.#after(LONGEST_HOLD_MS, this.#ends.signal);
  }

  #after(ms: number, signal: AbortSignal): void {
    void this.#clock.sleep(ms, signal).then(() => {
      if (!signal.aborted) this.#release();
    });
  }

  #release(): void {
    this.close();
    this.#ends = undefined;
    this.#settles = undefined;
    this.#back.clear();
    const held = this.#held.flat();
    this.#held = [];
    if (held.length > 0) this.#pass(held);
  }
}
