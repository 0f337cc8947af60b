// A matrix asked with packets. Owns which packets answer it, and what is different from what is meant.

import { type Lab, probeEnd } from "../../lab/lab.ts";
import type { Probe } from "../../lab/measure.ts";
import { protocolNumber } from "../../model/flow.ts";
import type { Family } from "../../net/address.ts";
import type { Cell, Matrix } from "../matrix/compute.ts";
import { type TrafficQuestion, trafficOf } from "../traffic-text.ts";

/** One flow, as policies mean it and as packets found it. */
export interface MeasuredFlow {
  /** Indexes into the matrix's endpoints and ports. */
  readonly from: number;
  readonly to: number;
  readonly port: number;
  readonly family: Family;
  readonly meant: boolean;
  readonly measured: boolean;
}

export interface MeasuredMatrix {
  /** In the order of the matrix: source, destination, port, family. */
  readonly flows: readonly MeasuredFlow[];
  readonly differences: readonly MeasuredFlow[];
  /** Sent, repetitions included. */
  readonly packets: number;
}

interface Question extends Omit<MeasuredFlow, "measured"> {
  readonly probe: Probe;
}

/** How many flows a matrix asks about. */
export function flowCount(matrix: Matrix): number {
  let count = 0;
  forEachFlow(matrix, () => count++);
  return count;
}

/** Sends the packets; only a lasting difference is one. */
export async function measureMatrix(
  matrix: Matrix,
  { network, measurement }: Pick<Lab, "network" | "measurement">,
): Promise<MeasuredMatrix> {
  const questions: Question[] = [];
  forEachFlow(matrix, (flow) => {
    const { from, to, port, family } = flow;
    const source = probeEnd(network, matrix.endpoints[from]?.name ?? "", family);
    const destination = probeEnd(network, matrix.endpoints[to]?.name ?? "", family);
    if (source === undefined || destination === undefined) return;
    const traffic = trafficOf(matrix.ports[port] as TrafficQuestion, family);
    const number = traffic.kind === "ports" ? traffic.port : undefined;
    questions.push({
      ...flow,
      probe: { from: source, to: destination, protocol: protocolNumber(traffic), port: number },
    });
  });
  const before = measurement.packets;
  const arrived = await measurement.arriveAsMeant(
    questions.map(({ probe }) => probe),
    questions.map(({ meant }) => meant),
  );
  const flows = questions.map(({ probe: _, ...flow }, index) => ({ ...flow, measured: arrived[index] === true }));
  return {
    flows,
    differences: flows.filter(({ meant, measured }) => meant !== measured),
    packets: measurement.packets - before,
  };
}

/** The same matrix with the packets' answers: a verdict has no halves then. What no packet was sent for is not asked. */
export function matrixAsMeasured(matrix: Matrix, { flows }: MeasuredMatrix): Matrix {
  const verdicts = new Map<string, boolean>();
  for (const { from, to, port, family, measured } of flows) verdicts.set(`${from} ${to} ${port} ${family}`, measured);
  const cells = new Map<string, Cell>();
  return {
    ...matrix,
    cell(from, to) {
      const meant = matrix.cell(from, to);
      if (meant.kind !== "judged") return meant;
      const families = meant.families.flatMap(({ family }) => {
        const answers = matrix.ports.map((_, port) => verdicts.get(`${from} ${to} ${port} ${family}`));
        if (answers.every((answer) => answer === undefined)) return [];
        const halves = answers.map((answer) => answer === true);
        return [{ family, egress: halves, ingress: halves }];
      });
      if (families.length === 0) return { kind: "unasked" };
      // Equal cells are the same object: that is how groups are found.
      const key = JSON.stringify(families);
      const cell = cells.get(key) ?? { kind: "judged", families };
      cells.set(key, cell);
      return cell;
    },
  };
}

function forEachFlow(matrix: Matrix, take: (flow: Omit<MeasuredFlow, "measured">) => void): void {
  for (const from of matrix.endpoints.keys()) {
    for (const to of matrix.endpoints.keys()) {
      const cell = matrix.cell(from, to);
      if (cell.kind !== "judged") continue;
      for (const port of matrix.ports.keys()) {
        for (const { family, egress, ingress } of cell.families) {
          take({ from, to, port, family, meant: egress[port] === true && ingress[port] === true });
        }
      }
    }
  }
}
