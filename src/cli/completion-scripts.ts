// Completion scripts for bash, zsh and fish, made from the command table, and where shells look for them.

import { type CommandSpec, type OptionSpec, optionNames, parseFlags } from "./command-spec.ts";
import { COMMANDS } from "./command-table.ts";
import { kubectlCompletion } from "./kubectl-completion.ts";

export interface CompletionScript {
  /** The file's name where the shell, or kubectl, finds it by itself. */
  readonly fileName: string;
  readonly text: () => string;
  /** It is a program. */
  readonly isProgram?: true;
}

/** By the words of `nftpol completion`. */
export const COMPLETION_SCRIPTS: Readonly<Record<string, CompletionScript>> = {
  bash: { fileName: "nftpol.bash", text: bashCompletion },
  zsh: { fileName: "_nftpol", text: zshCompletion },
  fish: { fileName: "nftpol.fish", text: fishCompletion },
  kubectl: { fileName: "kubectl_complete-nftpol", text: kubectlCompletion, isProgram: true },
};

function takesFile(option: OptionSpec): boolean {
  return option.completes === "files";
}

export function bashCompletion(): string {
  const verbs = COMMANDS.map((command) => command.name).join(" ");
  const cases = COMMANDS.map(bashCase).join("\n");
  return `# bash completion for nftpol and kubectl-nftpol
_nftpol() {
  local cur prev verb words
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  verb="\${COMP_WORDS[1]}"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=( $(compgen -W "${verbs} help --help --version" -- "$cur") )
    return
  fi
  case "$verb" in
    help) words="${verbs}" ;;
${cases}
  esac
  COMPREPLY=( $(compgen -W "$words" -- "$cur") )
}
complete -F _nftpol nftpol kubectl-nftpol
`;
}

function bashCase(command: CommandSpec): string {
  const lines = command.options.flatMap((option) => {
    const names = optionNames(option).join("|");
    if (option.choices !== undefined)
      return [`        ${names}) COMPREPLY=( $(compgen -W "${option.choices.join(" ")}" -- "$cur") ); return ;;`];
    if (takesFile(option)) return [`        ${names}) compopt -o default 2>/dev/null; COMPREPLY=(); return ;;`];
    return parseFlags(option.flags).takesValue ? [`        ${names}) return ;;`] : [];
  });
  const options = [...command.options.flatMap(optionNames), "--help"].join(" ");
  const choices = command.arguments.flatMap((argument) => argument.choices ?? []).join(" ");
  const files = command.arguments.some((argument) => argument.completes === "files");
  const fallback = files
    ? `      case "$cur" in -*) ;; *) compopt -o default 2>/dev/null; COMPREPLY=(); return ;; esac\n`
    : "";
  const previous = lines.length === 0 ? "" : `      case "$prev" in\n${lines.join("\n")}\n      esac\n`;
  return `    ${command.name})\n${previous}${fallback}      words="${[choices, options].filter((text) => text !== "").join(" ")}" ;;`;
}

export function fishCompletion(): string {
  const lines = ["# fish completion for nftpol", "complete -c nftpol -f"];
  for (const command of COMMANDS) {
    lines.push(`complete -c nftpol -n __fish_use_subcommand -a ${command.name} -d ${quote(command.summary)}`);
    const here = `complete -c nftpol -n '__fish_seen_subcommand_from ${command.name}'`;
    for (const option of command.options) {
      const { short, long, takesValue } = parseFlags(option.flags);
      const names = `${short === undefined ? "" : ` -s ${short.slice(1)}`} -l ${long.slice(2)}`;
      const values =
        option.choices !== undefined
          ? ` -x -a ${quote(option.choices.join(" "))}`
          : takesFile(option)
            ? " -r -F"
            : takesValue
              ? " -x"
              : "";
      lines.push(`${here}${names}${values} -d ${quote(option.description)}`);
    }
    for (const argument of command.arguments) {
      if (argument.choices !== undefined) lines.push(`${here} -a ${quote(argument.choices.join(" "))}`);
      if (argument.completes === "files") lines.push(`${here} -F`);
    }
  }
  return `${lines.join("\n")}\n`;
}

export function zshCompletion(): string {
  const verbs = COMMANDS.map(
    (command) => `    ${quote(`${command.name}:${command.summary.replaceAll(":", "\\:")}`)}`,
  ).join("\n");
  const cases = COMMANDS.map(
    (command) =>
      `    ${command.name}) _arguments -s ${[...zshOptions(command), ...zshArguments(command)].join(" ")} ;;`,
  ).join("\n");
  return `#compdef nftpol kubectl-nftpol
# zsh completion for nftpol
_nftpol() {
  local -a verbs
  verbs=(
${verbs}
  )
  if (( CURRENT == 2 )); then
    _describe 'verb' verbs
    return
  fi
  local verb="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$verb" in
${cases}
  esac
}
# Found by its name in fpath, this file is the function's first call; else it is being sourced.
if [ "$funcstack[1]" = _nftpol ]; then
  _nftpol "$@"
else
  compdef _nftpol nftpol kubectl-nftpol
fi
`;
}

function zshOptions(command: CommandSpec): string[] {
  return command.options.flatMap((option) => {
    const { takesValue } = parseFlags(option.flags);
    const description = option.description.replace(/[[\]:]/g, " ");
    const action =
      option.choices !== undefined
        ? `:value:(${option.choices.join(" ")})`
        : takesFile(option)
          ? ":file:_files"
          : takesValue
            ? ":value:"
            : "";
    return optionNames(option).map((name) =>
      quote(`${option.repeatable === true ? "*" : ""}${name}[${description}]${action}`),
    );
  });
}

function zshArguments(command: CommandSpec): string[] {
  return command.arguments.map((argument) => {
    const action =
      argument.choices !== undefined
        ? `(${argument.choices.join(" ")})`
        : argument.completes === "files"
          ? "_files"
          : "";
    return quote(`${argument.variadic === true ? "*" : ""}:${argument.name}:${action}`);
  });
}

/** Single quotes for a shell; the table has no quotes of its own that matter. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}
