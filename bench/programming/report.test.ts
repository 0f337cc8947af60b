import { describe, expect, it } from "vitest";
import type { BenchTable } from "../document.ts";
import { CHANGE_KINDS, type ChangeKind, WITHOUT_EFFECT } from "./changes.ts";
import { TARGET_SIZE, type Writer } from "./choices.ts";
import { plotsOf } from "./plots.ts";
import { tablesOf } from "./report.ts";
import type { RunResult, Sample } from "./sample.ts";

/** 5 ms on its way, of which the netlink writer takes 0.08. */
function sample(kind: ChangeKind, writer: Writer, extra: number): Sample {
  const isEmpty = WITHOUT_EFFECT.has(kind);
  const write = isEmpty ? 0 : 2;
  const netlink = writer === "netlink" && !isEmpty ? 0.08 : undefined;
  return {
    kind,
    stages: {
      decode: 0.5,
      wait: 0.25,
      graph: 1,
      transaction: 0.25,
      write: write + extra,
      netlink,
      cleanUp: isEmpty ? 0 : 0.75,
      whole: 2 + write + extra,
    },
    travelMs: 0.25,
    cpu: { agent: 1.5, nft: 1 },
    transactions: isEmpty ? 0 : 1,
    cleanUps: kind.endsWith("removed") ? 1 : 0,
    elements: isEmpty ? 0 : 2,
    textMs: isEmpty ? 0 : 0.5,
    bareMs: isEmpty ? undefined : 1.25,
    childMs: undefined,
  };
}

function run(writer: Writer, policies: number, extras: readonly number[]): RunResult {
  return {
    size: { ...TARGET_SIZE, policies },
    writer,
    writerName: writer,
    rounds: extras.length,
    table: { sets: 1, elements: 12_345, chains: 3, rules: 4 },
    firstSyncMs: 1_500,
    bareTableMs: 50,
    readBackMs: 70,
    nft: "nft",
    compileAnewMs: 90,
    samples: extras.flatMap((extra) => CHANGE_KINDS.map((kind) => sample(kind, writer, extra))),
    idleCpu: [{ agent: 0.5, nft: 0 }],
  };
}

const tableOf = (tables: readonly BenchTable[], id: string) => {
  const table = tables.find((each) => each.id === id);
  if (table === undefined) throw new Error(`no table ${id}`);
  return table;
};
const rowOf = (table: BenchTable, name: string) => {
  const row = table.rows.find(([first]) => first === name) ?? [];
  return Object.fromEntries(table.columns.map((column, index) => [column, row[index]]));
};

describe("the report", () => {
  const tables = tablesOf([run("netlink", 1_000, [0, 0, 0, 30]), run("session", 1_000, [0, 0, 0, 0])]);

  it("says of each target whether it is met", () => {
    const targets = tableOf(tables, "programming-targets");
    expect(targets.rows.slice(0, 5)).toEqual([
      ["remote pod, netlink writer: p50", "at most 1 ms", "4.00 ms", "no"],
      ["remote pod, netlink writer: p99", "at most 10 ms", "34.00 ms", "no"],
      ["remote pod, netlink writer: the commit itself, p50", "at most 0.1 ms", "0.08 ms", "yes"],
      ["remote pod, without it: p50 by that of a bare nft -i", "at most 2 times", "3.20 times", "no"],
      ["policy: p50", "at most 5 ms", "4.00 ms", "yes"],
    ]);
  });

  it("does not say that a target is met that was not measured", () => {
    const rows = tableOf(tablesOf([run("netlink", 100, [0])]), "programming-targets").rows;
    expect(new Set(rows.map(([, , measured, met]) => `${measured} ${met}`))).toEqual(new Set(["not measured -"]));
  });

  it("sets what the agent takes beside the bare nft, without what it takes at rest", () => {
    const row = rowOf(tableOf(tables, "programming-10k-1k-session"), "remote pod added");
    expect(row).toMatchObject({ p50: "4.00", "sent to commit": "4.25", "bare nft -i": "1.25", ratio: "3.20" });
    expect(row).toMatchObject({ "CPU agent": "1.00", "CPU nft": "1.00", "nft -f": "-" });
  });

  it("keeps what follows the commit apart", () => {
    const table = tableOf(tables, "programming-10k-1k-session");
    expect(rowOf(table, "policy removed")).toMatchObject({ transactions: "1 + 1", "clean-up": "0.75", p50: "4.00" });
    expect(rowOf(table, "policy added")).toMatchObject({ transactions: "1", "clean-up": "-" });
  });

  it("has no ratio for changes that write nothing", () => {
    const row = rowOf(tableOf(tables, "programming-10k-1k-netlink"), "remote pod, no policy's peer");
    expect(row).toMatchObject({ transactions: "0", "bare nft -i": "-", ratio: "-" });
  });

  it("divides the time among the stages", () => {
    expect(rowOf(tableOf(tables, "programming-stages-session"), "remote pod")).toMatchObject({
      graph: "1.00 (25 %)",
      text: "0.50 (13 %)",
      "session's own": "0.25 (6 %)",
      "nft and kernel": "1.25 (31 %)",
      "of it kernel": "0.08 (2 %)",
      whole: "4.00",
    });
  });

  it("shows the netlink writer's part only of changes that it makes alone", () => {
    const { samples, ...rest } = run("netlink", 1_000, [0]);
    const withNft = samples.map((each) => (each.kind.startsWith("policy") ? { ...each, transactions: 2 } : each));
    const table = tableOf(tablesOf([{ ...rest, samples: withNft }]), "programming-stages-netlink");
    expect(table.rows.map(([name]) => name)).toEqual([
      "remote pod",
      "local pod added",
      "local pod relabelled",
      "local pod removed",
      "namespace of 1,000 pods",
    ]);
  });

  it("gives every table and plot another id", () => {
    const runs = [run("netlink", 1_000, [0]), run("session", 1_000, [0]), run("netlink", 100, [0])];
    const ids = [...tablesOf(runs), ...plotsOf(runs)].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("the plots", () => {
  it("go up with the policies, with one writer", () => {
    const [p50] = plotsOf([run("netlink", 1_000, [0]), run("session", 1_000, [0]), run("netlink", 100, [0])]);
    expect(p50?.series[0]).toEqual({
      name: "remote pod",
      isOurs: true,
      points: [
        { x: 100, y: 4, low: 4, high: 4 },
        { x: 1_000, y: 4, low: 4, high: 4 },
      ],
    });
  });
});
