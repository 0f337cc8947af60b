import { describe, expect, it } from "vitest";
import type { Pair } from "./pairs.ts";
import { costOf, floorNs, quantile, quartiles, quietLimit } from "./statistics.ts";

const pair = (floorBefore: number, variant: number, floorAfter = floorBefore): Pair => ({
  floorBefore,
  variant,
  floorAfter,
});
const pairs = (count: number, make: (index: number) => Pair): Pair[] =>
  Array.from({ length: count }, (_, index) => make(index));

describe("quantiles", () => {
  it.each([
    { values: [3, 1, 2], q: 0.5, expected: 2 },
    { values: [4, 1, 3, 2], q: 0.5, expected: 2.5 },
    { values: [10, 20], q: 0.25, expected: 12.5 },
    { values: [7], q: 0.9, expected: 7 },
    { values: [5, 1], q: 0, expected: 1 },
    { values: [5, 1], q: 1, expected: 5 },
    { values: [], q: 0.5, expected: Number.NaN },
  ])("of $values at $q is $expected", ({ values, q, expected }) => {
    expect(quantile(values, q)).toBe(expected);
  });

  it("come as a median between its quartiles", () => {
    expect(quartiles([5, 1, 4, 2, 3])).toEqual({ q1: 2, median: 3, q3: 4 });
  });
});

describe("a cost", () => {
  it("is the median over rounds of what a packet takes longer than between the floor's bursts around it", () => {
    const rounds = [10, 30, 20].map((extra) => pairs(8, () => pair(1000, 1010 + extra, 1020)));
    expect(costOf(rounds, 1100)).toEqual({
      extraNs: { q1: 15, median: 20, q3: 25 },
      ratio: 1030 / 1010,
      rounds: 3,
      quietShare: 1,
    });
  });

  it("of the floor itself is nothing", () => {
    expect(costOf([pairs(9, () => pair(1000, 1000))], 1150)).toMatchObject({ extraNs: { median: 0 }, ratio: 1 });
  });

  it("leaves out pairs whose floor was disturbed before or after, and keeps slow variants", () => {
    const mixed = [
      ...pairs(8, () => pair(1000, 5000)),
      ...pairs(20, () => pair(1700, 1800, 1000)),
      ...pairs(20, () => pair(1000, 1800, 1700)),
    ];
    expect(costOf([mixed], 1150)).toMatchObject({ extraNs: { median: 4000 }, quietShare: 8 / 48 });
  });

  it("counts rounds with enough undisturbed pairs only", () => {
    const rounds = [pairs(8, () => pair(1000, 1100)), pairs(7, () => pair(1000, 9000))];
    expect(costOf(rounds, 1150)).toMatchObject({ extraNs: { median: 100 }, rounds: 1 });
  });

  it("is unknown where no round has enough", () => {
    expect(costOf([pairs(7, () => pair(1000, 1100)), pairs(60, () => pair(2000, 2100))], 1150)).toBeUndefined();
  });
});

describe("the limit for what counts as undisturbed", () => {
  it("comes from the fast bursts of the floor, however many slow ones there are", () => {
    const rounds = [pairs(20, () => pair(1000, 1)), pairs(80, () => pair(1700, 1))];
    expect(quietLimit(rounds)).toBeCloseTo(1150);
    expect(floorNs(rounds, quietLimit(rounds))).toBe(1000);
  });

  it("does not depend on the variants' times", () => {
    expect(quietLimit([pairs(9, (index) => pair(1000, index))])).toBe(quietLimit([pairs(9, () => pair(1000, 9e9))]));
  });
});
