import { describe, expect, it } from "vitest";
import { measuredAxis, ratioOf, type ScaleName, tickText, valueAxis } from "./axis.ts";

describe("an axis of values", () => {
  it.each<{ name: string; scale: ScaleName; values: number[]; ticks: string[] }>([
    { name: "decades", scale: "log", values: [1, 40_000], ticks: ["1", "10", "100", "1k", "10k"] },
    {
      name: "two and five as well where decades are few",
      scale: "log",
      values: [0.49, 0.66],
      ticks: ["0.2", "0.5", "1"],
    },
    { name: "finer steps where even those are few", scale: "log", values: [21, 48], ticks: ["20", "30", "40", "50"] },
    {
      name: "steps of 1, 2 or 5 from 0",
      scale: "linear",
      values: [310, 430],
      ticks: ["0", "100", "200", "300", "400", "500"],
    },
    {
      name: "0 inside where values are below it",
      scale: "linear",
      values: [-30, 52],
      ticks: ["−40", "−20", "0", "20", "40", "60"],
    },
    {
      name: "digits that no binary fraction spoils",
      scale: "linear",
      values: [0.3],
      ticks: ["0", "0.1", "0.2", "0.3"],
    },
    { name: "something for nothing", scale: "linear", values: [], ticks: ["0", "1"] },
    { name: "something for nothing above 0", scale: "log", values: [0, -1, Number.NaN], ticks: ["1", "2", "5", "10"] },
    { name: "room around a single value", scale: "log", values: [10], ticks: ["5", "10", "20"] },
  ])("has $name", ({ scale, values, ticks }) => {
    const axis = valueAxis(scale, values);
    expect(axis.ticks.map(tickText)).toEqual(ticks);
    expect(axis.ticks.every((tick) => tick >= axis.from && tick <= axis.to)).toBe(true);
  });

  it("holds every value that it was made for", () => {
    for (const scale of ["linear", "log"] as const)
      for (let value = 0.0013; value < 1e6; value *= 1.37) {
        const axis = valueAxis(scale, [value, value * 3.3]);
        for (const ratio of [ratioOf(axis, value), ratioOf(axis, value * 3.3)]) {
          expect(ratio).toBeGreaterThanOrEqual(0);
          expect(ratio).toBeLessThanOrEqual(1);
        }
      }
  });

  it("divides by ratios where it is logarithmic", () => {
    const axis = valueAxis("log", [1, 100]);
    expect([1, 10, 100].map((value) => ratioOf(axis, value))).toEqual([0, 0.5, 1]);
  });
});

describe("an axis of what was measured", () => {
  it("has its ticks there", () => {
    expect(measuredAxis("log", [200, 1, 50, 10, 10]).ticks).toEqual([1, 10, 50, 200]);
    expect(measuredAxis("linear", [10_000, 150_000]).ticks).toEqual([10_000, 150_000]);
    expect(measuredAxis("log", [10]).ticks).toEqual([10]);
  });

  it("has round ones where that would be too many, and ends with the last value", () => {
    const hours = Array.from({ length: 24 }, (_, hour) => hour + 1);
    expect(measuredAxis("linear", hours)).toMatchObject({ from: 0, to: 24, ticks: [0, 5, 10, 15, 20] });
  });
});

describe("the text of a tick", () => {
  it.each([
    [0.05, "0.05"],
    [1000, "1k"],
    [40_000, "40k"],
    [10_110, "10.1k"],
    [1_500_000, "1.5M"],
    [-20, "−20"],
    [0, "0"],
  ])("of %d is %s", (value, text) => {
    expect(tickText(value)).toBe(text);
  });
});
