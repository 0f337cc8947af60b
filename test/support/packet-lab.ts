// A lab for packet tests: from manifests in files or in the test to rules in force, and the whole matrix measured.

import { resolve } from "node:path";
import { type LabInput, type LabShape, makeLabInput, readLabManifests } from "../../src/cli/lab/lab-input.ts";
import { type MeasuredMatrix, measureMatrix } from "../../src/cli/lab/measured-matrix.ts";
import { computeMatrix, type Matrix } from "../../src/cli/matrix/compute.ts";
import { defaultPorts } from "../../src/cli/matrix/ports.ts";
import { formatQuestion, type TrafficQuestion } from "../../src/cli/traffic-text.ts";
import { type Lab, withLab } from "../../src/lab/lab.ts";
import type { SelfCommand } from "../../src/lab/node-agent.ts";
import { memoryManifestFiles, nodeManifestFiles } from "../../src/manifests/manifest-files.ts";
import type { Address } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../src/program/program.ts";
import { labBackendOf } from "./lab-backends.ts";

/** The bundle where it is newer than the sources: it starts in half the time. */
const SELF: SelfCommand = [resolve(import.meta.dirname, "../../bin/nftpol")];

/** Manifests: a path in the file system, or their text. */
export type LabSource = { readonly path: string } | { readonly yaml: string };

export interface TestLabSettings extends Partial<LabShape> {
  readonly program?: Partial<ProgramOptions>;
  /** Every pod has addresses of both families. */
  readonly dualStack?: boolean;
  /** Plain addresses outside, besides those that policies mention. */
  readonly addresses?: readonly Address[];
  /** One of LAB_BACKENDS. */
  readonly backend?: string;
}

export interface TestLab extends LabInput {
  readonly lab: Lab;
  /** The matrix of the manifests that are in force, as policies mean it and as packets found it. */
  measure(ports?: readonly TrafficQuestion[]): Promise<{ readonly matrix: Matrix; readonly measured: MeasuredMatrix }>;
  /** Other manifests with the same pods: resolves when their rules are in force. */
  replace(source: LabSource): Promise<void>;
}

/** Calls `body` when the rules are in force; whatever happens, nothing of the lab remains. */
export async function withTestLab<T>(
  source: LabSource,
  settings: TestLabSettings,
  body: (lab: TestLab) => Promise<T>,
): Promise<T> {
  const program = { ...DEFAULT_PROGRAM_OPTIONS, ...settings.program };
  const backend = labBackendOf(settings.backend);
  let input = await readInput(source, settings);
  return await withLab({ self: SELF, plan: input.plan, cluster: input.cluster, program, backend }, (lab) =>
    body({
      ...input,
      lab,
      async measure(ports) {
        const matrix = computeMatrix(input.store, {
          ports: ports ?? defaultPorts(input.store).ports,
          addresses: [...input.plan.outside, ...input.namedNodes],
          options: program,
        });
        return { matrix, measured: await measureMatrix(matrix, lab) };
      },
      async replace(next) {
        input = { ...(await readInput(next, settings)), plan: input.plan };
        await lab.change(input.cluster, input.store);
      },
    }),
  );
}

async function readInput(source: LabSource, settings: TestLabSettings): Promise<LabInput> {
  const manifests =
    "path" in source
      ? await readLabManifests([source.path], false, nodeManifestFiles)
      : await readLabManifests(["lab.yaml"], false, memoryManifestFiles({ "lab.yaml": source.yaml }));
  const errors = manifests.loaded.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(`the lab's manifests: ${errors.map(({ message }) => message).join("; ")}`);
  const { nodes = "as-is", topology = "routed", dualStack = false, addresses = [] } = settings;
  return makeLabInput(manifests, { nodes, topology, dualStack }, undefined, addresses);
}

/** What differs, as people read it: empty where packets found what policies mean. */
export function differencesOf({ matrix, measured }: Awaited<ReturnType<TestLab["measure"]>>): string[] {
  const name = (index: number) => matrix.endpoints[index]?.name;
  return measured.differences.map(
    ({ from, to, port, family, meant }) =>
      `${name(from)} -> ${name(to)} : ${formatQuestion(matrix.ports[port] as TrafficQuestion)} IPv${family} should be ${meant ? "allowed" : "denied"}`,
  );
}
