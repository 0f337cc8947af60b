// From the words of a command line to a verb and its exit code. Builds commander from the command table; owns what is
// printed for wrong usage, for refused input and for bugs.

import { Argument, Command, CommanderError, Option } from "commander";
import { closestWord } from "../dialects/closest-word.ts";
import type { ArgumentSpec, CommandSpec, OptionSpec } from "./command-spec.ts";
import { COMMANDS } from "./command-table.ts";
import { HELP_WIDTH, helpLayout } from "./help.ts";
import { asCalled } from "./program-name.ts";
import { printable } from "./terminal-text.ts";
import { CommandError, type ExitCode, type OptionValues, type ProgramExit, type VerbContext } from "./verb.ts";
import { VERB_MODULES } from "./verb-modules.ts";

const DESCRIPTION = `Kubernetes NetworkPolicy compiled to nftables or iptables, proven equal, explained.`;
const REPORT_HINT = "this is a bug in nftpol: run again with NFTPOL_DEBUG=1 for details, and please report it";

/** Runs the verb that `argv` (without program names) asks for. Never rejects: whatever happens becomes a message and a code. */
export async function runCommandLine(argv: readonly string[], context: VerbContext): Promise<ExitCode | ProgramExit> {
  let exitCode: ExitCode | ProgramExit = 0;
  const program = buildProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(toVerbFirst(argv), { from: "user" });
    return exitCode;
  } catch (error) {
    return reportError(error, context);
  }
}

/** `help VERB` and `--version` in commander's words; refuses a first word that is no verb. */
function toVerbFirst(argv: readonly string[]): string[] {
  const [first, ...rest] = argv;
  if (first === undefined) return [];
  if (first === "-V" || first === "--version") return ["version", "--short", ...rest];
  if (first === "help") return rest.length === 0 ? ["--help"] : [...toVerbFirst(rest), "--help"];
  const names = COMMANDS.map((command) => command.name);
  if (!first.startsWith("-") && !names.includes(first)) {
    const closest = closestWord(first, [...names, "help"]);
    const hint = closest === undefined ? "nftpol --help shows what there is" : `did you mean ${closest}?`;
    throw new CommandError(2, `unknown verb ${JSON.stringify(first)}`, hint);
  }
  return [...argv];
}

function reportError(error: unknown, context: VerbContext): ExitCode {
  // Help and usage errors: commander has printed them.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const debug = context.environment.NFTPOL_DEBUG === "1";
  if (error instanceof CommandError) {
    if (error.message !== "") context.stderr(`nftpol: ${printable(error.message)}\n`);
    if (error.hint !== undefined) context.stderr(`  ${printable(asCalled(error.hint, context.environment))}\n`);
    if (debug) context.stderr(`${stackOf(error)}\n`);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  context.stderr(`nftpol: unexpected error: ${printable(message.split("\n")[0] ?? "")}\n`);
  context.stderr(debug ? `${stackOf(error)}\n` : `  ${REPORT_HINT}\n`);
  return 3;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

function buildProgram(context: VerbContext, done: (code: ExitCode | ProgramExit) => void): Command {
  const named = (text: string) => asCalled(text, context.environment);
  const program = new Command("nftpol")
    .description(DESCRIPTION)
    .usage("VERB [options]")
    .helpOption("-h, --help", "help; also nftpol VERB --help and nftpol help VERB")
    .helpCommand(false)
    .option("-V, --version", "the version, in one line; more: nftpol version")
    .showHelpAfterError("(nftpol --help shows what there is)")
    .configureHelp(helpLayout(context.colour))
    .configureOutput({
      writeOut: (text) => context.stdout(named(text)),
      writeErr: (text) => context.stderr(named(text)),
      outputError: (text, write) => write(printable(text.replace(/^error: /, "nftpol: "), "\n")),
      getOutHelpWidth: () => Math.min(context.columns, HELP_WIDTH),
      getErrHelpWidth: () => HELP_WIDTH,
      getOutHasColors: () => context.colour,
      getErrHasColors: () => false,
    })
    .exitOverride();
  for (const spec of COMMANDS) addVerb(program, spec, context, done);
  program.addHelpText(
    "after",
    `\nExit codes: 0 fine, 1 differences, findings or failed expectations, 2 usage or invalid input, 3 could not run.`,
  );
  return program;
}

function addVerb(
  program: Command,
  spec: CommandSpec,
  context: VerbContext,
  done: (code: ExitCode | ProgramExit) => void,
): void {
  const command = program.command(spec.name).summary(spec.summary).description(describe(spec));
  command.showHelpAfterError(`(nftpol ${spec.name} --help shows what there is)`);
  for (const argument of spec.arguments) command.addArgument(toArgument(argument));
  for (const option of spec.options) command.addOption(toOption(option));
  command.allowExcessArguments(true).usage(usageOf(spec));
  command.addHelpText("after", `\nExamples:\n${examplesOf(spec)}`);
  command.action(async (...values: unknown[]) => {
    // commander passes each argument, then the options, then the command.
    const args = values
      .slice(0, -2)
      .flat()
      .filter((word) => word !== undefined) as string[];
    const options = values.at(-2) as OptionValues;
    refuseExcess(spec, command.args);
    const load = VERB_MODULES[spec.name];
    if (load === undefined) throw new Error(`the verb ${spec.name} has no module`);
    const { run } = await load();
    done(await run(args, options, context));
  });
}

/** The usual mistake is a manifest without -f. */
function refuseExcess(spec: CommandSpec, words: readonly string[]): void {
  const excess = words[spec.arguments.length];
  if (excess === undefined || spec.arguments.at(-1)?.variadic === true) return;
  const takesManifests = spec.options.some((option) => option.flags.startsWith("-f,"));
  const hint = takesManifests
    ? `manifests are given with -f: -f ${excess}`
    : `nftpol ${spec.name} --help shows what there is`;
  throw new CommandError(2, `${spec.name}: unexpected argument ${JSON.stringify(excess)}`, hint);
}

function describe(spec: CommandSpec): string {
  const summary = `${spec.summary.charAt(0).toUpperCase()}${spec.summary.slice(1)}.`;
  return spec.description === undefined ? summary : `${summary}\n\n${spec.description}`;
}

function usageOf(spec: CommandSpec): string {
  const words = spec.arguments.map(({ name, variadic, optional }) =>
    variadic ? `${name}...` : optional ? `[${name}]` : name,
  );
  return [...words, ...(spec.options.length === 0 ? [] : ["[options]"])].join(" ");
}

function examplesOf(spec: CommandSpec): string {
  return spec.examples.map(({ command, does }) => `  # ${does}\n  ${command}`).join("\n\n");
}

function toArgument(spec: ArgumentSpec): Argument {
  const word = `${spec.name}${spec.variadic ? "..." : ""}`;
  const argument = new Argument(spec.optional ? `[${word}]` : `<${word}>`, spec.description);
  return spec.choices === undefined ? argument : argument.choices([...spec.choices]);
}

function toOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.description);
  if (spec.choices !== undefined) option.choices([...spec.choices]);
  if (spec.default !== undefined) option.default(spec.default);
  if (spec.repeatable) {
    option.argParser((value: string, previous: readonly string[] | undefined) => [...(previous ?? []), value]);
  }
  return option;
}
