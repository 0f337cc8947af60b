import { describe, expect, it } from "vitest";
import { keptText, parseDocument } from "./documents.ts";
import { benchDocument } from "./sample-document.ts";

const document = benchDocument("scale", { tables: ["scale-targets"], plots: ["scale-rss"] });

describe("a document that is kept", () => {
  it("comes back as it was, and is kept as the same text again", () => {
    const text = keptText(document);
    expect(parseDocument(text, "scale.json")).toEqual(document);
    expect(keptText(parseDocument(text, "scale.json"))).toBe(text);
  });

  it("has no figures where these are large, and everything else", () => {
    const kept = parseDocument(keptText({ ...document, figures: "x".repeat(60_000) }), "scale.json");
    expect(kept).toEqual({ ...document, figures: null });
  });

  it("has its figures where there was none to measure, which JSON calls null", () => {
    const points = [{ x: 1, y: Number.NaN }];
    const plots = document.plots.map((plot) => ({ ...plot, series: [{ name: "a", isOurs: true, points }] }));
    const text = keptText({ ...document, plots });
    expect(parseDocument(text, "scale.json").plots[0]?.series[0]?.points).toEqual(points);
    expect(keptText(parseDocument(text, "scale.json"))).toBe(text);
  });
});

describe("what is no document", () => {
  it.each([
    { name: "no JSON", text: "{", message: /^scale\.json is not JSON: / },
    { name: "a list", text: "[]", message: "scale.json is not a benchmark's document" },
    {
      name: "a table whose cells are numbers",
      text: JSON.stringify({ ...document, tables: [{ ...document.tables[0], rows: [[1]] }] }),
    },
    {
      name: "a plot with another scale",
      text: JSON.stringify({ ...document, plots: [{ ...document.plots[0], xScale: "sqrt" }] }),
    },
    { name: "one without a machine", text: JSON.stringify({ ...document, machine: undefined }) },
  ])("is refused by its name: $name", ({ text, message = "scale.json is not a benchmark's document" }) => {
    expect(() => parseDocument(text, "scale.json")).toThrow(message);
  });
});
