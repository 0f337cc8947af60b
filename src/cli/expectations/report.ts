// What `nftpol test` prints for people and for scripts.

import { policyReference } from "../../model/policy.ts";
import { addressFamily } from "../../net/address.ts";
import type { Verdict } from "../../semantics/verdict.ts";
import { formatDiagnostic } from "../diagnostics.ts";
import { explainHalf } from "../explain/half-words.ts";
import { ruleName } from "../explain/rule-words.ts";
import { jsonDocument } from "../json-output.ts";
import { countOf, printable } from "../terminal-text.ts";
import { formatQuestion } from "../traffic-text.ts";
import type { CaseOutcome, ExpectationOutcome, RowFailure } from "./run-case.ts";

export interface Totals {
  readonly folders: number;
  readonly foldersOk: number;
  readonly rows: number;
  readonly rowsOk: number;
}

export function totalsOf(outcomes: readonly CaseOutcome[]): Totals {
  const folders = new Map<string, boolean>();
  let rows = 0;
  let rowsOk = 0;
  for (const outcome of outcomes) {
    const { folder } = outcome.testCase;
    folders.set(folder, (folders.get(folder) ?? true) && isOk(outcome));
    for (const each of outcome.expectations) {
      rows += each.rows;
      rowsOk += each.rows - each.failures.length;
    }
  }
  return { folders: folders.size, foldersOk: [...folders.values()].filter((ok) => ok).length, rows, rowsOk };
}

export function isOk(outcome: CaseOutcome): boolean {
  return outcome.errors.length === 0 && outcome.expectations.every(({ failures }) => failures.length === 0);
}

/** The last line of the text output; scripts rely on its form. */
export function totalsLine({ folders, foldersOk, rows, rowsOk }: Totals): string {
  return `folders ${foldersOk} ok / ${folders}, rows ${rowsOk} ok / ${rows}`;
}

/** Failures that are explained in full for each case; the rest is counted. */
const MOST_EXPLAINED = 10;

/** The failures of one case, empty when there are none. */
export function caseText(outcome: CaseOutcome): string {
  const lines: string[] = [];
  for (const error of outcome.errors) lines.push(formatDiagnostic(error));
  const failures = outcome.expectations.flatMap((each) => each.failures.map((failure) => ({ each, failure })));
  for (const { each, failure } of failures.slice(0, MOST_EXPLAINED)) {
    lines.push(printable(failureTitle(each, failure)));
    lines.push(...failureExplanation(outcome, failure).map((line) => printable(`    ${line}`)));
  }
  const rest = failures.length - MOST_EXPLAINED;
  if (rest > 0) lines.push(`${outcome.testCase.file}: and ${countOf(rest, "more failure")} (-o json lists all)`);
  return lines.map((line) => `${line}\n`).join("");
}

/** `file:3: shop/web -> shop/api : 80/TCP (IPv4): expected allow, got deny`. */
export function failureTitle({ expectation }: ExpectationOutcome, failure: RowFailure): string {
  const { file, line } = expectation.position;
  return `${line === undefined ? file : `${file}:${line}`}: ${failureText(failure, expectation.why)}`;
}

export function failureText({ from, to, question, judged, mismatches }: RowFailure, why?: string): string {
  const pair = `${from.name} -> ${to.name} : ${formatQuestion(question)}`;
  if (judged === undefined) return `${pair}: the two have no address family in common (here), so nothing can be judged`;
  const parts = mismatches.map(({ part, expected, actual }) => {
    return `expected ${part === "verdict" ? "" : `${part} `}${expected}, got ${actual}`;
  });
  const reason = why === undefined ? "" : ` (why: ${why})`;
  return `${pair} (IPv${addressFamily(judged.flow.source)}): ${parts.join("; ")}${reason}`;
}

export function failureExplanation({ store }: CaseOutcome, { judged }: RowFailure): string[] {
  if (store === undefined || judged === undefined) return [];
  const { flow, verdict } = judged;
  return (["egress", "ingress"] as const).flatMap((direction) => {
    const half = verdict[direction];
    const [first, ...rest] = explainHalf(store, direction, half, flow);
    return [`${direction} ${half.allow ? "allow" : "deny"}: ${first}`, ...rest.map((line) => `  ${line}`)];
  });
}

/** Everything, for scripts. */
export function jsonReport(outcomes: readonly CaseOutcome[]): string {
  return jsonDocument("TestReport", {
    totals: totalsOf(outcomes),
    cases: outcomes.map((outcome) => ({
      folder: outcome.testCase.folder,
      file: outcome.testCase.file,
      ok: isOk(outcome),
      rows: outcome.expectations.reduce((sum, each) => sum + each.rows, 0),
      errors: outcome.errors.map(({ code, severity, position, field, message, hint }) => {
        const { file, line, column } = position;
        return { code, severity, file, line, column, field, message, hint };
      }),
      failures: outcome.expectations.flatMap((each) => each.failures.map((failure) => jsonFailure(each, failure))),
    })),
  });
}

function jsonFailure(
  { expectation }: ExpectationOutcome,
  { from, to, question, judged, mismatches }: RowFailure,
): unknown {
  const { file, line } = expectation.position;
  return {
    file,
    line,
    from: from.name,
    to: to.name,
    port: formatQuestion(question),
    family: judged === undefined ? null : `IPv${addressFamily(judged.flow.source)}`,
    mismatches,
    why: expectation.why,
    policies: judged === undefined ? [] : decidingPolicies(judged.verdict),
    rules: judged === undefined ? [] : decidingRules(judged.verdict),
  };
}

function decidingPolicies({ egress, ingress }: Verdict): string[] {
  return [egress, ingress].flatMap(({ reason }) => {
    if (reason.kind === "allowed" || reason.kind === "tier-rule") return [policyReference(reason.match.policy)];
    return reason.kind === "isolated" ? reason.policies.map(policyReference) : [];
  });
}

/** The rules that decided, and those that passed the flow on to them. */
function decidingRules(verdict: Verdict): string[] {
  return (["egress", "ingress"] as const).flatMap((direction) => {
    const { reason, passes } = verdict[direction];
    const matches = reason.kind === "allowed" || reason.kind === "tier-rule" ? [...passes, reason.match] : passes;
    return matches.map(({ policy, rule }) => ruleName(direction, policy, rule));
  });
}
