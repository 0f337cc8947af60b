// One long-lived `nft -i`: a line in, what nft says about it out. Owns the protocol, the time-out and the end of the process.
//
// Each line is a transaction of its own, and nft says nothing when it went well. So behind each line goes a word that nft
// does not know: its complaint about that ends the answer, and everything before it belongs to the line.
//
//   include "/dev/shm/nftpol-….nft"      In file included from <cmdline>… Error: Could not process rule: …   (or nothing)
//   zzend_1                               Error: syntax error, unexpected newline, expecting string
//                                         zzend_1
//                                                ^

import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { BackendError } from "../../backend.ts";
import { errorFromSignal, excerpt } from "../nft-output.ts";
import { hungError, killGroup, type NftProgram, spawnOptions, startError } from "./nft-process.ts";

interface Question {
  readonly end: string;
  readonly resolve: (answer: string) => void;
  readonly reject: (error: BackendError) => void;
  readonly timer: NodeJS.Timeout;
}

export class SessionProcess {
  readonly #program: NftProgram;
  readonly #child: ChildProcessByStdio<Writable, null, Readable>;
  #said = "";
  #questions = 0;
  #open: Question | undefined;
  #hung = false;
  #closed = false;
  readonly #end: Promise<void>;

  /** Starts nft; whether that works shows with the first answer. */
  constructor(program: NftProgram) {
    this.#program = program;
    this.#child = spawn(program.binary, ["-i"], { stdio: ["pipe", "ignore", "pipe"], ...spawnOptions() });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    // A dead process shows by its end, with more to say than a closed pipe.
    this.#child.stdin.on("error", () => {});
    this.#end = new Promise((resolve) => {
      this.#child.on("error", (cause) => {
        this.#fail(startError(program.binary, cause));
        resolve();
      });
      this.#child.on("close", (code, signal) => {
        this.#fail(this.#endError(code, signal));
        resolve();
      });
    });
  }

  /** False when it has ended: start another. */
  get alive(): boolean {
    return !this.#closed;
  }

  /** How many lines it was asked. */
  get questions(): number {
    return this.#questions;
  }

  /**
   * What nft says about this line; "" when it is content. Throws BackendError "broken" when nft dies or does not answer in time
   * (it is ended then, and gone when this throws), "not-installed" when it could not be started.
   */
  ask(line: string): Promise<string> {
    if (this.#open !== undefined) throw new Error("one question at a time");
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new BackendError("broken", "nft has ended"));
        return;
      }
      const end = `zzend_${++this.#questions}`;
      const timer = setTimeout(() => {
        this.#hung = true;
        killGroup(this.#child);
      }, this.#program.timeoutMs);
      this.#open = { end, resolve, reject, timer };
      this.#child.stdin.write(`${line}\n${end}\n`);
    });
  }

  /** Lets nft end by itself, and ends it if it does not. Resolves when it is gone. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => killGroup(this.#child), this.#program.timeoutMs);
    await this.#end;
    clearTimeout(timer);
  }

  /** Chunks are cut anywhere, in the middle of the word too. */
  #hear(text: string): void {
    const searchFrom = Math.max(0, this.#said.length - END_WIDTH);
    this.#said += text;
    const open = this.#open;
    if (open === undefined) return;
    const at = this.#said.indexOf(`\n${open.end}\n`, searchFrom);
    if (at === -1) return;
    // The line with the pointer comes last.
    const rest = this.#said.slice(at + open.end.length + 2);
    const pointer = /^ *\^[\^~-]*\n/.exec(rest);
    if (pointer === null) return;
    const complaint = this.#said.lastIndexOf(COMPLAINT, at);
    const answer = this.#said.slice(0, complaint === -1 ? at : complaint);
    this.#said = rest.slice(pointer[0].length);
    this.#settle(open);
    open.resolve(answer);
  }

  #fail(error: BackendError): void {
    this.#closed = true;
    const open = this.#open;
    if (open === undefined) return;
    this.#settle(open);
    open.reject(error);
  }

  #settle({ timer }: Question): void {
    clearTimeout(timer);
    this.#open = undefined;
  }

  #endError(code: number | null, signal: NodeJS.Signals | null): BackendError {
    const output = excerpt(this.#said);
    if (this.#hung) return hungError(this.#program.timeoutMs, output);
    if (signal !== null) return errorFromSignal(signal, this.#said);
    return new BackendError("broken", `nft -i ended with code ${code}`, { output });
  }
}

/** Begins what nft says about the word that it does not know; errors in an included file begin with the file. */
const COMPLAINT = "Error: ";

/** How far back the end of an answer may have begun before a new chunk. */
const END_WIDTH = 200;
