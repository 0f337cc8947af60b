// `nftpol lab run`: builds the cluster of manifests from network namespaces, loads the rules, sends packets, compares with what
// policies mean and, with --expect, with what people expect.

import { withLab } from "../../lab/lab.ts";
import type { LabPlan } from "../../lab/plan.ts";
import { fillStore } from "../input.ts";
import { askedFamilies, askedNamespace, askedPorts, occurringPorts, painter } from "../matrix/asked.ts";
import { computeMatrix, type Matrix } from "../matrix/compute.ts";
import { sortPorts } from "../matrix/ports.ts";
import { programOptions } from "../node-ruleset.ts";
import { withProgress } from "../progress.ts";
import { countOf } from "../terminal-text.ts";
import {
  CommandError,
  type ExitCode,
  flagOption,
  listOption,
  type OptionValues,
  textOption,
  type VerbContext,
} from "../verb.ts";
import { judgeCases } from "./expect-outcome.ts";
import { namedAddresses, questionsOf, readExpectedCases, resolveCases } from "./expect-questions.ts";
import { labBackend } from "./lab-backend.ts";
import {
  makeLabInput,
  readLabAddresses,
  readLabManifests,
  readLabPaths,
  readLabShape,
  refuseErrors,
} from "./lab-input.ts";
import { flowCount, measureMatrix } from "./measured-matrix.ts";
import {
  expectationFailures,
  isAsItShouldBe,
  type RunReport,
  runJson,
  runJunit,
  runTable,
  summaryLines,
} from "./run-report.ts";
import { refuseWithoutBridgeFilter, refuseWithoutRights, selfCommand } from "./surroundings.ts";

/** Each flow is a packet or some, and an entry of connection tracking. */
export const MAX_FLOWS = 200_000;

export async function runLab(_args: readonly string[], options: OptionValues, context: VerbContext): Promise<ExitCode> {
  const { paths, recursive } = readLabPaths(options);
  const shape = readLabShape(options);
  const program = programOptions(options);
  const asked = { ports: askedPorts(options), addresses: readLabAddresses(options), families: askedFamilies(options) };
  refuseWithoutRights();
  const backend = await labBackend(options);
  refuseWithoutBridgeFilter(shape.topology);
  const manifests = await readLabManifests(paths, recursive, context.files);
  const expected = await readExpectedCases(listOption(options, "expect"), context.files);
  refuseErrors([...fillStore(manifests.loaded).diagnostics, ...expected.diagnostics], context);
  const addresses = [...asked.addresses, ...namedAddresses(expected.cases)];
  const { cluster, plan, store, outside, namedNodes } = makeLabInput(manifests, shape, asked.families, addresses);
  const expectations = resolveCases(store, expected.cases);
  refuseErrors(expectations.diagnostics, context);
  const more = questionsOf(expectations.cases, plan);
  const matrix = computeMatrix(store, {
    ports: sortPorts([...(asked.ports.length > 0 ? asked.ports : occurringPorts(store, context)), ...more.ports]),
    addresses: [...outside, ...namedNodes, ...asked.addresses, ...more.addresses],
    families: asked.families,
    namespace: askedNamespace(store, options),
    options: program,
  });
  refuseTooMany(matrix);
  const startedAt = performance.now();
  const { measured, times } = await withProgress(context, progressText(plan, matrix), () =>
    withLab({ self: selfCommand(), plan, cluster, program, backend }, async (lab) => {
      const upAt = performance.now();
      const result = await measureMatrix(matrix, lab);
      return { measured: result, times: { setUpMs: upAt - startedAt, measureMs: performance.now() - upAt } };
    }),
  );
  const report: RunReport = {
    ...{ matrix, measured, store, program, times },
    nodes: plan.nodes.length,
    expectations:
      expected.cases.length === 0 ? undefined : judgeCases(expectations.cases, { matrix, measured, store, program }),
  };
  print(report, options, context);
  return isAsItShouldBe(report) ? 0 : 1;
}

function progressText({ pods, nodes }: LabPlan, matrix: Matrix): string {
  return `${countOf(pods.length, "pod")} on ${countOf(nodes.length, "node")}, ${countOf(flowCount(matrix), "flow")}`;
}

function print(report: RunReport, options: OptionValues, context: VerbContext): void {
  const format = textOption(options, "output");
  const isTable = format !== "json" && format !== "junit";
  const say = isTable ? context.stdout : context.stderr;
  if (format === "json") context.stdout(runJson(report));
  else if (format === "junit") context.stdout(runJunit(report));
  else {
    const paint = painter(context.colour);
    context.stdout(runTable(report, { columns: context.columns, paint, byPod: flagOption(options, "byPod") }));
  }
  if (format !== "junit") say(expectationFailures(report));
  for (const note of report.expectations?.notes ?? []) context.stderr(`${note}\n`);
  say(`${isTable ? "\n" : ""}${summaryLines(report)}`);
}

function refuseTooMany(matrix: Matrix): void {
  const flows = flowCount(matrix);
  if (flows <= MAX_FLOWS) return;
  throw new CommandError(
    2,
    `${flows} flows: a lab is made for at most ${MAX_FLOWS}`,
    "ask for less, with --port, --namespace or --family",
  );
}
