// What flows say about who reaches whom, workload by workload, and what is different from before. Pure; owns the words for it.

import type { DemoFlow } from "./flows.ts";

/** Which of the flows got through, by index. */
export type Answers = readonly boolean[];

export interface Change {
  readonly kind: "closed" | "opened";
  readonly from: readonly string[];
  readonly to: readonly string[];
}

interface PairPorts {
  readonly from: string;
  readonly to: string;
  /** Flows by the word of their port, chosen or not. */
  readonly chosen: readonly DemoFlow[];
  readonly all: readonly DemoFlow[];
}

/** Pairs of workloads with at least one chosen flow, in the order of the flows. */
function pairs(flows: readonly DemoFlow[], isChosen: Answers): PairPorts[] {
  const all = Map.groupBy(flows.keys(), (index) => {
    const { from, to } = flows[index] as DemoFlow;
    return `${from.label} ${to.label}`;
  });
  return [...all.values()].flatMap((indexes): PairPorts[] => {
    const members = indexes.map((index) => flows[index] as DemoFlow);
    const chosen = indexes.filter((index) => isChosen[index]).map((index) => flows[index] as DemoFlow);
    const [{ from, to }] = members as [DemoFlow];
    return chosen.length === 0 ? [] : [{ from: from.label, to: to.label, chosen, all: members }];
  });
}

/** `8080, 53/UDP`; 53 alone where all protocols of it are meant. Empty: every port. */
function portWords({ chosen, all }: PairPorts): string {
  const words = (flows: readonly DemoFlow[]) =>
    new Set(flows.map(({ traffic }) => `${traffic.port}/${traffic.protocol}`));
  const wanted = words(chosen);
  const known = words(all);
  if (wanted.size === known.size) return "";
  const numbers = new Set([...wanted].map((word) => word.split("/")[0] as string));
  return [...numbers]
    .flatMap((number) => {
      const of = (set: ReadonlySet<string>) => [...set].filter((word) => word.startsWith(`${number}/`));
      const isAll = of(wanted).length === of(known).length;
      return isAll ? [number] : of(wanted).map((word) => word.replace("/TCP", ""));
    })
    .join(",");
}

/** As few lines as tell everything: those that share a source or a destination are one. */
export function changesOf(flows: readonly DemoFlow[], before: Answers, after: Answers): Change[] {
  const differing = (isOpen: boolean) => flows.map((_, index) => after[index] === isOpen && before[index] === !isOpen);
  return [
    ...linesOf(flows, differing(false)).map((line) => ({ kind: "closed" as const, ...line })),
    ...linesOf(flows, differing(true)).map((line) => ({ kind: "opened" as const, ...line })),
  ];
}

function linesOf(flows: readonly DemoFlow[], isChosen: Answers): Omit<Change, "kind">[] {
  const left = new Map(pairs(flows, isChosen).map((pair) => [`${pair.from} ${pair.to}`, pair]));
  const lines: Omit<Change, "kind">[] = [];
  while (left.size > 0) {
    const byTarget = Map.groupBy(left.values(), (pair) => targetWords(pair));
    const bySource = Map.groupBy(left.values(), ({ from }) => from);
    const target = largest(byTarget);
    const source = largest(bySource);
    const members = target.length >= source.length ? target : source;
    for (const { from, to } of members) left.delete(`${from} ${to}`);
    lines.push({ from: unique(members.map(({ from }) => from)), to: unique(members.map(targetWords)) });
  }
  // Whom nobody reaches any more tells more than who reaches nobody.
  return lines.sort((a, b) => Number(a.to.length > 1) - Number(b.to.length > 1));
}

/** `db`, or `db:5432` where it is not all of it. */
function targetWords(pair: PairPorts): string {
  const ports = portWords(pair);
  return ports === "" ? pair.to : `${pair.to}:${ports}`;
}

function largest(groups: ReadonlyMap<string, PairPorts[]>): PairPorts[] {
  return [...groups.values()].reduce((best, each) => (each.length > best.length ? each : best));
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}

export interface ReachTable {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly from: string; readonly cells: readonly ReachCell[] }[];
}

/** `all` of the ports on which the destination listens, some of them by their numbers, or none; nothing where nothing was asked. */
export interface ReachCell {
  readonly state: "all" | "some" | "none" | "unasked";
  readonly text: string;
}

export function reachTable(flows: readonly DemoFlow[], answers: Answers): ReachTable {
  const columns = unique(flows.map(({ to }) => to.label));
  const asked = new Set(flows.map(({ from, to }) => `${from.label} ${to.label}`));
  const open = new Map(pairs(flows, answers).map((pair) => [`${pair.from} ${pair.to}`, portWords(pair)]));
  const cell = (key: string): ReachCell => {
    const ports = open.get(key);
    if (!asked.has(key)) return { state: "unasked", text: "" };
    if (ports === undefined) return { state: "none", text: "-" };
    return ports === "" ? { state: "all", text: "all" } : { state: "some", text: ports };
  };
  const rows = unique(flows.map(({ from }) => from.label)).map((from) => ({
    from,
    cells: columns.map((to) => cell(`${from} ${to}`)),
  }));
  return { columns, rows };
}
