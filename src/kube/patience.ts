// Requests of the command line, which are asked once and not for ever: repeated a few times where that may help, as client-go does.

import { setTimeout as delay } from "node:timers/promises";
import { ApiError, isConnectionBroken } from "./api-error.ts";

const MAX_RETRIES = 4;
const LONGEST_PAUSE_MS = 30_000;
const FIRST_PAUSE_MS = 200;

/** Repeats what the server wants later (Retry-After), and what failed because the connection broke. Rejects as the request does. */
export async function patiently<T>(request: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let retry = 0; ; retry++) {
    try {
      return await request();
    } catch (error) {
      const pauseMs = retry < MAX_RETRIES ? pauseBeforeRetry(error, retry) : undefined;
      if (pauseMs === undefined) throw error;
      await delay(pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

function pauseBeforeRetry(error: unknown, retry: number): number | undefined {
  if (isConnectionBroken(error)) return FIRST_PAUSE_MS * 2 ** retry;
  if (!(error instanceof ApiError) || error.retryAfterMs === undefined || error.status === undefined) return undefined;
  if (error.status !== 429 && error.status < 500) return undefined;
  return Math.min(error.retryAfterMs, LONGEST_PAUSE_MS);
}
