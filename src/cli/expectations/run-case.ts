// One case: its manifests loaded, its expectations expanded to flows, each flow judged by the evaluator.

import type { Expectation, ExpectationFile, ExpectedVerdict } from "../../manifests/expectations.ts";
import { readExpectations } from "../../manifests/expectations.ts";
import { readExpectedRows } from "../../manifests/expected-rows.ts";
import { describeFileError } from "../../manifests/file-errors.ts";
import { loadManifests } from "../../manifests/load-manifests.ts";
import type { ManifestFiles } from "../../manifests/manifest-files.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import type { Flow } from "../../model/flow.ts";
import { FAMILIES, type Family } from "../../net/address.ts";
import { type EvaluateOptions, evaluate } from "../../semantics/evaluate.ts";
import type { Verdict } from "../../semantics/verdict.ts";
import type { ClusterStore } from "../../state/store.ts";
import { hasErrors } from "../diagnostics.ts";
import { addressOf, type Endpoint, isSamePod } from "../endpoint.ts";
import { fillStore } from "../input.ts";
import { type TrafficQuestion, trafficOf } from "../traffic-text.ts";
import { manifestsOf, type TestCase } from "./find-cases.ts";
import { type Failure, resolveExpectation } from "./resolve.ts";

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
  for (const expectation of file.expectations) {
    const resolved = resolveExpectation(store, expectation, memo);
    errors.push(...resolved.diagnostics);
    const { rows, failures } = judge(store, expectation, resolved, options);
    expectations.push({ expectation, rows, failures });
  }
  if (errors.length > 0) return unusable(errors);
  return { testCase, description: file.description, expectations, errors: [], store };
}

async function readCase({ file, form }: TestCase, files: ManifestFiles): Promise<ExpectationFile> {
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

interface ResolvedLists {
  readonly from: readonly Endpoint[];
  readonly to: readonly Endpoint[];
  readonly questions: readonly TrafficQuestion[];
}

/** Every combination, a pod and itself left out; a combination must hold in each family that both ends have. */
function judge(
  store: ClusterStore,
  expectation: Expectation,
  { from, to, questions }: ResolvedLists,
  options: EvaluateOptions,
): { readonly rows: number; readonly failures: RowFailure[] } {
  const families = expectation.family === undefined ? FAMILIES : [expectation.family];
  const failures: RowFailure[] = [];
  let rows = 0;
  for (const source of from) {
    for (const destination of to) {
      if (isSamePod(source, destination) || source.name === destination.name) continue;
      for (const question of questions) {
        rows++;
        const failure = judgeRow(store, expectation, { from: source, to: destination, question }, families, options);
        if (failure !== undefined) failures.push(failure);
      }
    }
  }
  return { rows, failures };
}

type Row = Pick<RowFailure, "from" | "to" | "question">;

function judgeRow(
  store: ClusterStore,
  expectation: Expectation,
  row: Row,
  families: readonly Family[],
  options: EvaluateOptions,
): RowFailure | undefined {
  let asked = false;
  for (const family of families) {
    const source = addressOf(row.from, family);
    const destination = addressOf(row.to, family);
    if (source === undefined || destination === undefined) continue;
    asked = true;
    const flow: Flow = { source, destination, traffic: trafficOf(row.question, family) };
    const verdict = evaluate(store, flow, options);
    const mismatches = compare(expectation, verdict);
    if (mismatches.length > 0) return { ...row, judged: { flow, verdict }, mismatches };
  }
  return asked ? undefined : { ...row, judged: undefined, mismatches: [] };
}

function compare(expectation: Expectation, verdict: Verdict): Mismatch[] {
  const actual = { egress: verdict.egress.allow, ingress: verdict.ingress.allow, verdict: verdict.allow };
  return (["egress", "ingress", "verdict"] as const).flatMap((part): Mismatch[] => {
    const expected = expectation[part];
    const got = actual[part] ? "allow" : "deny";
    return expected === undefined || expected === got ? [] : [{ part, expected, actual: got }];
  });
}
