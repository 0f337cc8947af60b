// The types of the command table: one description of a verb, from which parser, help, completion and docs are made.

export interface CommandSpec {
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** What else its own help says, above the options. */
  readonly description?: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly ExampleSpec[];
}

export interface ArgumentSpec {
  /** `FROM`; shown in capitals. */
  readonly name: string;
  readonly description: string;
  /** May be repeated; the last one only. */
  readonly variadic?: true;
  /** May be left out; the last one only. */
  readonly optional?: true;
  readonly choices?: readonly string[];
  readonly completes?: "files";
}

export interface OptionSpec {
  /** commander's notation: `-f, --filename <path>`. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly default?: string;
  /** May be given several times; the values are collected in order. */
  readonly repeatable?: true;
  readonly completes?: "files";
}

export interface ExampleSpec {
  readonly command: string;
  readonly does: string;
}

/** `-f, --filename <path>` -> its names and whether it takes a value. */
export function parseFlags(flags: string): {
  readonly short?: string;
  readonly long: string;
  readonly takesValue: boolean;
} {
  const short = /(?:^|[ ,])(-[A-Za-z])(?=[ ,]|$)/.exec(flags)?.[1];
  const long = /--[a-z0-9-]+/.exec(flags)?.[0] ?? "";
  return { ...(short === undefined ? {} : { short }), long, takesValue: flags.includes("<") };
}

/** Names of an option, long one first. */
export function optionNames(option: OptionSpec): string[] {
  const { short, long } = parseFlags(option.flags);
  return short === undefined ? [long] : [long, short];
}
