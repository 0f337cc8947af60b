// What was measured as tables. Pure.

import type { BenchTable } from "../document.ts";
import { sizeName } from "./choices.ts";
import { type KindFigures, kindFigures } from "./figures.ts";
import type { PauseFigures } from "./pauses.ts";
import type { RunResult } from "./sample.ts";
import { stageTables } from "./stage-tables.ts";
import { targetTable } from "./targets.ts";

export function tablesOf(runs: readonly RunResult[]): readonly BenchTable[] {
  return [targetTable(runs), ...runs.map(runTable), ...stageTables(runs), clusterTable(runs)];
}

/** Every kind of change in one cluster with one writer. */
function runTable(run: RunResult): BenchTable {
  const { size, writer, writerName, rounds } = run;
  return {
    id: `programming-${sizeName(size).replace("/", "-")}-${writer}`,
    title: `One change in a cluster of ${thousands(size.pods)} pods and ${thousands(size.policies)} policies, written with ${writerName}`,
    columns: [
      "change",
      "transactions",
      "elements",
      "p50",
      "p99",
      "clean-up",
      "sent to commit",
      "CPU agent",
      "CPU nft",
      "bare nft -i",
      "ratio",
      "nft -f",
    ],
    rows: kindFigures(run).map(kindRow),
    note: `milliseconds, of ${rounds} changes each; p50 and p99 from the arrival of the event's bytes to the commit, or to the certainty that nothing is to be written; medians otherwise. transactions: until the commit + afterwards, when what nothing leads to any more is taken away (clean-up). CPU of one change, that of an agent at rest subtracted. bare nft -i, nft -f: the text of the transactions until the commit, one after the other, in another network namespace with the same table; ratio: p50 by that of the bare nft -i`,
  };
}

function kindRow(figures: KindFigures): string[] {
  const { kind, transactions, cleanUps, elements, stages, p50, p99, sentP50, cpuAgent, cpuNft, bareP50, childP50 } =
    figures;
  const ratio = Number.isNaN(bareP50) ? "-" : (p50 / bareP50).toFixed(2);
  return [
    kind,
    cleanUps === 0 ? String(transactions) : `${transactions} + ${cleanUps}`,
    thousands(elements),
    ms(p50),
    ms(p99),
    cleanUps === 0 ? "-" : ms(stages.cleanUp),
    ms(sentP50),
    ms(cpuAgent),
    ms(cpuNft),
    ms(bareP50),
    ratio,
    ms(childP50),
  ];
}

/** What the table of each cluster holds, and what is done once for all of it. */
function clusterTable(runs: readonly RunResult[]): BenchTable {
  return {
    id: "programming-clusters",
    title: "The node's table in each cluster, and what a change would cost if everything were compiled anew",
    columns: [
      "pods/policies",
      "writer",
      "sets",
      "elements",
      "chains",
      "rules",
      "first sync",
      "bare nft -i",
      "read back",
      "anew",
    ],
    rows: runs.map(({ size, writer, table, firstSyncMs, bareTableMs, readBackMs, compileAnewMs }) => [
      sizeName(size),
      writer,
      thousands(table.sets),
      thousands(table.elements),
      thousands(table.chains),
      thousands(table.rules),
      ms(firstSyncMs),
      ms(bareTableMs),
      ms(readBackMs),
      ms(compileAnewMs),
    ]),
    note: "milliseconds; first sync: from the agent's start to rules in force, lists over HTTP included; bare nft -i: the text of the whole table, once; read back: the same, listed by nft and read, once; anew: program, table, difference and text of the whole, median of 5, without the kernel",
  };
}

export function ms(value: number): string {
  if (Number.isNaN(value)) return "-";
  if (Math.abs(value) >= 100) return thousands(Math.round(value));
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function thousands(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** What a change of one element costs by itself, right after another one and after a while. */
export function pausesTable(figures: readonly PauseFigures[]): BenchTable {
  return {
    id: "programming-pauses",
    title: "The commit of one element alone, by the pause before it",
    columns: ["pause", "netlink p50", "p99", "bare nft -i p50", "p99"],
    rows: figures.map(({ pauseMs, netlink, bareNft }) => [
      pauseMs === 0 ? "none" : `${pauseMs} ms`,
      ms(netlink.p50),
      ms(netlink.p99),
      ms(bareNft.p50),
      ms(bareNft.p99),
    ]),
    note: "milliseconds; a table with 160 sets; without a pause the code and the kernel's are in the processor's caches, as on a node where much changes; the tables above have pauses of some 15 ms between changes",
  };
}
