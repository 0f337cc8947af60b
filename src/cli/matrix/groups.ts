// Pods of one workload that nobody can tell apart by their verdicts, as one line and one column of a picture.
// Owns what may be put together and how it is called. A group's cell is true for each of its pods.

import type { Cell, Matrix } from "./compute.ts";
import type { Endpoint } from "./endpoints.ts";

export interface Group {
  /** `shop/web (3)`, `shop/db-0`, `192.0.2.1`; unique. */
  readonly label: string;
  /** undefined for a plain address. */
  readonly namespace: string | undefined;
  /** The label without the namespace. */
  readonly shortLabel: string;
  /** Indexes into the matrix's endpoints; never empty. */
  readonly members: readonly number[];
}

export interface GroupedMatrix {
  readonly matrix: Matrix;
  readonly groups: readonly Group[];
  /** What holds between each pod of one group and each (other) pod of the other. By index into `groups`. */
  cell(from: number, to: number): Cell;
  /** The endpoints that stand for the two groups: their first pods; within one group the first and the second. */
  pair(from: number, to: number): readonly [from: number, to: number];
}

/** Groups in the order of their first pods. `byPod`: every endpoint is a group of its own. */
export function groupMatrix(matrix: Matrix, byPod = false): GroupedMatrix {
  const buckets = new Map<string, number[][]>();
  for (const [index, endpoint] of matrix.endpoints.entries()) {
    const parts = listAt(buckets, byPod ? endpoint.name : workloadKey(endpoint));
    const alike = parts.find((part) => isAlike(matrix, part[0] as number, index));
    if (alike === undefined) parts.push([index]);
    else alike.push(index);
  }
  const named = nameGroups(matrix, [...buckets.values()], byPod);
  const groups = named.sort((a, b) => (a.members[0] as number) - (b.members[0] as number));
  const pair = (from: number, to: number): readonly [number, number] => {
    const source = (groups[from] as Group).members[0] as number;
    const others = (groups[to] as Group).members;
    return [source, (from === to ? (others[1] ?? others[0]) : others[0]) as number];
  };
  return { matrix, groups, pair, cell: (from, to) => matrix.cell(...pair(from, to)) };
}

function listAt(buckets: Map<string, number[][]>, key: string): number[][] {
  const known = buckets.get(key) ?? [];
  buckets.set(key, known);
  return known;
}

function workloadKey({ name, pod }: Endpoint): string {
  return pod === undefined ? name : `${pod.pod.namespace} ${pod.pod.workload}`;
}

/**
 * Whether the two have the same row and the same column. They are compared towards every third endpoint, and the cells
 * between the two must be equal. So it is an equivalence, and all cells within a group are equal too.
 */
function isAlike(matrix: Matrix, a: number, b: number): boolean {
  if (matrix.cell(a, b) !== matrix.cell(b, a)) return false;
  return matrix.endpoints.every((_, other) => {
    if (other === a || other === b) return true;
    return matrix.cell(a, other) === matrix.cell(b, other) && matrix.cell(other, a) === matrix.cell(other, b);
  });
}

function nameGroups(matrix: Matrix, workloads: readonly (readonly number[][])[], byPod: boolean): Group[] {
  const wholes = workloads.filter((parts) => parts.length === 1).map((parts) => parts[0] as number[]);
  const taken = new Map<string, number>();
  for (const endpoint of matrix.endpoints) taken.set(endpoint.name, 1);
  for (const members of wholes) {
    const { name, pod } = matrix.endpoints[members[0] as number] as Endpoint;
    const label = pod === undefined ? name : `${pod.pod.namespace}/${workloadName(pod.pod.workload)}`;
    if (label !== name || members.length > 1) taken.set(label, (taken.get(label) ?? 0) + 1);
  }
  return workloads.flatMap((parts) =>
    parts.map((members) => {
      const { name, pod } = matrix.endpoints[members[0] as number] as Endpoint;
      if (pod === undefined) return { label: name, namespace: undefined, shortLabel: name, members };
      const { namespace, workload } = pod.pod;
      let own = pod.pod.name;
      // A part of a workload is called by its first pod: the workload's name would promise too much.
      if (parts.length > 1) own += members.length > 1 ? ` (+${members.length - 1})` : "";
      else if (!byPod) {
        const short = workloadName(workload);
        const isUnique = `${namespace}/${short}` === name || taken.get(`${namespace}/${short}`) === 1;
        own = `${isUnique ? short : workload}${members.length > 1 ? ` (${members.length})` : ""}`;
      }
      return { label: `${namespace}/${own}`, namespace, shortLabel: own, members };
    }),
  );
}

/** `Deployment/web` -> `web`; a pod that nobody made has its own name there. */
function workloadName(workload: string): string {
  return workload.slice(workload.indexOf("/") + 1);
}
