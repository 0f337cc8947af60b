// Who reaches whom: the reference evaluator asked once for each pair of endpoint classes, port and family.
// Pure. Owns what a cell says; rows, groups and pictures are made from it elsewhere.

import { type Address, FAMILIES, type Family } from "../../net/address.ts";
import { DEFAULT_EVALUATE_OPTIONS, type EvaluateOptions } from "../../semantics/evaluate.ts";
import type { Verdict } from "../../semantics/verdict.ts";
import type { ClusterView } from "../../state/view.ts";
import type { TrafficQuestion } from "../traffic-text.ts";
import { classifyEndpoints } from "./classes.ts";
import { commonFamilies, type Endpoint, listEndpoints } from "./endpoints.ts";
import { PairJudge } from "./pair-judge.ts";

export interface MatrixQuestion {
  readonly ports: readonly TrafficQuestion[];
  /** Plain addresses besides the pods. */
  readonly addresses: readonly Address[];
  /** Only these families; both where it is left out. */
  readonly families?: readonly Family[];
  /** Only flows from or to this namespace. */
  readonly namespace?: string | undefined;
  readonly options?: EvaluateOptions;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Matrix {
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly TrafficQuestion[];
  /** By index into `endpoints`. Equal cells are the same object. */
  cell(from: number, to: number): Cell;
  /** The whole verdicts with their reasons, one for each port; both endpoints must have an address of the family. */
  verdicts(from: number, to: number, family: Family): readonly Verdict[];
}

export type Cell =
  /** A pod and itself: never blocked. */
  | { readonly kind: "self" }
  /** Nothing to judge: no family in common, two plain addresses, or none of the two in the namespace asked about. */
  | { readonly kind: "unasked" }
  | { readonly kind: "judged"; readonly families: readonly FamilyVerdicts[] };

/** One family's halves, by index into the matrix's ports. */
export interface FamilyVerdicts {
  readonly family: Family;
  readonly egress: readonly boolean[];
  readonly ingress: readonly boolean[];
}

const SELF: Cell = { kind: "self" };
const UNASKED: Cell = { kind: "unasked" };

/** Cost: classes x classes x ports x families evaluations, whatever the number of pods in a class. */
export function computeMatrix(view: ClusterView, question: MatrixQuestion): Matrix {
  const { ports, namespace, families = FAMILIES, options = DEFAULT_EVALUATE_OPTIONS } = question;
  const endpoints = listEndpoints(view, question.addresses, families);
  const isAsked = endpoints.map(({ pod }) => namespace === undefined || pod?.pod.namespace === namespace);
  const classOf = classifyEndpoints(view, endpoints);
  const members = firstTwoMembers(classOf);
  const judge = new PairJudge(view, ports, options);
  const cells = new CellTable();
  const table = members.map(([from], row) => {
    const line = members.map(([first, second], column) => {
      const to = row === column ? second : first;
      return to === undefined
        ? UNASKED
        : judgeCell(endpoints[from as number] as Endpoint, endpoints[to] as Endpoint, judge, cells);
    });
    question.onProgress?.(row + 1, members.length);
    return line;
  });
  return {
    endpoints,
    ports,
    cell: (from, to) => {
      if (!isAsked[from] && !isAsked[to]) return UNASKED;
      if (from === to) return (endpoints[from] as Endpoint).pod === undefined ? UNASKED : SELF;
      return table[classOf[from] as number]?.[classOf[to] as number] as Cell;
    },
    verdicts: (from, to, family) => judge.verdicts(endpoints[from] as Endpoint, endpoints[to] as Endpoint, family),
  };
}

/** Two members of each class where it has two: a pod and itself is not what a pod and its like is. */
function firstTwoMembers(classOf: readonly number[]): number[][] {
  const members: number[][] = [];
  for (const [endpoint, number] of classOf.entries()) {
    const known = members[number];
    if (known === undefined) members[number] = [endpoint];
    else if (known.length < 2) known.push(endpoint);
  }
  return members;
}

function judgeCell(source: Endpoint, destination: Endpoint, judge: PairJudge, cells: CellTable): Cell {
  const families = commonFamilies(source, destination);
  if (families.length === 0 || (source.pod === undefined && destination.pod === undefined)) return UNASKED;
  return cells.intern(
    families.map((family) => {
      const verdicts = judge.verdicts(source, destination, family);
      return {
        family,
        egress: verdicts.map((verdict) => verdict.egress.allow),
        ingress: verdicts.map((verdict) => verdict.ingress.allow),
      };
    }),
  );
}

/** Each distinct cell once, so that cells can be compared by identity. */
class CellTable {
  readonly #cells = new Map<string, Cell>();

  intern(families: readonly FamilyVerdicts[]): Cell {
    const key = JSON.stringify(
      families.map(({ family, egress, ingress }) => [family, ...egress.map(Number), ...ingress.map(Number)]),
    );
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const cell: Cell = { kind: "judged", families };
    this.#cells.set(key, cell);
    return cell;
  }
}
