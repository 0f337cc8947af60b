import { describe, expect, it } from "vitest";
import { spread } from "./spread.ts";

const labels = (...wanted: readonly number[]) => wanted.map((each) => ({ wanted: each, height: 10 }));

describe("labels", () => {
  it.each([
    { name: "stand where they want where there is room", wanted: [20, 50, 90], expected: [20, 50, 90] },
    { name: "share a place around its middle", wanted: [50, 50], expected: [45, 55] },
    { name: "keep their order in the list, not on the page", wanted: [52, 50], expected: [56, 46] },
    { name: "push only whom they touch", wanted: [50, 52, 90], expected: [46, 56, 90] },
    { name: "touch neighbours that were free before", wanted: [41, 50, 50], expected: [37, 47, 57] },
    { name: "stay within top and bottom", wanted: [0, 0, 100], expected: [5, 15, 95] },
    { name: "are none", wanted: [], expected: [] },
  ])("$name", ({ wanted, expected }) => {
    expect(spread(labels(...wanted), 0, 100)).toEqual(expected);
  });
});
