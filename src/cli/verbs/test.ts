// `nftpol test`: expectation files against the evaluator.

import { formatDiagnostic } from "../diagnostics.ts";
import { findCases } from "../expectations/find-cases.ts";
import { junitReport } from "../expectations/junit.ts";
import { caseText, isOk, jsonReport, totalsLine, totalsOf } from "../expectations/report.ts";
import { type CaseOutcome, runCase } from "../expectations/run-case.ts";
import { programOptions } from "../node-ruleset.ts";
import { startProgress } from "../progress.ts";
import { type ExitCode, textOption, type VerbRun } from "../verb.ts";

export const run: VerbRun = async (paths, options, context) => {
  const format = textOption(options, "output");
  const startedAt = performance.now();
  const { cases, diagnostics } = await findCases(paths, context.files);
  for (const diagnostic of diagnostics) context.stderr(`${formatDiagnostic(diagnostic)}\n`);
  const progress = startProgress(context);
  const outcomes: CaseOutcome[] = [];
  for (const testCase of cases) {
    progress.report(`${outcomes.length} of ${cases.length}: ${testCase.folder}`);
    const outcome = await runCase(testCase, context.files, programOptions(options));
    outcomes.push(outcome);
    const text = format === "text" ? caseText(outcome) : "";
    if (text === "") continue;
    progress.finish();
    context.stdout(text);
  }
  progress.finish();
  if (format === "json") context.stdout(jsonReport(outcomes));
  else if (format === "junit") context.stdout(junitReport(outcomes, (performance.now() - startedAt) / 1000));
  else context.stdout(`${totalsLine(totalsOf(outcomes))}\n`);
  return exitCodeOf(outcomes, diagnostics.length > 0);
};

function exitCodeOf(outcomes: readonly CaseOutcome[], pathsAreBad: boolean): ExitCode {
  if (pathsAreBad || outcomes.some((outcome) => outcome.errors.length > 0)) return 2;
  return outcomes.every(isOk) ? 0 : 1;
}
