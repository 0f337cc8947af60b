import { describe, expect, it } from "vitest";
import { markdownTable } from "./markdown.ts";
import { fillPage } from "./page.ts";
import { pageFiles } from "./page-files.ts";
import { benchDocument } from "./sample-document.ts";

const packets = benchDocument("packets", { tables: ["packets-targets"], plots: ["packets-new"] });
const programming = benchDocument("programming", { tables: ["programming-targets"] });
const scale = benchDocument("scale");

const part = (marker: string, content = "") => `<!-- bench:${marker} -->\n${content}\n<!-- bench:end -->`;

describe("the page", () => {
  const page = [
    "# Title",
    part("machine packets"),
    "between",
    part("table packets-targets", "old"),
    part("plot packets-new"),
  ];
  const filled = fillPage(`${page.join("\n")}\nafter\n`, [packets, programming, scale]);

  it("has what was measured between its markers, and everything else as it was", () => {
    const [machine = "", table = ""] = filled.text.split("<!-- bench:end -->");
    expect(machine).toMatch(/^# Title\n<!-- bench:machine packets -->\n\n2 x Some CPU, .*\n\n$/);
    expect(table).toBe(
      `\nbetween\n<!-- bench:table packets-targets -->\n\n${markdownTable(packets.tables[0] as never)}\n\n`,
    );
    expect(filled.text).toContain(
      "\n\n![Plot packets-new](performance/packets-new.svg)\n\n<!-- bench:end -->\nafter\n",
    );
    expect(filled.text).not.toContain("old");
  });

  it("does not change when it is filled again", () => {
    expect(fillPage(filled.text, [packets, programming, scale])).toEqual(filled);
  });

  it("names the tables and plots that it does not show", () => {
    expect(filled.notes).toEqual(["programming: the page does not show table programming-targets"]);
    expect(filled.plotIds).toEqual(["packets-new"]);
  });

  it("says what was not measured, in its place and as a note", () => {
    const { text, notes } = fillPage(part("table scale-growth", "made by hand"), [packets]);
    expect(text).toContain("\nNot measured yet: `npm run performance -- scale`.\n");
    expect(text).not.toContain("made by hand");
    expect(notes).toEqual(expect.arrayContaining(["programming was not measured yet", "scale was not measured yet"]));
  });

  it.each([
    {
      name: "a table that the document lacks, with those that there are",
      page: part("table packets-nothing"),
      message: "line 1: packets has no table packets-nothing; it has packets-targets",
    },
    {
      name: "all that is missing, in one go",
      page: `${part("plot packets-a")}\n${part("table packets-b")}`,
      message: /^line 1: packets has no plot packets-a; it has packets-new\nline 4: packets has no table packets-b; /,
    },
    {
      name: "a plot asked for as a table",
      page: `text\n${part("table packets-new")}`,
      message: "line 2: packets has no table packets-new; it has packets-targets",
    },
    {
      name: "an id of no benchmark",
      page: part("table speed-targets"),
      message: /^line 1: no benchmark for table speed-targets/,
    },
    {
      name: "another kind of part",
      page: part("figure packets-new"),
      message: "line 1: no marker: <!-- bench:figure packets-new -->",
    },
    { name: "a marker within a line", page: "a <!-- bench:end -->", message: /^line 1: no marker/ },
    {
      name: "no end",
      page: "<!-- bench:plot packets-new -->\n",
      message: "line 1: plot packets-new has no <!-- bench:end -->",
    },
    {
      name: "no end before the next",
      page: `<!-- bench:plot packets-new -->\n${part("machine packets")}`,
      message: "line 1: plot packets-new has no <!-- bench:end -->",
    },
    { name: "an end alone", page: "<!-- bench:end -->", message: /^line 1: .* without a beginning$/ },
  ])("is refused for $name", ({ page, message }) => {
    expect(() => fillPage(page, [packets])).toThrow(message);
  });

  it.each([
    { document: benchDocument("render"), message: "render: not one of packets, programming, scale" },
    {
      document: benchDocument("scale", { tables: ["growth"] }),
      message: /^scale: the id growth does not begin with scale-/,
    },
    { document: benchDocument("scale", { plots: ["scale-../x"] }), message: /^scale: the id scale-\.\.\/x/ },
    {
      document: benchDocument("scale", { plots: ["scale-a", "scale-a"] }),
      message: "scale: the id scale-a is there twice",
    },
  ])("is refused for a document that is none of its own: $message", ({ document, message }) => {
    expect(() => fillPage("", [document])).toThrow(message);
  });
});

describe("the files of the page", () => {
  it("are the documents, and the plots that it shows", () => {
    const two = benchDocument("scale", { plots: ["scale-rss", "scale-hidden"] });
    const { files } = pageFiles(part("plot scale-rss"), [packets, two]);
    expect([...files.keys()]).toEqual(["packets.json", "scale.json", "scale-rss.svg"]);
    expect(files.get("scale-rss.svg")).toMatch(/^<svg /);
  });
});
