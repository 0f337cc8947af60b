// How a reflector is doing, for readiness, logs and metrics. Owns the counters, not what they lead to.

import { type ApiError, isNotFound } from "./api-error.ts";
import type { MonotonicClock } from "./monotonic-clock.ts";

export interface ReflectorStatus {
  /** `networkpolicies.networking.k8s.io`. */
  readonly resource: string;
  /** The first list is complete and has been handed over. Stays true: what is known may be old, but it is whole. */
  readonly synced: boolean;
  /**
   * Since the server last said anything about this resource: a list, an event, a bookmark or the begin of a watch. Under
   * three minutes while all is well. undefined: never yet.
   */
  readonly lastEventAgeSeconds: number | undefined;
  /** Completed lists after the first one. */
  readonly relists: number;
  /** Watches that the server has begun to answer. */
  readonly watches: number;
  /** Requests and streams that failed; ends in peace are none. */
  readonly failures: number;
  /** One sentence; undefined while a watch is open or while nothing has failed since the last one. */
  readonly lastFailure: string | undefined;
  /** What to do about it. */
  readonly lastHint: string | undefined;
  /** The last failure was a 404. What is known stays: it may be the word of some proxy. */
  readonly notFound: boolean;
}

export class StatusRecord {
  readonly #resource: string;
  readonly #clock: MonotonicClock;
  readonly #onStatus: ((status: ReflectorStatus) => void) | undefined;
  #heardAtMs: number | undefined;
  #lists = 0;
  #watches = 0;
  #failures = 0;
  #lastFailure: string | undefined;
  #lastHint: string | undefined;
  #notFound = false;

  /** `onStatus` is called after every change but the age's. */
  constructor(resource: string, clock: MonotonicClock, onStatus: ((status: ReflectorStatus) => void) | undefined) {
    this.#resource = resource;
    this.#clock = clock;
    this.#onStatus = onStatus;
  }

  current(): ReflectorStatus {
    return {
      resource: this.#resource,
      synced: this.#lists > 0,
      lastEventAgeSeconds: this.#heardAtMs === undefined ? undefined : (this.#clock() - this.#heardAtMs) / 1000,
      relists: Math.max(0, this.#lists - 1),
      watches: this.#watches,
      failures: this.#failures,
      lastFailure: this.#lastFailure,
      lastHint: this.#lastHint,
      notFound: this.#notFound,
    };
  }

  heard(): void {
    this.#heardAtMs = this.#clock();
  }

  listed(): void {
    this.heard();
    this.#lists++;
    this.#changed();
  }

  watching(): void {
    this.heard();
    this.#watches++;
    this.#lastFailure = undefined;
    this.#lastHint = undefined;
    this.#notFound = false;
    this.#changed();
  }

  failed(failure: ApiError): void {
    this.#failures++;
    this.#lastFailure = failure.message;
    this.#lastHint = failure.hint;
    this.#notFound = isNotFound(failure);
    this.#changed();
  }

  #changed(): void {
    this.#onStatus?.(this.current());
  }
}
