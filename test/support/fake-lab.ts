// A lab without namespaces: packets arrive as a test says, at once. The clock moves when somebody waits.

import type { LabInput } from "../../src/cli/lab/lab-input.ts";
import { makeLabInput, readLabManifests } from "../../src/cli/lab/lab-input.ts";
import { type MeasuredMatrix, measureMatrix } from "../../src/cli/lab/measured-matrix.ts";
import { computeMatrix, type Matrix, type MatrixQuestion } from "../../src/cli/matrix/compute.ts";
import { parseTraffic, type TrafficQuestion } from "../../src/cli/traffic-text.ts";
import type { Lab } from "../../src/lab/lab.ts";
import type { LabNetwork } from "../../src/lab/lab-network.ts";
import { type Arrival, Measurement, type Probe } from "../../src/lab/measure.ts";
import type { LabPlan } from "../../src/lab/plan.ts";
import { memoryManifestFiles } from "../../src/manifests/manifest-files.ts";
import { PROTOCOL_NUMBER, type Traffic } from "../../src/model/flow.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { evaluate } from "../../src/semantics/evaluate.ts";
import type { ClusterStore } from "../../src/state/store.ts";

/** Whether a probe arrives; `attempt` counts from 0. */
export type FakeKernel = (probe: Probe, attempt: number) => boolean;

export function fakeLab(plan: LabPlan, kernel: FakeKernel): Pick<Lab, "network" | "measurement"> {
  let nowMs = 0;
  const arrived: Arrival[] = [];
  const attempts = new Map<string, number>();
  const line = {
    send(probe: Probe, number: number) {
      const key = JSON.stringify(probe);
      const attempt = attempts.get(key) ?? 0;
      attempts.set(key, attempt + 1);
      if (kernel(probe, attempt)) arrived.push({ number, ns: probe.to.ns });
    },
    arrivals: () => arrived.splice(0),
    forget: async () => {},
  };
  const sleep = async (ms: number) => {
    nowMs += ms;
  };
  const network = {
    plan,
    outside: "outside",
    node: (name: string) => `node ${name}`,
    pod: (key: string) => `pod ${key}`,
  } as unknown as LabNetwork;
  return { network, measurement: new Measurement(line, sleep, () => nowMs) };
}

/** The kernel whose rules mean what the policies say. */
export function faithfulKernel(store: ClusterStore): FakeKernel {
  return ({ from, to, protocol, port }) => {
    const names = Object.entries(PROTOCOL_NUMBER) as [keyof typeof PROTOCOL_NUMBER, number][];
    const name = names.find(([, number]) => number === protocol)?.[0];
    const traffic: Traffic =
      name !== undefined && port !== undefined
        ? { kind: "ports", protocol: name, port }
        : protocol === 1 || protocol === 58
          ? { kind: "icmp", protocol, type: protocol === 1 ? 8 : 128 }
          : { kind: "other", protocol };
    return evaluate(store, { source: from.address, destination: to.address, traffic }, DEFAULT_PROGRAM_OPTIONS).allow;
  };
}

export interface FakeRun extends LabInput {
  readonly matrix: Matrix;
  readonly measured: MeasuredMatrix;
}

export interface FakeRunSettings extends Partial<Pick<MatrixQuestion, "addresses" | "namespace" | "families">> {
  readonly ports?: readonly string[];
  /** Instead of one that is faithful. */
  readonly kernel?: (faithful: FakeKernel) => FakeKernel;
}

export function question(text: string): TrafficQuestion {
  const parsed = parseTraffic(text);
  if (parsed === undefined) throw new Error(`no port: ${text}`);
  return parsed;
}

export async function fakeInput(yaml: string, addresses: FakeRunSettings["addresses"] = []): Promise<LabInput> {
  const manifests = await readLabManifests(["lab.yaml"], false, memoryManifestFiles({ "lab.yaml": yaml }));
  return makeLabInput(manifests, { nodes: "as-is", topology: "routed", dualStack: false }, undefined, addresses);
}

/** Manifests asked of a fake kernel. */
export async function fakeRun(yaml: string, settings: FakeRunSettings = {}): Promise<FakeRun> {
  const { ports = ["80/TCP"], addresses = [], kernel = (faithful) => faithful, ...asked } = settings;
  const input = await fakeInput(yaml, addresses);
  const matrix = computeMatrix(input.store, {
    ports: ports.map(question),
    addresses: [...input.outside, ...input.namedNodes, ...addresses],
    ...asked,
  });
  const lab = fakeLab(input.plan, kernel(faithfulKernel(input.store)));
  return { ...input, matrix, measured: await measureMatrix(matrix, lab) };
}
