// Tells a quiet server from a dead one: while answers are being awaited and nothing has been heard from the server for
// a while, it is asked something cheap over a connection of its own. Owns when to ask and what no answer means.

import { ApiError, isUnreachable } from "./api-error.ts";
import { type MonotonicClock, monotonicClock } from "./monotonic-clock.ts";

export interface PulseTimeouts {
  /** Without a byte from the server on any connection. */
  readonly quietMs: number;
  /** For the answer to the question. */
  readonly answerMs: number;
}

/** A dead server is noticed within 20 s, and within 20 s more by TCP keepalive where only one connection is dead. */
export const DEFAULT_PULSE: PulseTimeouts = { quietMs: 10_000, answerMs: 10_000 };

/** Resolves with any answer, whatever it says. Rejects with ApiError, or with the signal's reason. */
export type Probe = (signal: AbortSignal) => Promise<void>;

type DeathNotice = (failure: ApiError) => void;

export class ServerPulse {
  readonly #probe: Probe;
  readonly #timeouts: PulseTimeouts;
  readonly #clock: MonotonicClock;
  readonly #guarded = new Set<{ readonly onDead: DeathNotice; readonly sinceMs: number }>();
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #question: AbortController | undefined;

  constructor(probe: Probe, timeouts: PulseTimeouts = DEFAULT_PULSE, clock: MonotonicClock = monotonicClock) {
    this.#probe = probe;
    this.#timeouts = timeouts;
    this.#clock = clock;
  }

  /** Something came from the server. */
  heard(): void {
    this.#heardAtMs = this.#clock();
  }

  /** Calls `onDead` at most once, when the server is dead. Nothing runs while nobody is guarded: call what is returned. */
  guard(onDead: DeathNotice): () => void {
    if (this.#guarded.size === 0) this.heard();
    const entry = { onDead, sinceMs: this.#clock() };
    this.#guarded.add(entry);
    if (this.#timer === undefined && this.#question === undefined) this.#checkLater();
    return () => {
      this.#guarded.delete(entry);
      if (this.#guarded.size === 0) this.#rest();
    };
  }

  /** Nobody is guarded any more. */
  close(): void {
    this.#guarded.clear();
    this.#rest();
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#question?.abort();
  }

  #checkLater(): void {
    const quietSoFarMs = this.#clock() - this.#heardAtMs;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        if (this.#clock() - this.#heardAtMs < this.#timeouts.quietMs) this.#checkLater();
        else void this.#ask();
      },
      Math.max(0, this.#timeouts.quietMs - quietSoFarMs),
    );
  }

  async #ask(): Promise<void> {
    const askedAtMs = this.#clock();
    const question = new AbortController();
    this.#question = question;
    const tooLate = setTimeout(() => question.abort(new NoAnswer()), this.#timeouts.answerMs);
    try {
      await this.#probe(question.signal);
      this.heard();
    } catch (error) {
      if (error instanceof NoAnswer || isUnreachable(error)) this.#declareDead(askedAtMs, error);
      // Credentials that cannot be had, or a certificate that is refused: nothing is known about the other connections.
      else if (error instanceof ApiError) this.heard();
      else if (!question.signal.aborted) throw error;
    } finally {
      clearTimeout(tooLate);
      this.#question = undefined;
    }
    if (this.#guarded.size > 0) this.#checkLater();
  }

  #declareDead(askedAtMs: number, cause: unknown): void {
    // This process may have been busy: what came meanwhile has been read before the time-out.
    if (this.#heardAtMs >= askedAtMs) return;
    const silentSeconds = Math.round((this.#clock() - this.#heardAtMs) / 1000);
    const failure = new ApiError({
      kind: "timeout",
      message: `nothing came from the API server for ${silentSeconds} s, and it does not answer a request either`,
      hint: "check network and load balancer between here and the API server",
      reason: "ETIMEDOUT",
      cause,
    });
    this.heard();
    for (const entry of [...this.#guarded]) {
      if (entry.sinceMs > askedAtMs) continue;
      this.#guarded.delete(entry);
      entry.onDead(failure);
    }
  }
}

class NoAnswer extends Error {}
