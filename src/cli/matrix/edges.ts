// The allowed flows between groups as edges of a picture: both directions as one edge where they allow the same.
// Owns which edges and in which order; `format-mermaid.ts` and `format-dot.ts` own the notation.

import { cellState, cellText } from "./cell-text.ts";
import type { Group, GroupedMatrix } from "./groups.ts";

export interface Edge {
  readonly from: number;
  readonly to: number;
  /** The same is allowed the other way. */
  readonly both: boolean;
  readonly label: string;
}

/** Edges by source, then destination. What is denied has none. */
export function allowedEdges({ groups, matrix, cell }: GroupedMatrix): Edge[] {
  const edges: Edge[] = [];
  for (const from of groups.keys()) {
    for (const to of groups.keys()) {
      const state = cellState(cell(from, to), matrix.ports);
      if (state !== "all" && state !== "some") continue;
      const label = cellText(cell(from, to), matrix.ports);
      const both = from !== to && cellText(cell(to, from), matrix.ports) === label;
      if (!both || from < to) edges.push({ from, to, both, label });
    }
  }
  return edges;
}

export interface Cluster {
  /** undefined: the plain addresses. */
  readonly namespace: string | undefined;
  readonly members: readonly { readonly index: number; readonly group: Group }[];
}

/** Groups by namespace, in the order of their first group. */
export function clustersOf({ groups }: GroupedMatrix): Cluster[] {
  const clusters = new Map<string | undefined, { index: number; group: Group }[]>();
  for (const [index, group] of groups.entries()) {
    const members = clusters.get(group.namespace) ?? [];
    clusters.set(group.namespace, members);
    members.push({ index, group });
  }
  return [...clusters].map(([namespace, members]) => ({ namespace, members }));
}
