// What the page's script knows: groups, and for every cell the reasons, each once. Plain data, embedded as JSON.

import { FAMILIES, type Family } from "../../../net/address.ts";
import type { Verdict } from "../../../semantics/verdict.ts";
import { printable } from "../../terminal-text.ts";
import { formatQuestion } from "../../traffic-text.ts";
import { commonFamilies, type Endpoint } from "../endpoints.ts";
import type { GroupedMatrix } from "../groups.ts";
import { type PageReason, ReasonTable } from "./reasons.ts";

export interface PageData {
  readonly ports: readonly string[];
  readonly groups: readonly PageGroup[];
  /** Index into `cells`, row by row; -1: a pod and itself, -2: nothing is asked. */
  readonly grid: readonly number[];
  readonly cells: readonly (readonly PageBlock[])[];
  readonly reasons: readonly PageReason[];
}

export interface PageGroup {
  readonly label: string;
  readonly pods: number;
  /** The endpoints whose verdict is shown: the first, and within the group the second. */
  readonly first: string;
  readonly second: string;
}

/** Ports with the same reasons. */
export interface PageBlock {
  /** Indexes into the ports. */
  readonly ports: readonly number[];
  /** Only where the families differ. */
  readonly family?: `IPv${Family}`;
  /** Indexes into the reasons. */
  readonly egress: number;
  readonly ingress: number;
}

export const SELF_CELL = -1;
export const UNASKED_CELL = -2;

/** Cost: one evaluation for each pair of groups, port and family. */
export function buildPageData(grouped: GroupedMatrix): PageData {
  const { matrix, groups } = grouped;
  const reasons = new ReasonTable();
  const numbers = new Map<string, number>();
  const cells: (readonly PageBlock[])[] = [];
  const grid = groups.flatMap((_, from) =>
    groups.map((__, to) => {
      const cell = grouped.cell(from, to);
      if (cell.kind !== "judged") return cell.kind === "self" ? SELF_CELL : UNASKED_CELL;
      const blocks = describeCell(grouped, from, to, reasons);
      const key = JSON.stringify(blocks);
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, cells.length);
      return cells.push(blocks) - 1;
    }),
  );
  const nameOf = (index: number | undefined) => printable(matrix.endpoints[index ?? -1]?.name ?? "");
  return {
    ports: matrix.ports.map(formatQuestion),
    groups: groups.map(({ label, members }) => ({
      label: printable(label),
      pods: members.length,
      first: nameOf(members[0]),
      second: nameOf(members[1] ?? members[0]),
    })),
    grid,
    cells,
    reasons: reasons.reasons,
  };
}

function describeCell({ matrix, pair }: GroupedMatrix, from: number, to: number, reasons: ReasonTable): PageBlock[] {
  const [source, destination] = pair(from, to);
  const families = commonFamilies(matrix.endpoints[source] as Endpoint, matrix.endpoints[destination] as Endpoint);
  const blocksOf = new Map(
    families.map((family) => {
      // Ports with one verdict share the object: most reasons need no second look.
      const byVerdict = new Map<Verdict, MutableBlock>();
      const blocks = new Map<string, MutableBlock>();
      for (const [index, verdict] of matrix.verdicts(source, destination, family).entries()) {
        const block = byVerdict.get(verdict) ?? blockFor(verdict, blocks, reasons);
        byVerdict.set(verdict, block);
        block.ports.push(index);
      }
      return [family, allowedFirst([...blocks.values()], reasons)] as const;
    }),
  );
  const [first, second] = [...blocksOf.values()];
  if (first === undefined) return [];
  if (second === undefined || JSON.stringify(first) === JSON.stringify(second)) return [...first];
  return FAMILIES.flatMap((family) =>
    (blocksOf.get(family) ?? []).map((block) => ({ ...block, family: `IPv${family}` as const })),
  );
}

interface MutableBlock extends PageBlock {
  readonly ports: number[];
}

function blockFor(verdict: Verdict, blocks: Map<string, MutableBlock>, reasons: ReasonTable): MutableBlock {
  const egress = reasons.intern("egress", verdict.egress);
  const ingress = reasons.intern("ingress", verdict.ingress);
  const key = `${egress} ${ingress}`;
  const block = blocks.get(key) ?? { ports: [], egress, ingress };
  blocks.set(key, block);
  return block;
}

function allowedFirst(blocks: readonly PageBlock[], reasons: ReasonTable): PageBlock[] {
  const isDenied = ({ egress, ingress }: PageBlock) => Number(!reasons.allows(egress) || !reasons.allows(ingress));
  return [...blocks].sort((a, b) => isDenied(a) - isDenied(b));
}
