// Counts of dropped packets for whoever asks. Owns how often the kernel is asked, whoever asks us, and how long they wait for it.

import type { DropCounts } from "../backends/backend.ts";
import type { Clock } from "./clock.ts";

/** From one reading to the next, also after one that failed. */
const EVERY_MS = 5_000;
/** A kernel that is busy for longer must not keep all other figures back. */
const PATIENCE_MS = 1_000;

export interface DropCountsOptions {
  /** Asks the kernel; undefined: it has no counters of ours now. Rejects where it cannot be read. */
  readonly read: () => Promise<DropCounts | undefined>;
  readonly onFailure: (error: unknown) => void;
  readonly clock: Clock;
}

export class LatestDropCounts {
  readonly #options: DropCountsOptions;
  #counts: DropCounts | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(options: DropCountsOptions) {
    this.#options = options;
  }

  /** As last read; undefined before the first time. */
  get counts(): DropCounts | undefined {
    return this.#counts;
  }

  /** Resolves when the counts are as new as they get: soon, in any case. Never rejects. */
  async refresh(): Promise<void> {
    const { clock } = this.#options;
    if (this.#reading === undefined && clock.now() - this.#readAt < EVERY_MS) return;
    this.#reading ??= this.#read();
    const answered = new AbortController();
    await Promise.race([this.#reading, clock.sleep(PATIENCE_MS, answered.signal)]);
    answered.abort();
  }

  async #read(): Promise<void> {
    const { read, onFailure, clock } = this.#options;
    try {
      this.#counts = (await read()) ?? this.#counts;
    } catch (error) {
      onFailure(error);
    }
    this.#readAt = clock.now();
    this.#reading = undefined;
  }
}
