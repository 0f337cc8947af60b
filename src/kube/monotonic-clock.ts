// Time that only goes forward, and waiting that an abort ends. Tests put their own clock in its place.

/** Milliseconds since some fixed moment; never goes back when the machine's time is set. */
export type MonotonicClock = () => number;

export const monotonicClock: MonotonicClock = () => performance.now();

/** Resolves after the time or at the abort, whichever comes first; the caller looks at the signal. Leaves no listener behind. */
export function waitMs(durationMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || durationMs <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, durationMs);
    signal.addEventListener("abort", done);
  });
}
