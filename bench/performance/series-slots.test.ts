import { describe, expect, it } from "vitest";
import type { BenchPlot } from "../document.ts";
import { seriesSlots } from "./series-slots.ts";

/** Ours have a star. */
const plot = (id: string, ...names: readonly string[]): BenchPlot => ({
  id,
  title: id,
  xLabel: "x",
  yLabel: "y",
  xScale: "linear",
  yScale: "linear",
  series: names.map((name) => ({ name, isOurs: name.startsWith("*"), points: [] })),
});

describe("the looks of series", () => {
  it.each([
    { name: "begin with ours", plots: [plot("a", "b", "*ours", "c")], slots: [[1, 0, 2]] },
    {
      name: "stay from plot to plot, also where others are missing",
      plots: [plot("a", "*ours", "b", "c"), plot("d", "c", "*ours")],
      slots: [
        [0, 1, 2],
        [2, 0],
      ],
    },
    {
      name: "begin again in a plot about something else",
      plots: [plot("a", "*ours", "b"), plot("c", "*heap", "*rss")],
      slots: [
        [0, 1],
        [0, 1],
      ],
    },
    {
      name: "leave those alone that a plot knows already",
      plots: [plot("a", "*ours", "b"), plot("c", "*new", "*ours")],
      slots: [
        [0, 1],
        [1, 0],
      ],
    },
    {
      name: "differ where two meet that had the same",
      plots: [plot("a", "*ours"), plot("b", "*heap"), plot("c", "*heap", "*ours")],
      slots: [[0], [0], [0, 1]],
    },
  ])("$name", ({ plots, slots }) => {
    expect([...seriesSlots(plots).values()]).toEqual(slots);
  });
});
