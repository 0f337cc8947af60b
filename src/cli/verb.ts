// The contract between the command table and the verbs: what a verb is given and what it answers.
// Owns no behaviour; a verb module exports `run` of type VerbRun and nothing that runs on import.

import type { ManifestFiles } from "../manifests/manifest-files.ts";

/** 0 fine; 1 differences, findings, failed expectations; 2 usage or invalid input; 3 could not run. */
export type ExitCode = 0 | 1 | 2 | 3;

/** What a program ended with that the verb ran for the user (a shell): any number up to 255. */
export type ProgramExit = number & { readonly __programExit: unique symbol };

/** Everything a verb may touch outside of itself. Tests give one in memory. */
export interface VerbContext {
  /** Data. `text` is written as it is: the caller ends its lines. */
  stdout(text: string): void;
  /** Messages. */
  stderr(text: string): void;
  /** Whether stdout shows colours (a terminal, and neither NO_COLOR nor TERM=dumb). */
  readonly colour: boolean;
  /** Width of stdout; 100 where there is no terminal. */
  readonly columns: number;
  /** Whether stderr is a terminal: only then progress is shown. */
  readonly isTerminal: boolean;
  /** The door to manifests, `-` (standard input) included. */
  readonly files: ManifestFiles;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted when the process is asked to end (SIGTERM, SIGINT). A verb that asks for it must end by itself; others are ended. */
  shutdown(): AbortSignal;
}

/** Parsed options by their long names in camel case: `--output-dir` is `outputDir`, `-f, --filename` is `filename`. */
export type OptionValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export type VerbRun = (
  args: readonly string[],
  options: OptionValues,
  context: VerbContext,
) => Promise<ExitCode | ProgramExit>;

export interface VerbModule {
  readonly run: VerbRun;
}

/** Ends the command with a message of one line, an optional hint, and this exit code. Not for bugs: those are plain errors. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;

  constructor(exitCode: ExitCode, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CommandError";
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** The value of an option that takes one, or undefined. */
export function textOption(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/** The values of an option that may be repeated, in order. */
export function listOption(options: OptionValues, name: string): readonly string[] {
  const value = options[name];
  if (typeof value === "string") return [value];
  return typeof value === "object" ? value : [];
}

export function flagOption(options: OptionValues, name: string): boolean {
  return options[name] === true;
}
