// What is wrong with a command of a page, once it has been run: another exit code, another output than the page shows.

import type { RunResult } from "../cli/run-nftpol.ts";
import { type PageCommand, patternOf } from "./page-commands.ts";
import { PLACEHOLDERS } from "./stand-ins.ts";

/** Their findings are what the page is about; the code that this gives is in docs/cli.md, "Exit codes". */
const FINDINGS = /\bnftpol lint\b.*(policies-examples)/;

export async function problemsOf(command: PageCommand, run: (script: string) => Promise<RunResult>): Promise<string[]> {
  const { page, line, text, shown: expected } = command;
  const script = PLACEHOLDERS.reduce((words, { shown: word, here }) => words.replaceAll(word, here), text);
  if (/>\s*\/|\btee \//.test(script)) return [`${page}:${line}: ${text}: it would write outside of its folder`];
  const { code, stdout, stderr } = await run(script);
  const wanted = command.exitCode === 0 && FINDINGS.test(text) ? 1 : command.exitCode;
  const said = `${page}:${line}: ${text}: exit code ${code}\n${stdout.slice(-2_000)}${stderr.slice(-2_000)}`;
  if (code !== wanted) return [said];
  const isAsShown = expected === undefined || patternOf(expected).test(stdout);
  return isAsShown ? [] : [`${said}\nbut the page shows\n${expected}`];
}
