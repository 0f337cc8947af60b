// Where the time of a change goes, in the cluster that the targets are about. Pure.

import type { BenchTable } from "../document.ts";
import { sameSize, TARGET_SIZE, type Writer } from "./choices.ts";
import { figuresOf } from "./figures.ts";
import { type Group, LOCAL_POD, NAMESPACE, POLICY, REMOTE_POD, WIDE_POLICY } from "./groups.ts";
import type { RunResult } from "./sample.ts";

/** Not together with others: of a local pod's changes some are elements and some are rules. */
const GROUPS: readonly Group[] = [
  REMOTE_POD,
  ...LOCAL_POD.kinds.map((kind) => ({ name: kind, kinds: [kind] })),
  NAMESPACE,
  POLICY,
  WIDE_POLICY,
];

/** One for each writer that was measured there. */
export function stageTables(runs: readonly RunResult[]): readonly BenchTable[] {
  const ofWriter = (writer: Writer) => runs.find((run) => run.writer === writer && sameSize(run.size, TARGET_SIZE));
  const [netlink, session] = [ofWriter("netlink"), ofWriter("session")];
  return [
    ...(netlink === undefined ? [] : [netlinkTable(netlink)]),
    ...(session === undefined ? [] : [sessionTable(session, netlink)]),
  ];
}

function netlinkTable(run: RunResult): BenchTable {
  const rows = GROUPS.flatMap(({ name, kinds }): string[][] => {
    const { stages } = figuresOf(run, kinds);
    const { decode, wait, graph, transaction, write, netlink, whole } = stages;
    // The others take the way of nft, and are in the other table.
    if (Number.isNaN(netlink)) return [];
    return [[name, ...shares([decode, wait, graph, transaction, write - netlink, netlink], whole)]];
  });
  return {
    id: "programming-stages-netlink",
    title: "Where the time goes with the netlink writer",
    columns: ["change", "decode", "wait", "graph", "transaction", "writer's own", "bytes and kernel", "whole"],
    rows,
    note: "medians in milliseconds, and by the whole. decode: HTTP, JSON, object; wait: for the sync loop; graph: the program's difference; transaction: what that is in the table; bytes and kernel: the netlink batch, from making it to the kernel's answer",
  };
}

function sessionTable(run: RunResult, withNetlink: RunResult | undefined): BenchTable {
  const rows = GROUPS.map(({ name, kinds }) => {
    const { stages, bareP50 } = figuresOf(run, kinds);
    const { decode, wait, graph, transaction, text, session, whole } = stages;
    const kernel = withNetlink === undefined ? Number.NaN : figuresOf(withNetlink, kinds).stages.netlink;
    const parts = [decode, wait, graph, transaction, text, session, bareP50, kernel];
    return [name, ...shares(parts, whole)];
  });
  return {
    id: "programming-stages-session",
    title: "Where the time goes without the netlink writer",
    columns: [
      "change",
      "decode",
      "wait",
      "graph",
      "transaction",
      "text",
      "session's own",
      "nft and kernel",
      "of it kernel",
      "whole",
    ],
    rows,
    note: "medians in milliseconds, and by the whole. nft and kernel: what the bare nft -i takes for the same text; session's own: what our writing takes more than text and bare nft -i, change by change (on a busy machine it may be less); of it kernel: bytes and kernel of the netlink writer for the same changes, where it takes them",
  };
}

function shares(parts: readonly number[], whole: number): string[] {
  const cells = parts.map((part) =>
    Number.isNaN(part) ? "-" : `${part.toFixed(2)} (${Math.round((100 * part) / whole)} %)`,
  );
  return [...cells, whole.toFixed(2)];
}
