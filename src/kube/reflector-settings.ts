// The times by which a reflector works. Tests shorten them; nobody else should have to.

import { type BackoffLimits, DEFAULT_BACKOFF } from "./backoff.ts";
import { type MonotonicClock, monotonicClock } from "./monotonic-clock.ts";
import type { Timeouts } from "./transport.ts";

export interface ReflectorSettings {
  readonly backoff: BackoffLimits;
  /** A server that is dead, not busy, is noticed sooner: see server-pulse.ts. */
  readonly listTimeouts: Timeouts;
  readonly watchHeadersMs: number;
  /**
   * A watch that is quiet for longer is begun anew. It may be that nothing has happened (then servers send no bookmarks
   * either) or that something on the way has lost it.
   */
  readonly watchIdleMs: number;
  /** Between two events of a streaming list: a server that has nothing to send any more, and does not say so, does not know them. */
  readonly initialEventsIdleMs: number;
  /** The server is asked to end each watch after a random time between these: clients come back at different times, to any server. */
  readonly watchSeconds: readonly [shortest: number, longest: number];
  readonly clock: MonotonicClock;
  /** As Math.random. */
  readonly random: () => number;
}

export const DEFAULT_REFLECTOR_SETTINGS: ReflectorSettings = {
  backoff: DEFAULT_BACKOFF,
  listTimeouts: { headersMs: 60_000, idleMs: 30_000 },
  watchHeadersMs: 30_000,
  watchIdleMs: 150_000,
  initialEventsIdleMs: 15_000,
  watchSeconds: [300, 600],
  clock: monotonicClock,
  random: Math.random,
};
