import { describe, expect, it } from "vitest";
import { markdownMachine, markdownPlot, markdownTable, markdownText } from "./markdown.ts";
import { benchDocument } from "./sample-document.ts";

describe("a table in Markdown", () => {
  it("has title, cells and note, and figures to the right", () => {
    const table = {
      id: "packets-new",
      title: "New flows",
      columns: ["policies", "ours", "met", "other"],
      rows: [
        ["1", "+12", "yes", "-"],
        ["200", "−3 [−5 +1]", "no", "0.5 us"],
      ],
      note: "ns above the floor",
    };
    expect(markdownTable(table).split("\n")).toEqual([
      "**New flows**",
      "",
      "| policies | ours | met | other |",
      "| --- | ---: | --- | ---: |",
      "| 1 | +12 | yes | - |",
      "| 200 | −3 \\[−5 +1\\] | no | 0.5 us |",
      "",
      "(ns above the floor)",
    ]);
  });

  it("has a cell for each column, also where a row has too few or too many", () => {
    const table = { id: "a", title: "t", columns: ["a", "b"], rows: [["1"], ["1", "2", "3"]], note: "n" };
    expect(markdownTable(table)).toContain("| 1 |  |\n| 1 | 2 |");
  });
});

describe("text in Markdown", () => {
  it.each([
    { text: "a | b", expected: "a \\| b" },
    { text: "a \\| b", expected: "a \\\\\\| b" },
    { text: "<img src=x>", expected: "&lt;img src=x&gt;" },
    { text: "<!-- bench:end -->", expected: "&lt;!-- bench:end --&gt;" },
    { text: "a &lt; b", expected: "a &amp;lt; b" },
    { text: "*a* `b` _c_ ~d~ [e](f)", expected: "\\*a\\* \\`b\\` \\_c\\_ \\~d\\~ \\[e\\](f)" },
    { text: "two\nlines\r\n", expected: "two lines" },
  ])("$text stays text in one line", ({ text, expected }) => {
    expect(markdownText(text)).toBe(expected);
  });
});

it("a plot is an image whose title cannot end it", () => {
  const [plot] = benchDocument("packets", { plots: ["packets-new"] }).plots;
  if (plot === undefined) throw new Error("no plot");
  expect(markdownPlot({ ...plot, title: "a](b) <c>" })).toBe("![a\\](b) &lt;c&gt;](performance/packets-new.svg)");
});

it("a machine is one line with what was measured on it, when and how", () => {
  expect(markdownMachine(benchDocument("scale"))).toBe(
    "2 x Some CPU, 8 GiB, Linux 6.18.0, nftables v1.0.6, Node.js v24.0.0; 2026-11-22, revision abc1234; " +
      "60 s, load average 1 before and 2 after, 0.5 s taken by other machines; rounds 3",
  );
});
