// A matrix as rows, one for each (from, to, port): what scripts read. The shape is part of the command line's contract.

import type { Family } from "../../net/address.ts";
import { formatQuestion, type TrafficQuestion } from "../traffic-text.ts";
import type { Cell, FamilyVerdicts, Matrix } from "./compute.ts";

export type Word = "allow" | "deny";

export interface MatrixRow {
  /** `namespace/name` of a pod, otherwise an IP address. */
  readonly from: string;
  readonly to: string;
  /** `TCP`, `UDP`, `SCTP`, `ICMP`, or the number of another protocol. */
  readonly protocol: string;
  /** null where the protocol has no ports. */
  readonly port: number | null;
  /** The destination's half; a half that is not asked allows. */
  readonly ingress: Word;
  /** The source's half. */
  readonly egress: Word;
  readonly verdict: Word;
  /** Only where the families differ: then there is a row for each. */
  readonly family?: `IPv${Family}`;
}

/** Rows by source, destination, port, family, in the matrix's order. Pairs that nothing is asked about have none. */
export function* matrixRows(matrix: Matrix): Generator<MatrixRow> {
  for (const [from, source] of matrix.endpoints.entries()) {
    for (const [to, destination] of matrix.endpoints.entries()) {
      const cell = matrix.cell(from, to);
      for (const [index, port] of matrix.ports.entries()) {
        const start = { from: source.name, to: destination.name, ...describePort(port) };
        yield* cellRows(cell, index).map((rest) => ({ ...start, ...rest }));
      }
    }
  }
}

type RowEnd = Pick<MatrixRow, "ingress" | "egress" | "verdict" | "family">;

function cellRows(cell: Cell, port: number): RowEnd[] {
  if (cell.kind === "unasked") return [];
  if (cell.kind === "self") return [rowEnd(true, true)];
  const ends = cell.families.map((verdicts) => rowEnd(verdicts.egress[port] === true, verdicts.ingress[port] === true));
  const [first] = ends as [RowEnd, ...RowEnd[]];
  if (ends.every((end) => end.ingress === first.ingress && end.egress === first.egress)) return [first];
  return ends.map((end, index) => ({ ...end, family: `IPv${(cell.families[index] as FamilyVerdicts).family}` }));
}

function rowEnd(egress: boolean, ingress: boolean): RowEnd {
  return { ingress: word(ingress), egress: word(egress), verdict: word(egress && ingress) };
}

function word(allow: boolean): Word {
  return allow ? "allow" : "deny";
}

function describePort(port: TrafficQuestion): { readonly protocol: string; readonly port: number | null } {
  switch (port.kind) {
    case "ports":
      return { protocol: port.protocol, port: port.port };
    case "icmp":
      return { protocol: formatQuestion(port), port: null };
    case "other":
      return { protocol: String(port.protocol), port: null };
  }
}
