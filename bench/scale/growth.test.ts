import { describe, expect, test } from "vitest";
import { slope, steps } from "./growth.ts";

describe("how a figure grows", () => {
  test("of points on a line it is that line's slope, whatever its offset", () => {
    expect(
      slope([
        { x: 0, y: 100 },
        { x: 10, y: 130 },
        { x: 50, y: 250 },
      ]),
    ).toBeCloseTo(3);
  });

  test("noise that is the same at both ends does not tilt the line", () => {
    const noisy = [0, 1, 2, 3, 4].map((x) => ({ x, y: 2 * x + (x % 2 === 0 ? 1 : -1) }));
    expect(slope(noisy)).toBeCloseTo(2);
  });

  test("one point has no slope", () => {
    expect(slope([{ x: 1, y: 1 }])).toBeNaN();
  });

  test("each step is judged by its own ends", () => {
    const points = [
      { x: 0, y: 0 },
      { x: 10, y: 10 },
      { x: 20, y: 40 },
    ];
    expect(steps(points)).toEqual([1, 3]);
  });
});
