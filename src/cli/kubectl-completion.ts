// The program `kubectl_complete-nftpol`, made from the command table. kubectl (1.26 and newer) finds it in the PATH and starts it
// with the words behind `kubectl nftpol`, the last one unfinished. It answers with one candidate a line, perhaps with a
// tab and a description, and at last with what the shell may do besides: `:0` offer files, `:4` nothing.

import { type CommandSpec, optionNames, parseFlags } from "./command-spec.ts";
import { COMMANDS } from "./command-table.ts";

const FILES = ":0";
const NOTHING_ELSE = ":4";

/** Needs nothing but sh, so that a key press does not wait for Node.js. */
export function kubectlCompletion(): string {
  const verbs = [...COMMANDS.map(({ name, summary }) => `${name}\t${summary}`), "help", "--help", "--version"];
  return `#!/bin/sh
# completion for kubectl nftpol: kubectl starts it, and it has to be in the PATH
[ "$#" -gt 0 ] || set -- ''
verb=$1 previous='' current=''
for word; do previous=$current current=$word; done
offer() {
  for word; do
    case $word in "$current"*) printf '%s\\n' "$word" ;; esac
  done
}
finish() {
  printf '%s\\n' "$1"
  exit 0
}
verbs() {
  offer ${verbs.map(quote).join(" \\\n    ")}
}
if [ "$#" -eq 1 ]; then
  verbs
  finish ${NOTHING_ELSE}
fi
case $verb in
  help) verbs ;;
${COMMANDS.map(verbCase).join("\n")}
esac
finish ${NOTHING_ELSE}
`;
}

function verbCase(command: CommandSpec): string {
  const values = command.options.flatMap((option) => {
    const names = optionNames(option).join(" | ");
    if (option.choices !== undefined)
      return [`      ${names}) offer ${option.choices.map(quote).join(" ")} && finish ${NOTHING_ELSE} ;;`];
    if (option.completes === "files") return [`      ${names}) finish ${FILES} ;;`];
    return parseFlags(option.flags).takesValue ? [`      ${names}) finish ${NOTHING_ELSE} ;;`] : [];
  });
  const lines = values.length === 0 ? [] : ["    case $previous in", ...values, "    esac"];
  if (command.arguments.some((argument) => argument.completes === "files"))
    lines.push(`    case $current in -*) ;; *) finish ${FILES} ;; esac`);
  const choices = command.arguments.flatMap((argument) => argument.choices ?? []);
  const options = command.options.map(
    (option) => `${parseFlags(option.flags).long}\t${option.description.replaceAll("\n", " ")}`,
  );
  lines.push(`    offer ${[...choices, ...options, "--help"].map(quote).join(" \\\n      ")}`, "    ;;");
  return `  ${command.name})\n${lines.join("\n")}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}
