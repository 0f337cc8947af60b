// JSON text with gaps, written into bytes at the speed of copying: a server that makes 150,000 large objects as they are sent must not
// be what a benchmark measures. Owns the text only.

/** The gap's name as a value: `{ name: gap("name") }`. */
export function gap(name: string): string {
  return `@${name}@`;
}

export class JsonTemplate<Gap extends string> {
  readonly #pieces: readonly Buffer[];
  readonly #gaps: readonly Gap[];
  readonly #constantBytes: number;

  /** `value` holds `gap(...)` wherever a text is to be filled in. */
  constructor(value: unknown) {
    const parts = JSON.stringify(value).split(/"@([^@"]+)@"/);
    this.#pieces = parts.filter((_, index) => index % 2 === 0).map((text) => Buffer.from(text, "latin1"));
    this.#gaps = parts.filter((_, index) => index % 2 === 1) as Gap[];
    this.#constantBytes = this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** Room for one object whose fillings have `fillingBytes` together. */
  sizeWith(fillingBytes: number): number {
    return this.#constantBytes + fillingBytes;
  }

  /** Fillings are JSON, ASCII only. Returns the position after the text. */
  write(target: Buffer, from: number, fillings: Readonly<Record<Gap, string>>): number {
    let at = from;
    for (const [index, piece] of this.#pieces.entries()) {
      at += piece.copy(target, at);
      const name = this.#gaps[index];
      if (name !== undefined) at += target.write(fillings[name], at, "latin1");
    }
    return at;
  }

  text(fillings: Readonly<Record<Gap, string>>): string {
    const filled = Object.values<string>(fillings).reduce((sum, text) => sum + text.length, 0);
    // The same gap may occur more than once.
    const target = Buffer.allocUnsafe(this.sizeWith(filled * this.#gaps.length));
    return target.toString("latin1", 0, this.write(target, 0, fillings));
  }
}
