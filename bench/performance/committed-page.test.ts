// docs/performance.md is what its documents say: nobody wrote a figure by hand, or forgot a file.

import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseDocument } from "./documents.ts";
import { BENCHES } from "./page.ts";
import { pageFiles } from "./page-files.ts";

const docs = resolve(import.meta.dirname, "../../docs");
const page = readFileSync(join(docs, "performance.md"), "utf8");
const committed = new Map(
  globSync("*.{svg,json}", { cwd: join(docs, "performance") })
    .sort()
    .map((name) => [name, readFileSync(join(docs, "performance", name), "utf8")]),
);
const documents = BENCHES.flatMap((bench) => {
  const text = committed.get(`${bench}.json`);
  return text === undefined ? [] : [parseDocument(text, `${bench}.json`)];
});

describe("docs/performance.md, made anew from docs/performance/*.json", () => {
  const made = pageFiles(page, documents);

  it("is the same page", () => {
    expect(made.page).toBe(page);
  });

  it("has the same files beside it, and no other", () => {
    expect([...committed.keys()]).toEqual([...made.files.keys()].sort());
    for (const [name, text] of committed) expect([name, made.files.get(name)]).toEqual([name, text]);
  });

  it("shows all tables and plots of what was measured", () => {
    expect(made.notes.filter((note) => note.includes("does not show"))).toEqual([]);
  });
});
