// What `lab run` prints: the matrix as measured, and what differs from what is meant, with the reason of what is meant.

import { FAMILIES } from "../../net/address.ts";
import type { ProgramOptions } from "../../program/program.ts";
import type { ClusterStore } from "../../state/store.ts";
import { resolveEndpoint } from "../endpoint.ts";
import { escapeXml } from "../expectations/junit.ts";
import { explainFlows } from "../explain/explanation.ts";
import { explanationText } from "../explain/explanation-text.ts";
import type { Matrix } from "../matrix/compute.ts";
import { formatTable, type TableOptions } from "../matrix/format-table.ts";
import { groupMatrix } from "../matrix/groups.ts";
import { countOf, printable } from "../terminal-text.ts";
import { formatQuestion, type TrafficQuestion } from "../traffic-text.ts";
import { type MeasuredFlow, type MeasuredMatrix, matrixAsMeasured } from "./measured-matrix.ts";

export interface RunReport {
  readonly matrix: Matrix;
  readonly measured: MeasuredMatrix;
  readonly store: ClusterStore;
  readonly program: ProgramOptions;
}

export interface RunTimes {
  readonly setUpMs: number;
  readonly measureMs: number;
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

export function summaryLine({ matrix, measured }: RunReport, nodes: number, { setUpMs, measureMs }: RunTimes): string {
  const { flows, differences, packets } = measured;
  const endpoints = matrix.endpoints.length;
  const result = differences.length === 0 ? "measured = meant" : `${differences.length} DIFFERENT`;
  const time = `set up in ${seconds(setUpMs)}, measured in ${seconds(measureMs)}`;
  return `${result}: ${countOf(flows.length, "flow")} among ${endpoints} endpoints on ${countOf(nodes, "node")}, ${countOf(packets, "packet")}; ${time}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

interface FlowRow {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number | null;
  readonly family: string;
  readonly meant: "allow" | "deny";
  readonly measured: "allow" | "deny";
}

export function runJson({ matrix, measured }: RunReport): string {
  const rows = measured.flows.map((flow) => JSON.stringify(flowRow(matrix, flow)));
  return rows.length === 0 ? "[]\n" : `[\n${rows.join(",\n")}\n]\n`;
}

function flowRow(matrix: Matrix, flow: MeasuredFlow): FlowRow {
  const question = matrix.ports[flow.port] as TrafficQuestion;
  return {
    from: matrix.endpoints[flow.from]?.name ?? "",
    to: matrix.endpoints[flow.to]?.name ?? "",
    protocol: protocolWord(question),
    port: question.kind === "ports" ? question.port : null,
    family: `IPv${flow.family}`,
    meant: word(flow.meant),
    measured: word(flow.measured),
  };
}

function protocolWord(question: TrafficQuestion): string {
  if (question.kind === "ports") return question.protocol;
  return question.kind === "icmp" ? "ICMP" : String(question.protocol);
}

/** One suite for each source, one case for each flow. */
export function runJunit(report: RunReport, ms: number): string {
  const { matrix, measured } = report;
  const suites = matrix.endpoints.flatMap(({ name }, from) => {
    const flows = measured.flows.filter((flow) => flow.from === from);
    return flows.length === 0 ? [] : [junitSuite(report, name, flows)];
  });
  const { flows, differences } = measured;
  const totals = `tests="${flows.length}" failures="${differences.length}" time="${(ms / 1000).toFixed(3)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="nftpol lab run" ${totals}>\n${suites.join("\n")}\n</testsuites>\n`;
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
