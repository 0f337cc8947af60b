// `nftpol lab run`: builds the cluster of manifests from network namespaces, loads the rules, sends packets, compares.

import { withLab } from "../../lab/lab.ts";
import { formatDiagnostic, hasErrors } from "../diagnostics.ts";
import { fillStore } from "../input.ts";
import { askedAddresses, askedFamilies, askedNamespace, askedPorts, occurringPorts, painter } from "../matrix/asked.ts";
import { computeMatrix, type Matrix } from "../matrix/compute.ts";
import { programOptions } from "../node-ruleset.ts";
import { startProgress } from "../progress.ts";
import { CommandError, type ExitCode, flagOption, type OptionValues, textOption, type VerbContext } from "../verb.ts";
import { makeLabInput, readLabManifests, readLabPaths, readLabShape } from "./lab-input.ts";
import { flowCount, measureMatrix } from "./measured-matrix.ts";
import { type RunReport, runJson, runJunit, runTable, summaryLine } from "./run-report.ts";
import { refuseWithoutRights, selfCommand } from "./surroundings.ts";

/** Each flow is a packet or some, and an entry of connection tracking. */
export const MAX_FLOWS = 200_000;

export async function runLab(_args: readonly string[], options: OptionValues, context: VerbContext): Promise<ExitCode> {
  const { paths, recursive } = readLabPaths(options);
  const shape = readLabShape(options);
  const program = programOptions(options);
  const asked = askedPorts(options);
  const addresses = askedAddresses(options);
  const families = askedFamilies(options);
  refuseWithoutRights();
  const manifests = await readLabManifests(paths, recursive, context.files);
  const { diagnostics } = fillStore(manifests.loaded);
  for (const diagnostic of diagnostics) context.stderr(`${formatDiagnostic(diagnostic)}\n`);
  if (hasErrors(diagnostics)) throw new CommandError(2, "");
  const input = makeLabInput(manifests, shape, families, addresses);
  const { cluster, plan, store, outside } = input;
  const matrix = computeMatrix(store, {
    ports: asked.length > 0 ? asked : occurringPorts(store, context),
    addresses: [...outside, ...addresses],
    families,
    namespace: askedNamespace(store, options),
    options: program,
  });
  refuseTooMany(matrix);
  const progress = startProgress(context);
  const startedAt = performance.now();
  progress.report(`building ${plan.pods.length} pods on ${plan.nodes.length} nodes`);
  const { measured, times } = await withLab({ self: selfCommand(), plan, cluster, program }, async (lab) => {
    const upAt = performance.now();
    const result = await measureMatrix(matrix, lab);
    return { measured: result, times: { setUpMs: upAt - startedAt, measureMs: performance.now() - upAt } };
  });
  progress.finish();
  const report = { matrix, measured, store, program };
  print(report, plan.nodes.length, times, options, context);
  return measured.differences.length === 0 ? 0 : 1;
}

function print(
  report: RunReport,
  nodes: number,
  times: { readonly setUpMs: number; readonly measureMs: number },
  options: OptionValues,
  context: VerbContext,
): void {
  const format = textOption(options, "output");
  if (format === "json") context.stdout(runJson(report));
  else if (format === "junit") context.stdout(runJunit(report, times.setUpMs + times.measureMs));
  else {
    const paint = painter(context.colour);
    context.stdout(runTable(report, { columns: context.columns, paint, byPod: flagOption(options, "byPod") }));
  }
  const line = `${summaryLine(report, nodes, times)}\n`;
  if (format === "json" || format === "junit") context.stderr(line);
  else context.stdout(`\n${line}`);
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
