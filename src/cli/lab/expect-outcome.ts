// Expectations against what packets found. Packets show whether a flow arrives, not which half let it through: halves, and flows
// that no packet was sent for, are the evaluator's to answer, and that is said.

import type { Expectation, ExpectedVerdict } from "../../manifests/expectations.ts";
import type { Address } from "../../net/address.ts";
import type { ProgramOptions } from "../../program/program.ts";
import { evaluate } from "../../semantics/evaluate.ts";
import type { ClusterStore } from "../../state/store.ts";
import { type CaseOutcome, type ExpectedRow, flowsOf, judgeExpectation, rowsOf } from "../expectations/run-case.ts";
import type { Matrix } from "../matrix/compute.ts";
import { countOf, printable } from "../terminal-text.ts";
import { formatQuestion, type TrafficQuestion } from "../traffic-text.ts";
import type { ResolvedCase } from "./expect-questions.ts";
import type { MeasuredFlow, MeasuredMatrix } from "./measured-matrix.ts";

export interface LabExpectations {
  readonly outcomes: readonly CaseOutcome[];
  /** What is expected of a flow of the matrix; of expectations that contradict each other, the one that failed. */
  readonly expectedOf: (flow: MeasuredFlow) => ExpectedVerdict | undefined;
  /** What packets do not answer, one line for each reason. */
  readonly notes: readonly string[];
}

/** What was asked of packets, and what they found. */
export interface Measured {
  readonly matrix: Matrix;
  readonly measured: MeasuredMatrix;
  readonly store: ClusterStore;
  readonly program: ProgramOptions;
}

export function judgeCases(cases: readonly ResolvedCase[], found: Measured): LabExpectations {
  const { matrix, store, program } = found;
  const measured = new Map(found.measured.flows.map((flow) => [matrixKey(matrix, flow), flow.measured]));
  const outcomes = cases.map(({ testCase, file, resolved }): CaseOutcome => {
    const expectations = file.expectations.map((expectation, index) =>
      judgeExpectation(expectation, resolved[index] as ResolvedCase["resolved"][number], (flow, question) => {
        const verdict = evaluate(store, flow, program);
        return { verdict, allow: measured.get(flowKey(flow.source, flow.destination, question)) ?? verdict.allow };
      }),
    );
    return { testCase, description: file.description, expectations, errors: [], store };
  });
  const rows = cases.flatMap(expectedRows);
  const expected = expectedVerdicts(rows, measured);
  return {
    outcomes,
    expectedOf: (flow) => expected.get(matrixKey(matrix, flow)),
    notes: notesOn(rows, (key) => measured.has(key)),
  };
}

interface AskedRow {
  readonly expectation: Expectation;
  /** Of its flows. */
  readonly keys: readonly string[];
}

function expectedRows({ file, resolved }: ResolvedCase): AskedRow[] {
  return resolved.flatMap((each, index) => {
    const expectation = file.expectations[index] as Expectation;
    return rowsOf(each).map((row) => ({ expectation, keys: keysOf(row, expectation) }));
  });
}

function keysOf(row: ExpectedRow, expectation: Expectation): string[] {
  return flowsOf(row, expectation).map(({ source, destination }) => flowKey(source, destination, row.question));
}

function expectedVerdicts(
  rows: readonly AskedRow[],
  measured: ReadonlyMap<string, boolean>,
): ReadonlyMap<string, ExpectedVerdict> {
  const expected = new Map<string, ExpectedVerdict>();
  for (const { expectation, keys } of rows) {
    if (expectation.verdict === undefined) continue;
    for (const key of keys) {
      const isMet = (expectation.verdict === "allow") === measured.get(key);
      if (!isMet || !expected.has(key)) expected.set(key, expectation.verdict);
    }
  }
  return expected;
}

function notesOn(rows: readonly AskedRow[], isMeasured: (key: string) => boolean): string[] {
  const halves = rows.filter(({ expectation }) => (expectation.ingress ?? expectation.egress) !== undefined);
  const unsent = rows.filter(
    ({ expectation, keys }) => expectation.verdict !== undefined && !keys.every((key) => isMeasured(key)),
  );
  return [
    ...noteOn(halves, "about ingress or egress: packets show both together, so the evaluator answered for the halves"),
    ...noteOn(unsent, "without a packet (an end is not in this lab, or not asked for): the evaluator answered"),
  ];
}

function noteOn(rows: readonly AskedRow[], text: string): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const { file, line } = first.expectation.position;
  const place = printable(line === undefined ? file : `${file}:${line}`);
  return [`note: ${countOf(rows.length, "expected row")} ${text} (${rows.length === 1 ? "" : "the first: "}${place})`];
}

function matrixKey({ endpoints, ports }: Matrix, { from, to, port, family }: MeasuredFlow): string {
  const address = (index: number) => endpoints[index]?.addresses.get(family) as Address;
  return flowKey(address(from), address(to), ports[port] as TrafficQuestion);
}

function flowKey(source: Address, destination: Address, question: TrafficQuestion): string {
  return `${source} ${destination} ${formatQuestion(question)}`;
}
