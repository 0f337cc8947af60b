// The numbers that arrived out of 0, 1, 2, ... that were sent. Owns what is lost and what leaked between two of them.

export class PacketNumbers {
  readonly #seen = new Set<number>();
  #last = -1;

  /** Repetitions count once. */
  add(number: number): void {
    this.#seen.add(number);
    if (number > this.#last) this.#last = number;
  }

  get count(): number {
    return this.#seen.size;
  }

  /** The greatest; -1: none. */
  get last(): number {
    return this.#last;
  }

  has(number: number): boolean {
    return this.#seen.has(number);
  }

  /** Those from `first` on that arrived, in order. */
  from(first: number): readonly number[] {
    return [...this.#seen].filter((number) => number >= first).sort((a, b) => a - b);
  }

  /** Those from `first` up to and without `end` that did not. */
  missing(first: number, end: number): readonly number[] {
    const missing: number[] = [];
    for (let number = first; number < end; number++) if (!this.#seen.has(number)) missing.push(number);
    return missing;
  }
}
