// Time as the agent sees it. Owns the interface and the real clock; tests turn one by hand.

import { setTimeout as delay } from "node:timers/promises";

export interface Clock {
  /** Milliseconds, monotonic: only differences mean something. */
  now(): number;
  /** Milliseconds since 1970, for people. */
  wallTime(): number;
  /** Resolves after the time or as soon as the signal is aborted; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const realClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  async sleep(ms, signal) {
    if (signal?.aborted) return;
    // An abort is an early end of the sleep, not a failure.
    await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  },
};
