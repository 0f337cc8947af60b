import { describe, expect, it } from "vitest";
import type { BackendName } from "./backend.ts";
import type { Pair } from "./pairs.ts";
import { disturbedOf, type PacketReport, reportOf } from "./report.ts";
import { reportPlots } from "./report-plots.ts";
import { reportTables } from "./report-tables.ts";
import type { MeasuredRounds } from "./rounds.ts";
import { targetTable } from "./targets.ts";
import type { PacketKind, Place, Variant } from "./variant.ts";

const IPV6: Place = { family: 6, topology: "routed" };

function row(axis: string, name: string, more: Partial<Variant> = {}): Variant {
  return { axis, name, scenario: () => undefined, ...more };
}

function rounds(
  variant: Variant,
  kind: PacketKind,
  extras: readonly number[],
  { backend = "nft", floor = 1000 }: { readonly backend?: BackendName; readonly floor?: number } = {},
): MeasuredRounds {
  const pair = (extra: number): Pair => ({ floorBefore: floor, variant: floor + extra, floorAfter: floor });
  return {
    variant,
    backend,
    floorOf: backend,
    kind,
    rounds: extras.map((extra) => Array.from({ length: 9 }, () => pair(extra))),
  };
}

const [ONE, MANY] = [row("policies", "1", { x: 1 }), row("policies", "200", { x: 200 })];

describe("the report", () => {
  it("has a row for each backend, and shows what was not measured", () => {
    const { rows } = reportOf([
      rounds(ONE, "new", [100, 200, 300]),
      rounds(ONE, "denied", [500]),
      rounds(ONE, "new", [700], { backend: "calico-nft" }),
    ]);
    expect(rows.map(({ backend, costs }) => [backend, costs])).toMatchObject([
      ["nft", { new: { extraNs: { q1: 150, median: 200, q3: 250 }, rounds: 3 }, denied: { rounds: 1 } }],
      ["calico-nft", { new: { extraNs: { median: 700 } }, denied: undefined }],
    ]);
  });

  it("judges each kind of packets by the floor of its backend and place", () => {
    const slow = row("IPv6 routed", "1", { place: IPV6 });
    const { floors, rows } = reportOf([
      rounds(ONE, "new", [5]),
      rounds(ONE, "established", [5], { floor: 800 }),
      rounds(slow, "new", [5], { floor: 3000 }),
      rounds(ONE, "new", [5], { backend: "calico-iptables", floor: 2000 }),
    ]);
    expect(floors.map(({ backend, place, ns }) => [backend, place.family, ns.new, ns.established])).toEqual([
      ["nft", 4, 1000, 800],
      ["nft", 6, 3000, Number.NaN],
      ["calico-iptables", 4, 2000, Number.NaN],
    ]);
    expect(rows.map(({ costs }) => costs.new)).toMatchObject([{ rounds: 1 }, { rounds: 1 }, { rounds: 1 }]);
  });

  it("says where the machine was never quiet", () => {
    const { rows } = reportOf([rounds(ONE, "new", [0]), rounds(MANY, "new", [0], { floor: 9000 })]);
    expect(rows[1]?.costs.new).toBe("disturbed");
  });

  it("names for further rounds what was never quiet, and nothing else", () => {
    const [quiet, slow] = [rounds(ONE, "new", [0]), rounds(MANY, "new", [0], { floor: 9000 })];
    expect(disturbedOf([quiet, slow])).toEqual(new Set([slow]));
    expect(disturbedOf([quiet, { ...slow, rounds: [...slow.rounds, ...quiet.rounds] }])).toEqual(new Set());
  });
});

const REPORT: PacketReport = reportOf([
  rounds(ONE, "new", [200]),
  rounds(ONE, "new", [900], { backend: "calico-nft" }),
  rounds(MANY, "new", [220]),
  rounds(MANY, "new", [48_000], { backend: "calico-nft" }),
  rounds(MANY, "connection", [10]),
  rounds(MANY, "established", [-4]),
]);

