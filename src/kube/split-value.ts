// A value whose bytes come in several chunks. Owns the joining, and how long a value may get.

/** etcd stores at most 1.5 MB an object. */
const LARGEST_VALUE_BYTES = 64 << 20;

export class SplitValue {
  #parts: Buffer[] = [];
  #bytes = 0;

  /** A part that is not the last; copied, for the chunk's memory is used again. false: the value is too large. */
  keep(part: Buffer): boolean {
    this.#bytes += part.length;
    if (this.#bytes > LARGEST_VALUE_BYTES) return false;
    this.#parts.push(Buffer.from(part));
    return true;
  }

  /** The whole value; it begins anew. Valid as long as the last part is. */
  join(last: Buffer): Buffer {
    if (this.#parts.length === 0) return last;
    const bytes = Buffer.concat([...this.#parts, last], this.#bytes + last.length);
    this.#parts = [];
    this.#bytes = 0;
    return bytes;
  }
}
