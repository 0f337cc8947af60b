// What `lab run` prints: the matrix as measured, and what differs from what is meant, with the reason of what is meant.

import { FAMILIES } from "../../net/address.ts";
import type { ProgramOptions } from "../../program/program.ts";
import type { ClusterStore } from "../../state/store.ts";
import { formatSeconds } from "../duration.ts";
import { resolveEndpoint } from "../endpoint.ts";
import { escapeXml, expectationSuite, failureCount, testCount } from "../expectations/junit.ts";
import { caseText, isOk, totalsOf } from "../expectations/report.ts";
import type { CaseOutcome } from "../expectations/run-case.ts";
import { explainFlows } from "../explain/explanation.ts";
import { explanationText } from "../explain/explanation-text.ts";
import type { Matrix } from "../matrix/compute.ts";
import { formatTable, type TableOptions } from "../matrix/format-table.ts";
import { groupMatrix } from "../matrix/groups.ts";
import { countOf, printable } from "../terminal-text.ts";
import { formatQuestion, type TrafficQuestion } from "../traffic-text.ts";
import type { LabExpectations } from "./expect-outcome.ts";
import { type MeasuredFlow, type MeasuredMatrix, matrixAsMeasured } from "./measured-matrix.ts";

export interface RunReport {
  readonly matrix: Matrix;
  readonly measured: MeasuredMatrix;
  readonly store: ClusterStore;
  readonly program: ProgramOptions;
  readonly nodes: number;
  readonly times: RunTimes;
  /** undefined: nobody gave any. */
  readonly expectations: LabExpectations | undefined;
}

export interface RunTimes {
  readonly setUpMs: number;
  readonly measureMs: number;
}

/** Packets found what policies mean, and what people expect. */
export function isAsItShouldBe({ measured, expectations }: RunReport): boolean {
  return measured.differences.length === 0 && (expectations?.outcomes ?? []).every(isOk);
}

/** More explanations than these nobody reads. */
const MAX_EXPLANATIONS = 5;

export function runTable(report: RunReport, options: TableOptions & { readonly byPod: boolean }): string {
  const { matrix, measured } = report;
  const asMeasured = groupMatrix(matrixAsMeasured(matrix, measured), options.byPod);
  if (measured.differences.length === 0) return formatTable(asMeasured, options);
  const differing = countOf(measured.differences.length, "flow");
  const verb = measured.differences.length === 1 ? "is" : "are";
  return [
    `AS MEASURED, ${formatTable(asMeasured, options)}`,
    `AS MEANT, ${formatTable(groupMatrix(matrix, options.byPod), options)}`,
    `DIFFERENT: ${differing} ${verb} not as meant\n\n${measured.differences.map((flow) => `${flowWords(matrix, flow)}: meant ${word(flow.meant)}, measured ${word(flow.measured)}\n`).join("")}`,
    ...measured.differences.slice(0, MAX_EXPLANATIONS).map((flow) => explain(report, flow)),
    ...(measured.differences.length > MAX_EXPLANATIONS
      ? [`… and ${measured.differences.length - MAX_EXPLANATIONS} more: ask nftpol explain\n`]
      : []),
  ].join("\n");
}

/** Expectations that do not hold, with the reason; empty where there are none. */
export function expectationFailures({ expectations }: RunReport): string {
  const failures = (expectations?.outcomes ?? []).map(caseText).join("");
  return failures === "" ? "" : `\nEXPECTATIONS that do not hold\n\n${failures}`;
}

/** One of the packets, one of the expectations where there are any. */
export function summaryLines({ matrix, measured, nodes, times, expectations }: RunReport): string {
  const { flows, differences, packets } = measured;
  const endpoints = matrix.endpoints.length;
  const result = differences.length === 0 ? "measured = meant" : `${differences.length} DIFFERENT`;
  const time = `set up in ${formatSeconds(times.setUpMs)}, measured in ${formatSeconds(times.measureMs)}`;
  const line = `${result}: ${countOf(flows.length, "flow")} among ${endpoints} endpoints on ${countOf(nodes, "node")}, ${countOf(packets, "packet")}; ${time}\n`;
  if (expectations === undefined) return line;
  const { rows, rowsOk } = totalsOf(expectations.outcomes);
  return `${line}expectations: rows ${rowsOk} ok / ${rows}\n`;
}

