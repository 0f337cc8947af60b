// A set whose elements have several reasons to be in it; an element leaves with its last reason.

export class CountedSet<T extends string = string> {
  readonly #counts = new Map<T, number>();

  get size(): number {
    return this.#counts.size;
  }

  has(element: T): boolean {
    return this.#counts.has(element);
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#counts.keys();
  }

  /** One more reason. Returns whether the element is new. */
  add(element: T): boolean {
    const count = this.#counts.get(element) ?? 0;
    this.#counts.set(element, count + 1);
    return count === 0;
  }

  /** One reason less. Returns whether the element is gone. */
  remove(element: T): boolean {
    const count = this.#counts.get(element);
    if (count === undefined) throw new Error(`element ${element} removed more often than added`);
    if (count > 1) this.#counts.set(element, count - 1);
    else this.#counts.delete(element);
    return count === 1;
  }
}
