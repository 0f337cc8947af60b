// The pause before a reflector's next request, and its early end: resources that come back after an outage one by one, each
// after its own pause, are for so long a state that the server never had. Owns when a request may be sent.

import { type ApiError, isUnreachable } from "./api-error.ts";
import type { Backoff } from "./backoff.ts";
import { waitMs } from "./monotonic-clock.ts";

export class RetryPause {
  readonly #backoff: Backoff;
  #sleep: AbortController | undefined;
  /** A request is under way, and nothing of its answer is known. */
  #isAsking = false;
  /** The last failure was the server's, or that of the way to it, and it did not say when to come back. */
  #isCutOff = false;
  #retryAtOnce = false;

  constructor(backoff: Backoff) {
    this.#backoff = backoff;
  }

  /** How long the next request has to wait from now on; 0: not at all. */
  get remainingMs(): number {
    return this.#backoff.remainingMs;
  }

  /** Resolves when the next request may be sent, or at the abort. */
  async wait(signal: AbortSignal): Promise<void> {
    this.#sleep = new AbortController();
    await waitMs(this.#backoff.remainingMs, AbortSignal.any([signal, this.#sleep.signal]));
    this.#sleep = undefined;
    this.#isAsking = true;
  }

  /** The server has answered with a watch. */
  answered(): void {
    this.#isAsking = false;
    this.#retryAtOnce = false;
  }

  /** A request failed after it had been in use for `livedMs` (0: it never came so far). */
  failed(failure: ApiError, livedMs: number): void {
    const { status = 0, retryAfterMs } = failure;
    this.#backoff.failed(livedMs, retryAfterMs);
    this.#isCutOff = retryAfterMs === undefined && (status >= 500 || isUnreachable(failure));
    if (this.#isCutOff && this.#retryAtOnce) this.#backoff.endPause();
    this.#isAsking = false;
    this.#retryAtOnce = false;
  }

  /** The server ended a watch in peace. */
  closed(livedMs: number): void {
    this.#backoff.closed(livedMs);
  }

  /** Another reflector has the server again: a pause because it was away is over, and so is the next one of a request sent into the outage. */
  serverIsBack(): void {
    if (this.#sleep === undefined) {
      this.#retryAtOnce = this.#isAsking;
    } else if (this.#isCutOff) {
      this.#backoff.endPause();
      this.#sleep.abort();
    }
  }
}
