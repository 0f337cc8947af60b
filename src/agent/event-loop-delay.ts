// How long the event loop was blocked. Owns the histogram.

import { monitorEventLoopDelay } from "node:perf_hooks";

const TICK_MS = 10;

export class EventLoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: TICK_MS });

  start(): void {
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram.disable();
  }

  /** Since the last call; seconds. */
  take(): { readonly p99: number; readonly longest: number } {
    // The histogram holds times between two ticks, the tick itself included.
    const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - TICK_MS) / 1000;
    const delay = { p99: seconds(this.#histogram.percentile(99)), longest: seconds(this.#histogram.max) };
    this.#histogram.reset();
    return delay;
  }
}
