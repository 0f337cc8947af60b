import { describe, expect, it } from "vitest";
import type { BenchPlot, BenchSeries } from "../document.ts";
import { layoutOf, PLOT_SIZE } from "./plot-layout.ts";
import { svgPlot } from "./svg-plot.ts";

const series = (name: string, points: readonly (readonly [x: number, y: number])[], isOurs = false): BenchSeries => ({
  name,
  isOurs,
  points: points.map(([x, y]) => ({ x, y })),
});

const plot = (own: readonly BenchSeries[], scale: "linear" | "log" = "log"): BenchPlot => ({
  id: "packets-new",
  title: "A new flow",
  xLabel: "policies",
  yLabel: "µs above the floor",
  xScale: scale,
  yScale: scale,
  series: own,
});

const FIVE = ["nftpol", "b", "c", "d", "e"].map((name, index) =>
  series(
    name,
    [
      [1, 1 + index],
      [200, 10 * (1 + index)],
    ],
    index === 0,
  ),
);

/** Every element that is opened is closed, and attributes are quoted: what an XML parser asks first. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  const tag = /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/g;
  for (const [, closes, name = "", , isEmpty] of svg.matchAll(tag)) {
    if (closes === "/") expect(open.pop()).toBe(name);
    else if (isEmpty !== "/") open.push(name);
  }
  expect(open).toEqual([]);
  expect(svg.replaceAll(tag, "")).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;|#39;)/);
}

describe("a plot as SVG", () => {
  it("is the same text for the same plot", () => {
    expect(svgPlot(plot(FIVE))).toBe(svgPlot(structuredClone(plot(FIVE))));
  });

  it("has no number that is not one, nor one with more digits than can be seen", () => {
    for (const each of [plot(FIVE), plot(FIVE, "linear"), plot([]), plot([], "linear")]) {
      expect(svgPlot(each)).not.toMatch(/NaN|Infinity|undefined|null/);
      expect(svgPlot(each)).not.toMatch(/\d\.\d{3}/);
    }
  });

  it("keeps hostile text as text, in every place where there is text", () => {
    const hostile = `"'><script>alert(1)</script>&<!-- \u0000\uD800`;
    const own = series(hostile, [[1, 1]], true);
    const svg = svgPlot({ ...plot([own]), title: hostile, xLabel: hostile, yLabel: hostile });
    expectWellFormed(svg);
    expect(svg).not.toContain("<script");
    expect(svg).not.toContain("\u0000");
    expect(svg).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  });

  it("is well formed with many series, with one point, and with none", () => {
    const many = Array.from({ length: 30 }, (_, index) => series(`s${index}`, [[1, index + 1]]));
    for (const own of [FIVE, many, [series("one", [[10, 5]])], [series("none", [])], []])
      expectWellFormed(svgPlot(plot(own)));
  });

  it("names a series without points, and says so", () => {
    expect(svgPlot(plot([series("empty", [])]))).toContain("empty (no figures)");
  });

  it("draws ours in front of all others, whatever their order", () => {
    const svg = svgPlot(plot(FIVE));
    const widths = [...svg.matchAll(/<polyline[^>]* stroke-width="([\d.]+)"/g)].map(([, width]) => Number(width));
    expect(widths).toEqual([1.6, 1.6, 1.6, 1.6, 3.5]);
  });

  it("tells every series of up to 49 apart by colour or by shape", () => {
    const many = Array.from({ length: 49 }, (_, index) => series(`s${index}`, [[1, 1]]));
    const looks = layoutOf(plot(many)).series.map(({ style }) => `${style.color} ${style.shape}`);
    expect(new Set(looks).size).toBe(49);
  });
});

describe("points on a log axis", () => {
  const {
    notes,
    series: placed,
    box,
  } = layoutOf(
    plot([
      series(
        "nftpol",
        [
          [0, 4],
          [1, -3],
          [10, 0],
          [100, 5],
        ],
        true,
      ),
    ]),
  );
  const [{ points } = { points: [] }] = placed;

  it("of 0 or less stand at the lower edge as arrows, and the plot says so", () => {
    expect(points.map(({ isBelow }) => isBelow)).toEqual([true, true, false]);
    expect(points.slice(0, 2).map(({ y }) => y)).toEqual([box.bottom, box.bottom]);
    expect(notes[0]?.text).toMatch(/^Arrows at the lower edge: 0 or less/);
  });

  it("left of it are not drawn, and the plot says so", () => {
    expect(points).toHaveLength(3);
    expect(notes[1]?.text).toMatch(/^Not drawn: 1 point at 0 or less/);
  });

  it("are as they were measured on a linear one", () => {
    const linear = layoutOf(
      plot(
        [
          series(
            "nftpol",
            [
              [0, 4],
              [1, -3],
            ],
            true,
          ),
        ],
        "linear",
      ),
    );
    expect(linear.notes).toEqual([]);
    expect(linear.series[0]?.points.map(({ isBelow }) => isBelow)).toEqual([false, false]);
  });

  it("without a figure are counted, not drawn", () => {
    const { notes, series: own } = layoutOf(
      plot([
        series("a", [
          [1, Number.NaN],
          [2, 3],
        ]),
      ]),
    );
    expect(own[0]?.points).toHaveLength(1);
    expect(notes.map(({ text }) => text)).toEqual(["Not drawn: 1 point without a figure."]);
  });

  it("are joined by a dotted line where other series have a point between, and the plot says so", () => {
    const whole = series("whole", [
      [1, 1],
      [10, 1],
      [100, 1],
    ]);
    const broken = series("broken", [
      [1, 2],
      [100, 2],
    ]);
    expect(svgPlot(plot([whole])).match(/<polyline[^>]*dasharray/g)).toBeNull();
    expect(svgPlot(plot([whole, broken])).match(/<polyline[^>]*dasharray/g)).toHaveLength(1);
    expect(layoutOf(plot([whole, broken])).notes).toMatchObject([{ text: "Dotted lines: no figure between." }]);
  });

  it("have bars that end within the box, also where the lower end is below 0", () => {
    const bar = { x: 10, y: 5, low: -2, high: 9 };
    const { box, series: own } = layoutOf(plot([{ name: "a", isOurs: true, points: [bar] }]));
    const [low = 0, high = 0] = own[0]?.points[0]?.bar ?? [];
    expect(low).toBe(box.bottom);
    expect(high).toBeGreaterThanOrEqual(box.top);
  });
});

describe("the labels of series", () => {
  it("do not cover each other, and stay within the plot, also where all lines end at one place", () => {
    const same = Array.from({ length: 12 }, (_, index) =>
      series(`shaped like an engine with a long name ${index}`, [[1, 7]]),
    );
    const labels = layoutOf(plot(same)).series.map(({ label }) => label);
    const spans = labels
      .map(
        ({ y, lines, lineHeight }) =>
          [y - (lines.length * lineHeight) / 2, y + (lines.length * lineHeight) / 2] as const,
      )
      .sort(([a], [b]) => a - b);
    for (const [index, [top, bottom]] of spans.entries()) {
      expect(top).toBeGreaterThanOrEqual((spans[index - 1]?.[1] ?? 0) - 0.001);
      expect(bottom).toBeLessThanOrEqual(PLOT_SIZE.height);
    }
  });

  it("stand in the order in which the lines end", () => {
    const labels = layoutOf(plot(FIVE)).series.map(({ label }) => label.y);
    expect(labels).toEqual([...labels].sort((a, b) => b - a));
  });
});
