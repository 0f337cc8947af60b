// One long-lived `nft -i`: a line in, what nft says about it out. Owns the protocol, the time-out and the end of the process.
// `session-answers.ts` cuts the answers.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { BackendError } from "../../backend.ts";
import { killGroup, spawnOptions } from "../../child-process.ts";
import { errorFromSignal, excerpt } from "../nft-output.ts";
import { SessionAnswers } from "../session-answers.ts";
import { hungError, type NftProgram, startError } from "./nft-process.ts";

interface Question {
  readonly resolve: (answer: string) => void;
  readonly reject: (error: BackendError) => void;
  readonly timer: NodeJS.Timeout;
}

export class SessionProcess {
  readonly #program: NftProgram;
  readonly #child: ChildProcessByStdio<Writable, null, Readable>;
  readonly #answers = new SessionAnswers();
  #open: Question | undefined;
  #hung = false;
  #gone = false;
  readonly #end: Promise<void>;

  /** Starts nft; whether that works shows with the first answer. */
  constructor(program: NftProgram) {
    this.#program = program;
    this.#child = spawn(program.binary, ["-i"], { stdio: ["pipe", "ignore", "pipe"], ...spawnOptions() });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    // A dead process shows by its end, with more to say than a closed pipe.
    this.#child.stdin.on("error", () => {});
    // Known at once when it ends between two questions; what it still said comes until "close".
    this.#child.on("exit", () => {
      this.#gone = true;
    });
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
    return !this.#gone;
  }

  /** How many lines it was asked. */
  get questions(): number {
    return this.#answers.questions;
  }

  /**
   * What nft says about this line; "" when it is content. Throws BackendError "broken" when nft dies or does not answer in time
   * (it is ended then, and gone when this throws), "not-installed" when it could not be started.
   */
  ask(line: string): Promise<string> {
    if (this.#open !== undefined) throw new Error("one question at a time");
    return new Promise((resolve, reject) => {
      if (this.#gone) {
        reject(new BackendError("broken", "nft has ended"));
        return;
      }
      const timer = setTimeout(() => {
        this.#hung = true;
        killGroup(this.#child);
      }, this.#program.timeoutMs);
      this.#open = { resolve, reject, timer };
      this.#child.stdin.write(`${line}\n${this.#answers.nextEnd()}\n`);
    });
  }

  /** Lets nft end by itself, and ends it if it does not. Resolves when it is gone. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => killGroup(this.#child), this.#program.timeoutMs);
    await this.#end;
    clearTimeout(timer);
  }

  #hear(text: string): void {
    const answer = this.#answers.push(text);
    const open = this.#open;
    if (answer === undefined || open === undefined) return;
    this.#settle(open);
    open.resolve(answer);
  }

  #fail(error: BackendError): void {
    this.#gone = true;
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
    const said = this.#answers.rest;
    const output = excerpt(said);
    if (this.#hung) return hungError(this.#program.timeoutMs, output);
    if (signal !== null) return errorFromSignal(signal, said);
    return new BackendError("broken", `nft -i ended with code ${code}`, { output });
  }
}
