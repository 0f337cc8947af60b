// Time as the agent sees it. Owns the interface and the real clock; tests turn one by hand.

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
  /** Without an AbortError for each early end: the sync loop is woken by every event, and an error costs more than the event. */
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      // A time that has passed meanwhile: Node.js would warn of it.
      const timer = setTimeout(done, Math.max(0, ms));
      signal?.addEventListener("abort", done);
    });
  },
};
