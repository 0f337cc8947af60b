// One case: its manifests loaded, its expectations expanded to flows, each flow judged by the evaluator.

import type { Expectation, ExpectationFile, ExpectedVerdict } from "../../manifests/expectations.ts";
import { readExpectations } from "../../manifests/expectations.ts";
import { readExpectedRows } from "../../manifests/expected-rows.ts";
import { describeFileError } from "../../manifests/file-errors.ts";
import { loadManifests } from "../../manifests/load-manifests.ts";
import type { ManifestFiles } from "../../manifests/manifest-files.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import type { Flow } from "../../model/flow.ts";
import { FAMILIES } from "../../net/address.ts";
import { type EvaluateOptions, evaluate } from "../../semantics/evaluate.ts";
import type { Verdict } from "../../semantics/verdict.ts";
import type { ClusterStore } from "../../state/store.ts";
import { hasErrors } from "../diagnostics.ts";
import { addressOf, type Endpoint, isSamePod } from "../endpoint.ts";
import { fillStore } from "../input.ts";
import { type TrafficQuestion, trafficOf } from "../traffic-text.ts";
import { manifestsOf, type TestCase } from "./find-cases.ts";
import { type Failure, type ResolvedExpectation, resolveExpectation } from "./resolve.ts";

export interface CaseOutcome {
  readonly testCase: TestCase;
  readonly description: string | undefined;
  readonly expectations: readonly ExpectationOutcome[];
  /** What makes the case unusable; then nothing was judged. */
  readonly errors: readonly Diagnostic[];
  readonly store: ClusterStore | undefined;
}

export interface ExpectationOutcome {
  readonly expectation: Expectation;
  /** Combinations of from, to and port. */
  readonly rows: number;
  readonly failures: readonly RowFailure[];
}

export interface RowFailure {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly question: TrafficQuestion;
  /** undefined: the two have no address of one family, so there was nothing to judge. */
  readonly judged: { readonly flow: Flow; readonly verdict: Verdict } | undefined;
  readonly mismatches: readonly Mismatch[];
}

export interface Mismatch {
  readonly part: "verdict" | "ingress" | "egress";
  readonly expected: ExpectedVerdict;
  readonly actual: ExpectedVerdict;
}

/** Never rejects because of bad input: that is in `errors`. */
export async function runCase(
  testCase: TestCase,
  files: ManifestFiles,
  options: EvaluateOptions,
): Promise<CaseOutcome> {
  const file = await readCase(testCase, files);
  const unusable = (errors: readonly Diagnostic[]): CaseOutcome => ({
    testCase,
    description: file.description,
    expectations: [],
    errors,
    store: undefined,
  });
  const loaded = await loadManifests(manifestsOf(testCase, file.manifests), { recursive: false, files });
  const { input, diagnostics } = fillStore(loaded);
  const found = [...diagnostics, ...file.diagnostics];
  if (hasErrors(found)) return unusable(found.filter((each) => each.severity === "error"));
  const { store } = input;
  const expectations: ExpectationOutcome[] = [];
  const errors: Diagnostic[] = [];
  const memo = new Map<string, readonly Endpoint[] | Failure>();
  const judge: FlowJudge = (flow) => {
    const verdict = evaluate(store, flow, options);
    return { verdict, allow: verdict.allow };
  };
  for (const expectation of file.expectations) {
    const resolved = resolveExpectation(store, expectation, memo);
    errors.push(...resolved.diagnostics);
    expectations.push(judgeExpectation(expectation, resolved, judge));
  }
  if (errors.length > 0) return unusable(errors);
  return { testCase, description: file.description, expectations, errors: [], store };
}

/** What is wrong with it, and that it cannot be read, is among its diagnostics. */
export async function readCase({ file, form }: TestCase, files: ManifestFiles): Promise<ExpectationFile> {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let text = "";
    for await (const chunk of files.read(file)) text += decoder.decode(chunk, { stream: true });
    text += decoder.decode();
    return form === "rows" ? readExpectedRows(file, text) : readExpectations(file, text);
  } catch (error) {
    const diagnostics = [describeFileError(file, error, "named")];
    return { description: undefined, manifests: undefined, expectations: [], diagnostics };
  }
}

/** A flow's verdict: what policies mean, and whether it is allowed, for which the lab has packets' word. */
export type FlowJudge = (
  flow: Flow,
  question: TrafficQuestion,
) => { readonly verdict: Verdict; readonly allow: boolean };

export type ExpectedRow = Pick<RowFailure, "from" | "to" | "question">;

/** Every combination, a pod and itself left out. */
export function rowsOf({ from, to, questions }: ResolvedExpectation): ExpectedRow[] {
  return from.flatMap((source) =>
    to
      .filter((destination) => !isSamePod(source, destination) && source.name !== destination.name)
      .flatMap((destination) => questions.map((question) => ({ from: source, to: destination, question }))),
  );
}

/** One for each family that is asked about and that both ends have. */
export function flowsOf({ from, to, question }: ExpectedRow, { family: asked }: Expectation): Flow[] {
  return FAMILIES.filter((family) => asked === undefined || family === asked).flatMap((family) => {
    const source = addressOf(from, family);
    const destination = addressOf(to, family);
    if (source === undefined || destination === undefined) return [];
    return [{ source, destination, traffic: trafficOf(question, family) }];
  });
}

/** A row must hold in each of its families. */
export function judgeExpectation(
  expectation: Expectation,
  resolved: ResolvedExpectation,
  judge: FlowJudge,
): ExpectationOutcome {
  const rows = rowsOf(resolved);
  const failures = rows.flatMap((row) => {
    const failure = judgeRow(expectation, row, judge);
    return failure === undefined ? [] : [failure];
  });
  return { expectation, rows: rows.length, failures };
}

function judgeRow(expectation: Expectation, row: ExpectedRow, judge: FlowJudge): RowFailure | undefined {
  const flows = flowsOf(row, expectation);
  for (const flow of flows) {
    const { verdict, allow } = judge(flow, row.question);
    const mismatches = compare(expectation, verdict, allow);
    if (mismatches.length > 0) return { ...row, judged: { flow, verdict }, mismatches };
  }
  return flows.length > 0 ? undefined : { ...row, judged: undefined, mismatches: [] };
}

function compare(expectation: Expectation, { egress, ingress }: Verdict, allow: boolean): Mismatch[] {
  const actual = { egress: egress.allow, ingress: ingress.allow, verdict: allow };
  return (["egress", "ingress", "verdict"] as const).flatMap((part): Mismatch[] => {
    const expected = expectation[part];
    const got = actual[part] ? "allow" : "deny";
    return expected === undefined || expected === got ? [] : [{ part, expected, actual: got }];
  });
}
