// How the demo looks: width, headings, indentation, colours, pauses. Owns no words of the story.

import picocolors from "picocolors";
import { printable } from "../../terminal-text.ts";
import type { VerbContext } from "../../verb.ts";

const WIDEST = 100;
const NARROWEST = 72;
const INDENT = "   ";
const PAUSE_MS = 400;

export class DemoScreen {
  readonly colours: ReturnType<typeof picocolors.createColors>;
  readonly #context: Pick<VerbContext, "stdout" | "colour" | "columns">;
  readonly #isPaced: boolean;
  #signal: AbortSignal | undefined;

  /** `isPaced`: somebody watches, there is time to read. */
  constructor(context: Pick<VerbContext, "stdout" | "colour" | "columns">, isPaced: boolean) {
    this.#context = context;
    this.#isPaced = isPaced;
    this.colours = picocolors.createColors(context.colour);
  }

  /** Shows nothing any more when that is aborted: what is seen while a lab goes away is no story. */
  endWith(signal: AbortSignal): void {
    this.#signal = signal;
  }

  get width(): number {
    return Math.min(WIDEST, Math.max(NARROWEST, this.#context.columns));
  }

  /** Begins a scene, after a pause. */
  async heading(title: string): Promise<void> {
    if (this.#isPaced) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const { bold, cyan } = this.colours;
    const rest = "━".repeat(Math.max(0, this.width - title.length - 4));
    this.#write(`\n${cyan("━━")} ${bold(printable(title))} ${cyan(rest)}\n\n`);
  }

  /** Folded to the width. */
  text(text: string): void {
    for (const line of folded(text, this.width - INDENT.length)) this.line(line);
  }

  /** `mark` before the text, which is folded beside it; `paint` is for the mark's first word. */
  item(mark: string, text: string, paint: (word: string) => string = (word) => word): void {
    const indent = " ".repeat(mark.length + 2);
    const [first = "", ...rest] = folded(text, this.width - INDENT.length - indent.length);
    this.line(`${mark.replace(/^\S+/, (word) => paint(word))}  ${first}`);
    for (const line of rest) this.line(`${indent}${line}`);
  }

  /** As it is: the caller knows the width. */
  line(text = ""): void {
    this.#write(text === "" ? "\n" : `${INDENT}${text}\n`);
  }

  /** Room for `line`. */
  get room(): number {
    return this.width - INDENT.length;
  }

  #write(text: string): void {
    if (this.#signal?.aborted !== true) this.#context.stdout(text);
  }
}

/** Lines of at most `width`, broken between words; only a longer word is broken itself. */
function folded(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of printable(text)
    .split(" ")
    .flatMap((each) => each.match(new RegExp(`.{1,${width}}`, "g")) ?? [])) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}
