// An answer that costs something, given to everybody who asks at the same time or soon after: whoever can reach the agent must
// not be able to keep it from its work by asking.

import type { Clock } from "./clock.ts";

/** How old an answer may be: nothing, to people and to Prometheus. */
const FRESH_MS = 1_000;

/** `answer`, asked at most once in that time and never twice at once. What it rejects with is shared and forgotten. */
export function sharedAnswer<T>(clock: Pick<Clock, "now">, answer: () => Promise<T>): () => Promise<T> {
  let latest: Promise<T> | undefined;
  let freshUntil = Number.POSITIVE_INFINITY;
  return () => {
    if (latest !== undefined && clock.now() < freshUntil) return latest;
    freshUntil = Number.POSITIVE_INFINITY;
    latest = answer().then(
      (value) => {
        freshUntil = clock.now() + FRESH_MS;
        return value;
      },
      (error: unknown) => {
        latest = undefined;
        throw error;
      },
    );
    return latest;
  };
}