describe("tables", () => {
  const table = (id: string) => reportTables(REPORT).find((each) => each.id === id);

  it("have a column for each backend, new flows by axis", () => {
    expect(table("packets-policies")).toMatchObject({
      columns: ["policies", "nftpol, nft", "shaped like Calico, nft"],
      rows: [
        ["1", "+200 [+200 +200]", "+900 [+900 +900]"],
        ["200", "+220 [+220 +220]", "+48000 [+48000 +48000]"],
      ],
    });
  });

  it("have the rows that were measured, and no others", () => {
    expect(table("packets-all-connection")?.rows).toEqual([["policies: 200", "1.010 (+10)"]]);
    expect(table("packets-all-established")?.rows).toEqual([["policies: 200", "-4 [-4 -4]"]]);
    expect(table("packets-all-denied")).toBeUndefined();
  });

  it("have ids that are unique", () => {
    const ids = [...reportTables(REPORT), ...reportPlots(REPORT)].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("plots", () => {
  it("show each backend along an axis, in microseconds, ours first", () => {
    expect(reportPlots(REPORT)).toMatchObject([
      {
        id: "packets-plot-policies-new",
        series: [
          { isOurs: true, points: [{ x: 1, y: 0.2, low: 0.2, high: 0.2 }, { x: 200 }] },
          { isOurs: false, points: [{ y: 0.9 }, { y: 48 }] },
        ],
      },
    ]);
  });

  it("leave out what cannot stand on a logarithmic scale", () => {
    const plots = reportPlots(reportOf([rounds(ONE, "new", [-3]), rounds(MANY, "new", [3])]));
    expect(plots).toEqual([]);
  });
});

describe("targets", () => {
  const verdicts = (report: PacketReport) =>
    new Map(targetTable(report)?.rows.map(([target = "", measured, met]) => [target, [measured, met]]));
  const found = (report: PacketReport, words: string) =>
    [...verdicts(report)].find(([target]) => target.includes(words))?.[1];

  it("are met where every row is below the limit", () => {
    expect(found(REPORT, "1 to 200 policies")).toEqual(["at most 220 ns (policies: 200), 0 of 2 rows above", "yes"]);
    expect(found(REPORT, "200 policies by 1")).toEqual(["1.10", "yes"]);
    expect(found(REPORT, "TCP")).toEqual(["at most 1.010 (policies: 200), 0 of 1 rows above", "yes"]);
    expect(found(REPORT, "Calico, nft")).toEqual(["2 of 2", "yes"]);
  });

  it("are missed where one row is above, and say which", () => {
    const missed = reportOf([
      rounds(ONE, "new", [200]),
      rounds(ONE, "new", [150], { backend: "calico-nft" }),
      rounds(MANY, "new", [760]),
      rounds(MANY, "established", [31]),
      rounds(MANY, "connection", [21]),
    ]);
    expect(found(missed, "1 to 200 policies")).toEqual(["at most 760 ns (policies: 200), 1 of 2 rows above", "no"]);
    expect(found(missed, "200 policies by 1")).toEqual(["3.80", "no"]);
    expect(found(missed, "established")?.[1]).toBe("no");
    expect(found(missed, "TCP")?.[1]).toBe("no");
    expect(found(missed, "Calico, nft")).toEqual(["0 of 1; not: policies: 1, new", "no"]);
  });

  it("say what was not measured, and count what was disturbed", () => {
    const peers = (name: string) => row("peers", name);
    const report = reportOf([rounds(peers("10"), "new", [1]), rounds(peers("100"), "new", [1], { floor: 9000 })]);
    expect(found(report, "peers")).toEqual(["at most 1 ns (peers: 10), 0 of 1 rows above, 1 disturbed", "yes"]);
    expect(found(report, "TCP")).toEqual(["-", "not measured"]);
    expect(found(report, "kube-router, nft")).toEqual(["-", "not measured"]);
  });
});
