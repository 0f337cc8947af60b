// Which files of a folder are still being written to, told from one look to the next. Owns when the others wait for them: files
// that are changed together (several renames, a swapped link to a folder) must not be seen half, and one that is replaced for ever
// must not hold up the rest for ever. Counts looks, not time.

/** A file that was seen to change so often without a rest is left aside. */
const RESTLESS_AFTER_CHANGES = 20;
/** A rest: so many looks in a row at which it was the same. */
const REST_LOOKS = 5;
/** The others are waited for so many looks; with new ones all the time nothing would ever be taken. */
const LONGEST_WAIT_LOOKS = 100;

interface Changes {
  count: number;
  lastLook: number;
}

export class Unrest {
  #seen: ReadonlyMap<string, string> = new Map();
  #look = 0;
  #waited = 0;
  readonly #changes = new Map<string, Changes>();

  /** `found`: fingerprints by path. Files to leave as they are while the others are taken; undefined: wait, what changes may belong together. */
  next(found: ReadonlyMap<string, string>): ReadonlySet<string> | undefined {
    this.#look++;
    const changed = [...new Set([...found.keys(), ...this.#seen.keys()])].filter(
      (path) => found.get(path) !== this.#seen.get(path),
    );
    this.#seen = found;
    this.#note(changed);
    if (changed.length === 0) {
      this.#waited = 0;
      this.#changes.clear();
      return new Set();
    }
    const restless = [...this.#changes]
      .filter(([, { count }]) => count >= RESTLESS_AFTER_CHANGES)
      .map(([path]) => path);
    const othersAreCalm = changed.every((path) => restless.includes(path));
    if (!othersAreCalm && ++this.#waited < LONGEST_WAIT_LOOKS) return undefined;
    this.#waited = 0;
    return new Set([...restless, ...changed]);
  }

  #note(changed: readonly string[]): void {
    for (const path of changed) {
      const count = (this.#changes.get(path)?.count ?? 0) + 1;
      this.#changes.set(path, { count, lastLook: this.#look });
    }
    for (const [path, { lastLook }] of this.#changes) {
      if (this.#look - lastLook >= REST_LOOKS) this.#changes.delete(path);
    }
  }
}
