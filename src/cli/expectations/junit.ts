// `nftpol test -o junit`: the XML that CI servers read. One test case for each expectation.

import { formatDiagnostic } from "../diagnostics.ts";
import { failureExplanation, failureText, totalsOf } from "./report.ts";
import type { CaseOutcome, ExpectationOutcome } from "./run-case.ts";

export function junitReport(outcomes: readonly CaseOutcome[], seconds: number): string {
  const totals = totalsOf(outcomes);
  const suites = outcomes.map(expectationSuite);
  const count = (of: (outcome: CaseOutcome) => number) => outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
  const attributes = {
    name: `nftpol test: ${totals.rowsOk} of ${totals.rows} rows`,
    tests: count(testCount),
    failures: count(failureCount),
    errors: count(errorCount),
    time: seconds.toFixed(3),
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", attributes, suites)}\n`;
}

/** Test cases in a suite. */
export function testCount(outcome: CaseOutcome): number {
  return outcome.expectations.length + errorCount(outcome);
}

export function failureCount(outcome: CaseOutcome): number {
  return outcome.expectations.filter((each) => each.failures.length > 0).length;
}

function errorCount(outcome: CaseOutcome): number {
  return outcome.errors.length > 0 ? 1 : 0;
}

/** A suite of XML: a test case for each expectation. */
export function expectationSuite(outcome: CaseOutcome): string {
  const { folder, file } = outcome.testCase;
  const attributes = {
    name: folder,
    file,
    tests: testCount(outcome),
    failures: failureCount(outcome),
    errors: errorCount(outcome),
  };
  const cases = outcome.expectations.map((each) => testCase(outcome, each));
  if (errorCount(outcome) > 0) {
    const text = outcome.errors.map(formatDiagnostic).join("\n");
    const error = element("error", { message: "the case cannot be used" }, [escapeXml(text)]);
    cases.push(element("testcase", { name: file, classname: folder }, [error]));
  }
  return element("testsuite", attributes, cases);
}

function testCase(outcome: CaseOutcome, each: ExpectationOutcome): string {
  const { from, to, ports, position, verdict } = each.expectation;
  const name = `${from.join(", ")} -> ${to.join(", ")} : ${ports.join(", ")}${verdict === undefined ? "" : ` is ${verdict}`}`;
  const attributes = { name, classname: outcome.testCase.folder, file: position.file, line: position.line ?? 0 };
  const [first] = each.failures;
  if (first === undefined) return element("testcase", attributes, []);
  const text = each.failures.flatMap((failure) => [
    failureText(failure, each.expectation.why),
    ...failureExplanation(outcome, failure).map((line) => `    ${line}`),
  ]);
  const failure = element("failure", { message: failureText(first, each.expectation.why) }, [
    escapeXml(text.join("\n")),
  ]);
  return element("testcase", attributes, [failure]);
}

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly string[],
): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`);
  const start = `<${name}${written.join("")}`;
  return children.length === 0 ? `${start}/>` : `${start}>${children.join("\n")}</${name}>`;
}

/** Also replaces what XML 1.0 cannot carry, escaped or not. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
