// What a program of iptables or ipset left when it failed, and the search through the errors that are known of it. Owns what both kinds
// of programs have in common; their words are in xtables-output.ts and ipset-output.ts.

import { BackendError, type BackendErrorKind } from "../backend.ts";

/** A run that did not end with code 0. */
export interface FailedRun {
  /** `iptables-nft-restore`. */
  readonly program: string;
  /** undefined: ended by a signal. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stderr: string;
  /** What it was given to read. */
  readonly input: string;
}

export interface KnownError {
  readonly pattern: RegExp;
  readonly kind: BackendErrorKind;
  /** Takes what the pattern's groups found; undefined: this is not it. */
  readonly say: (program: string, ...found: readonly string[]) => Said | undefined;
}

export interface Said {
  readonly message: string;
  readonly hint?: string;
}

/** The first that its pattern finds and that says something. */
export function knownError(known: readonly KnownError[], run: FailedRun): BackendError | undefined {
  for (const { pattern, kind, say } of known) {
    const found = pattern.exec(run.stderr);
    const said = found === null ? undefined : say(run.program, ...found.slice(1));
    if (said !== undefined) return failure(kind, run, said.message, said.hint);
  }
  return undefined;
}

/** RESOURCE_PROBLEM of xtables, IPSET_SESSION_PROBLEM: the last codes that the programs end with by themselves. */
const LAST_OWN_CODE = 4;

/** "broken" where the end was none of the program's own. */
export function abruptEnd(run: FailedRun): BackendError | undefined {
  if (run.signal !== undefined) return failure("broken", run, `${run.program} was ended by ${run.signal}`);
  if (run.code !== undefined && run.code <= LAST_OWN_CODE) return undefined;
  return failure("broken", run, `${run.program} ended with code ${run.code}, which is none of its own`);
}

/** `line 3: -A NFTPOL-FORWARD -j …`. */
export function quotedLine(input: string, number: number): string {
  const line = input.split("\n", number)[number - 1] ?? "";
  return line === "" ? `line ${number}` : `line ${number}: ${shorten(line)}`;
}

const MAX_WIDTH = 200;
const MAX_OUTPUT = 4_000;

/** For a sentence: not empty, and not too long. */
export function shorten(text: string): string {
  if (text === "") return "it did not say why";
  return text.length <= MAX_WIDTH ? text : `${text.slice(0, MAX_WIDTH)}…`;
}

export function failure(kind: BackendErrorKind, run: FailedRun, message: string, hint?: string): BackendError {
  return new BackendError(kind, message, { hint, output: run.stderr.trimEnd().slice(0, MAX_OUTPUT) });
}
