// Cuts what `nft -i` says on standard error into answers. nft says nothing when a line went well; so behind each line goes a word that
// it does not know, and its complaint about that ends the answer:
//
//   include "/dev/shm/nftpol-….nft"      In file included from <cmdline>… Error: Could not process rule: …   (or nothing)
//   zzend_1                               Error: syntax error, unexpected newline, expecting string
//                                         zzend_1
//                                                ^

/** Begins the complaint; errors in an included file begin with the file. */
const COMPLAINT = "Error: ";

export class SessionAnswers {
  #said = "";
  #searchFrom = 0;
  #questions = 0;

  /** The next word that nft does not know. */
  nextEnd(): string {
    return endOf(++this.#questions);
  }

  /** How many answers there should be. */
  get questions(): number {
    return this.#questions;
  }

  /** What was said and is no complete answer. */
  get rest(): string {
    return this.#said;
  }

  /** Takes in a chunk, cut anywhere; the answer to the latest question if it is complete now, "" if nft is content. */
  push(chunk: string): string | undefined {
    this.#said += chunk;
    const mark = `${endOf(this.#questions)}\n`;
    const at = this.#lineStart(mark);
    if (at === undefined) return undefined;
    // The pointer below the word comes last.
    const rest = this.#said.slice(at + mark.length);
    const pointer = /^ *\^[\^~-]*\n/.exec(rest);
    if (pointer === null) return undefined;
    const complaint = this.#said.lastIndexOf(COMPLAINT, at);
    const answer = this.#said.slice(0, complaint === -1 ? at : complaint);
    this.#said = rest.slice(pointer[0].length);
    this.#searchFrom = 0;
    return answer;
  }

  /** Answers can be long: what was searched is not searched again. */
  #lineStart(mark: string): number | undefined {
    const at = this.#said.indexOf(`\n${mark}`, this.#searchFrom);
    if (at !== -1) return at + 1;
    this.#searchFrom = Math.max(0, this.#said.length - mark.length);
    return undefined;
  }
}

function endOf(question: number): string {
  return `zzend_${question}`;
}
