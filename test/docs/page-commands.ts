// Reads the pages: which commands they show, on which line, and what they say comes of each. Runs nothing.

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../cli/run-nftpol.ts";

export interface PageCommand {
  readonly page: string;
  readonly line: number;
  /** As a reader would paste it: with continued lines and here-documents, and with its remark. */
  readonly text: string;
  /** What the page says that it prints; undefined where the page does not show it. */
  readonly shown: string | undefined;
  /** 0, unless a remark behind the command says `exit code N`. */
  readonly exitCode: number;
}

export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

/** Every page that shows commands to users, relative to the project. */
export function pages(): readonly string[] {
  const patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/*.md",
    "policies-examples/README.md",
    "deploy/**/*.md",
  ];
  return globSync(patterns, { cwd: PROJECT }).sort();
}

/** What stands between ``` and ```. */
export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(PROJECT, page), "utf8");
  return [...text.matchAll(/^```([^\n`]*)\n([\s\S]*?)^```$/gm)].map(({ 1: language = "", 2: block = "", index }) => ({
    page,
    line: lineAt(text, index) + 1,
    language,
    text: block,
  }));
}

/** All commands of the page's blocks `sh` (only commands) and `console` (`$ command`, then what it prints). */
export function commandsOf(page: string): readonly PageCommand[] {
  return blocksOf(page).flatMap((block) => {
    if (block.language === "sh") return commandsIn(block);
    return block.language === "console" ? sessionIn(block) : [];
  });
}

function commandsIn({ page, line, text }: Block): PageCommand[] {
  const lines = text.trimEnd().split("\n");
  const found: PageCommand[] = [];
  for (let index = 0; index < lines.length; ) {
    const end = endOfCommand(lines, index);
    const command = lines.slice(index, end).join("\n");
    if (!/^\s*(#.*)?$/.test(command)) found.push(commandOf(page, line + index, command, undefined));
    index = end;
  }
  return found;
}

function sessionIn({ page, line, text }: Block): PageCommand[] {
  const lines = text.split("\n").slice(0, -1);
  const starts = lines.flatMap((each, index) => (each.startsWith("$ ") ? [index] : []));
  if (starts[0] !== 0) throw new Error(`${page}:${line}: a console block begins with "$ " and a command`);
  return starts.map((start, index) => {
    const own = lines.slice(start, starts[index + 1]);
    own[0] = own[0]?.slice(2) ?? "";
    const end = endOfCommand(own, 0);
    const shown = own.slice(end).map((each) => `${each}\n`);
    return commandOf(page, line + start, own.slice(0, end).join("\n"), shown.join(""));
  });
}

/** Behind the lines that belong together: a backslash, a pipe or a list goes on; a here-document ends with its word. */
function endOfCommand(lines: readonly string[], start: number): number {
  let end = start + 1;
  while (/(\\|\||&&)$/.test(lines[end - 1] ?? "") && end < lines.length) end++;
  const word = /<<'?(\w+)'?/.exec(lines.slice(start, end).join("\n"))?.[1];
  if (word === undefined) return end;
  const close = lines.indexOf(word, end);
  if (close < 0) throw new Error(`a here-document without its end ${word}: ${lines[start]}`);
  return close + 1;
}

function commandOf(page: string, line: number, text: string, shown: string | undefined): PageCommand {
  const code = / # .*exit code (\d+)/.exec(text)?.[1];
  return { page, line, text, shown, exitCode: Number(code ?? 0) };
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** A line `…` stands for any lines; versions of runtimes and measured times depend on the machine. */
export function patternOf(shown: string): RegExp {
  const lines = shown.split("\n").map((line) => {
    if (line === "…") return "[\\s\\S]*";
    const literal = line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return `${literal
      .replace(/v\d+\\\.\d+\\\.\d+, \S+\\\)/, "v[\\d.]+, \\S+\\)")
      .replace(/\d+\\\.\d+ s\b/g, "[\\d.]+ s")
      .replace(/\d+ packets;/, "\\d+ packets;")}\n`;
  });
  // The text ends with a line end, after which nothing stands.
  return new RegExp(`^${lines.join("").replace(/\n$/, "")}$`);
}
