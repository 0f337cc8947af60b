// Watch events as bytes on the wire: each one a line, and a chunk of HTTP by itself, as API servers send them. Many of them are
// made in one buffer, so that sending costs the server little more than copying.

/** Six hexadecimal digits and a line's end. */
const HEAD_BYTES = 8;
/** Around the object: `{"type":"MODIFIED","object":` and the rest of the chunk. */
const FRAME_BYTES = HEAD_BYTES + 40;

export type EventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";

/** Writes an object's JSON at a position and returns the position after it. */
export type WriteObject = (target: Buffer, at: number) => number;

export class EventChunks {
  #bytes: Buffer;
  #used = 0;

  constructor(bytes: number) {
    this.#bytes = Buffer.allocUnsafe(bytes);
  }

  /** `largestObject`: bytes at most. */
  add(type: EventType, largestObject: number, write: WriteObject): void {
    this.#reserve(largestObject + FRAME_BYTES);
    const begin = this.#used + HEAD_BYTES;
    let at = begin + this.#bytes.write(`{"type":"${type}","object":`, begin, "latin1");
    at = write(this.#bytes, at);
    at += this.#bytes.write("}\n", at, "latin1");
    this.#bytes.write(`${(at - begin).toString(16).padStart(6, "0")}\r\n`, this.#used, "latin1");
    this.#used = at + this.#bytes.write("\r\n", at, "latin1");
  }

  addObject(type: EventType, object: unknown): void {
    const text = Buffer.from(JSON.stringify(object));
    this.add(type, text.length, (target, at) => at + text.copy(target, at));
  }

  get size(): number {
    return this.#used;
  }

  /** What was added since the last call. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#used);
    this.#bytes = Buffer.allocUnsafe(this.#bytes.length);
    this.#used = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#used + bytes));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}
