// How long to wait before the next request after failures: exponential, jittered, at the server's wish.
// Owns the arithmetic only; who waits and for what is the reflector's business.

import type { MonotonicClock } from "./monotonic-clock.ts";

export interface BackoffLimits {
  /** The first delay's lower end. */
  readonly minMs: number;
  /** No own delay is longer. */
  readonly maxMs: number;
  /** Nor one after closes that are no failures: a close is no error, and going stale is worse than one more request. */
  readonly maxAfterCloseMs: number;
  /** What lasted this long was healthy: the next delay is the first one again. */
  readonly healthyMs: number;
  /** A longer Retry-After is cut to this. */
  readonly maxRetryAfterMs: number;
}

/** client-go's reflector waits 0.8 to 30 s, too. */
export const DEFAULT_BACKOFF: BackoffLimits = {
  minMs: 800,
  maxMs: 30_000,
  maxAfterCloseMs: 5_000,
  healthyMs: 10_000,
  maxRetryAfterMs: 60_000,
};

export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #clock: MonotonicClock;
  readonly #random: () => number;
  #attempts = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  /** `random` as Math.random: from 0 to below 1. */
  constructor(limits: BackoffLimits, clock: MonotonicClock, random: () => number) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
  }

  /** How long the next request has to wait from now on; 0: not at all. */
  get remainingMs(): number {
    return Math.max(0, this.#notBeforeMs - this.#clock());
  }

  /** The pause that is under way is over; the next one is as long as it would have been. */
  endPause(): void {
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
  }

  /** A request failed after it had been in use for `livedMs` (0: it never came so far). `retryAfterMs`: the server's wish. */
  failed(livedMs: number, retryAfterMs: number | undefined): void {
    this.#forgetIfHealthy(livedMs);
    const wishMs = Math.min(retryAfterMs ?? 0, this.#limits.maxRetryAfterMs);
    this.#wait(Math.max(this.#nextDelayMs(this.#limits.maxMs), wishMs));
  }

  /** The server ended a watch in peace: no delay when it had lived, else a growing one. */
  closed(livedMs: number): void {
    this.#forgetIfHealthy(livedMs);
    if (livedMs < this.#limits.healthyMs) this.#wait(this.#nextDelayMs(this.#limits.maxAfterCloseMs));
  }

  #forgetIfHealthy(livedMs: number): void {
    if (livedMs >= this.#limits.healthyMs) this.#attempts = 0;
  }

  /** From d to 2d with d doubling from `minMs` to half of the longest: at the end, too, clients do not come at the same time. */
  #nextDelayMs(maxMs: number): number {
    const baseMs = Math.min(this.#limits.minMs * 2 ** this.#attempts, Math.max(this.#limits.minMs, maxMs / 2));
    this.#attempts = Math.min(this.#attempts + 1, 30);
    return Math.min(baseMs * (1 + this.#random()), maxMs);
  }

  #wait(delayMs: number): void {
    this.#notBeforeMs = this.#clock() + delayMs;
  }
}