interface FlowRow {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number | null;
  readonly family: string;
  readonly meant: "allow" | "deny";
  readonly measured: "allow" | "deny";
  /** Left out where no expectation names the flow. */
  readonly expected?: "allow" | "deny";
}

export function runJson(report: RunReport): string {
  const rows = report.measured.flows.map((flow) => JSON.stringify(flowRow(report, flow)));
  return rows.length === 0 ? "[]\n" : `[\n${rows.join(",\n")}\n]\n`;
}

function flowRow({ matrix, expectations }: RunReport, flow: MeasuredFlow): FlowRow {
  const expected = expectations?.expectedOf(flow);
  const question = matrix.ports[flow.port] as TrafficQuestion;
  return {
    from: matrix.endpoints[flow.from]?.name ?? "",
    to: matrix.endpoints[flow.to]?.name ?? "",
    protocol: protocolWord(question),
    port: question.kind === "ports" ? question.port : null,
    family: `IPv${flow.family}`,
    meant: word(flow.meant),
    measured: word(flow.measured),
    ...(expected === undefined ? {} : { expected }),
  };
}

function protocolWord(question: TrafficQuestion): string {
  if (question.kind === "ports") return question.protocol;
  return question.kind === "icmp" ? "ICMP" : String(question.protocol);
}

/** A suite for each source, a case for each flow; a suite for each expectation file, a case for each expectation. */
export function runJunit(report: RunReport): string {
  const { matrix, measured, times } = report;
  const outcomes = report.expectations?.outcomes ?? [];
  const suites = matrix.endpoints.flatMap(({ name }, from) => {
    const flows = measured.flows.filter((flow) => flow.from === from);
    return flows.length === 0 ? [] : [junitSuite(report, name, flows)];
  });
  const sum = (of: (outcome: CaseOutcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const tests = measured.flows.length + sum(testCount);
  const failures = measured.differences.length + sum(failureCount);
  const time = ((times.setUpMs + times.measureMs) / 1000).toFixed(3);
  const start = `<testsuites name="nftpol lab run" tests="${tests}" failures="${failures}" time="${time}">`;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    start,
    ...suites,
    ...outcomes.map(expectationSuite),
    "</testsuites>",
  ];
  return `${lines.join("\n")}\n`;
}

function junitSuite(report: RunReport, name: string, flows: readonly MeasuredFlow[]): string {
  const failures = flows.filter(({ meant, measured }) => meant !== measured).length;
  const cases = flows.map((flow) => {
    const start = `<testcase name="${escapeXml(`${flowWords(report.matrix, flow)} is ${word(flow.meant)}`)}" classname="${escapeXml(name)}"`;
    if (flow.meant === flow.measured) return `${start}/>`;
    const message = `meant ${word(flow.meant)}, measured ${word(flow.measured)}`;
    return `${start}><failure message="${message}">${escapeXml(explain(report, flow))}</failure></testcase>`;
  });
  return `<testsuite name="${escapeXml(name)}" tests="${flows.length}" failures="${failures}">\n${cases.join("\n")}\n</testsuite>`;
}

function flowWords(matrix: Matrix, { from, to, port, family }: MeasuredFlow): string {
  const name = (index: number) => printable(matrix.endpoints[index]?.name ?? "");
  return `${name(from)} -> ${name(to)} : ${formatQuestion(matrix.ports[port] as TrafficQuestion)} IPv${family}`;
}

/** Why it is meant so, and which rules would have made it so. */
function explain({ matrix, store, program }: RunReport, { from, to, port, family }: MeasuredFlow): string {
  const end = (index: number) => {
    const found = resolveEndpoint(store, matrix.endpoints[index]?.name ?? "");
    return "message" in found ? undefined : found.endpoints[0];
  };
  const ends = { from: end(from), to: end(to) };
  if (ends.from === undefined || ends.to === undefined) throw new Error("a flow between ends that are not there");
  const both = { from: ends.from, to: ends.to };
  const only = FAMILIES.find((each) => each === family);
  return explainFlows(store, both, matrix.ports[port] as TrafficQuestion, program, only)
    .map((explanation) => explanationText(store, both, explanation, { colour: false, wide: false }))
    .join("\n");
}

function word(allow: boolean): "allow" | "deny" {
  return allow ? "allow" : "deny";
}
