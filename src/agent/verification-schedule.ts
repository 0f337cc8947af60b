// When the kernel's table is read back and compared. Owns the times only.

/** Changes come before a verification, but not for ever: where each takes longer than the pause between two, it never had its turn. */
const LONGEST_DEFERMENT_MS = 5_000;
/** Between the beginnings of two verifications, whoever writes our table again and again. */
const SHORTEST_PAUSE_MS = 1_000;

export class VerificationSchedule {
  readonly #everyMs: number;
  readonly #random: () => number;
  #dueAt = Number.POSITIVE_INFINITY;
  #urgentAt = Number.POSITIVE_INFINITY;
  #beganAt = Number.NEGATIVE_INFINITY;

  /** `everyMs` 0: only when it is asked for. `random`: 0..1, for jitter. */
  constructor(everyMs: number, random: () => number) {
    this.#everyMs = everyMs;
    this.#random = random;
  }

  get dueAt(): number {
    return this.#dueAt;
  }

  /** From then on nothing else comes first. */
  get urgentAt(): number {
    return this.#urgentAt;
  }

  /** One begins, or the table has just been brought to what it should be. */
  next(now: number): void {
    const pauseMs = this.#everyMs > 0 ? this.#everyMs * (0.9 + this.#random() / 5) : Number.POSITIVE_INFINITY;
    this.#dueAt = now + pauseMs;
    this.#urgentAt = this.#dueAt + LONGEST_DEFERMENT_MS;
  }

  began(now: number): void {
    this.#beganAt = now;
    this.next(now);
  }

  /** Urgent as soon as the shortest pause allows. */
  soon(now: number): void {
    this.#dueAt = Math.min(this.#dueAt, Math.max(now, this.#beganAt + SHORTEST_PAUSE_MS));
    this.#urgentAt = Math.min(this.#urgentAt, this.#dueAt);
  }
}
