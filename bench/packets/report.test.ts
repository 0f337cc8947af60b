import { describe, expect, it } from "vitest";
import type { BackendName } from "./backend.ts";
import type { Pair } from "./pairs.ts";
import { reportOf, reportTable } from "./report.ts";
import type { MeasuredRounds } from "./rounds.ts";
import type { PacketKind, Variant } from "./variant.ts";

const variant = (name: string): Variant => ({ axis: "Rules", name, scenario: () => undefined });
const rounds = (own: Variant, kind: PacketKind, ...extras: readonly number[]): MeasuredRounds => ({
  variant: own,
  backend: "nft",
  floorOf: "nft",
  kind,
  rounds: extras.map((extra) => Array.from({ length: 9 }, (): Pair => pair(kind === "new" ? 2000 : 1000, extra))),
});
const pair = (floor: number, extra: number): Pair => ({
  floorBefore: floor,
  variant: floor + extra,
  floorAfter: floor,
});

describe("the report", () => {
  const [none, many] = [variant("none"), variant("many")];
  const report = reportOf([
    rounds(none, "new", 0, 0),
    rounds(none, "established", -4, -4),
    rounds(many, "new", 100, 200, 300),
    rounds(many, "denied", 500),
  ]);

  it("has a row for each variant in their order, and shows what was not measured", () => {
    expect(reportTable(report).split("\n")).toEqual([
      "                  new                        established          denied",
      "floor        nft  2000 ns                    1000 ns              1000 ns",
      "undisturbed  nft  100 %                      100 %                100 %",
      "Rules: none  nft  0 [0 0] x1.00 n2           -4 [-4 -4] x1.00 n2  -",
      "Rules: many  nft  +200 [+150 +250] x1.10 n3  -                    +500 [+500 +500] x1.50 n1",
    ]);
  });

  it("judges each kind of packets by its own floor", () => {
    expect(report.floors).toMatchObject([{ backend: "nft", ns: { new: 2000, established: 1000, denied: 1000 } }]);
    expect(report.rows.map(({ costs }) => costs.new)).toMatchObject([{ rounds: 2 }, { rounds: 3 }]);
  });

  it("says where the machine was never quiet", () => {
    const [quiet, disturbed] = [rounds(none, "new", 0), rounds(many, "new", 0)];
    const slow = { ...disturbed, rounds: [quiet.rounds.flat().map(() => pair(9000, 0))] };
    expect(reportTable(reportOf([quiet, slow])).split("\n")).toEqual([
      "                  new               established  denied",
      "floor        nft  2000 ns           NaN ns       NaN ns",
      "undisturbed  nft  50 %              NaN %        NaN %",
      "Rules: none  nft  0 [0 0] x1.00 n1  -            -",
      "Rules: many  nft  disturbed         -            -",
    ]);
  });

  it("has a row for each backend, by the floor that it took turns with", () => {
    const of = (backend: BackendName, floorOf: BackendName, ...pairs: readonly Pair[]): MeasuredRounds => ({
      variant: none,
      backend,
      floorOf,
      kind: "new",
      rounds: [Array.from({ length: 9 }, (_, index) => pairs[index % pairs.length] as Pair)],
    });
    const own = of("iptables-nft", "iptables-nft", pair(5000, 10));
    const table = reportTable(
      reportOf([of("nft", "nft", pair(1000, 20)), own, of("iptables-legacy", "nft", pair(1000, 30))]),
    );
    expect(table.split("\n").map((line) => line.replace(/ x.*/, ""))).toEqual([
      "                              new                     established  denied",
      "floor        nft              1000 ns                 NaN ns       NaN ns",
      "undisturbed  nft              100 %                   NaN %        NaN %",
      "floor        iptables-nft     5000 ns                 NaN ns       NaN ns",
      "undisturbed  iptables-nft     100 %                   NaN %        NaN %",
      "Rules: none  nft              +20 [+20 +20]",
      "Rules: none  iptables-nft     +10 [+10 +10]",
      "Rules: none  iptables-legacy  +30 [+30 +30]",
    ]);
  });
});
