// What `npm run performance` writes, from the page and the documents: the page, its plots, and the documents themselves. Pure: the same
// function makes the files and tells a test what they have to be.

import type { BenchDocument } from "../document.ts";
import { keptText } from "./documents.ts";
import { fillPage } from "./page.ts";
import { seriesSlots } from "./series-slots.ts";
import { svgPlot } from "./svg-plot.ts";

export interface PageFiles {
  readonly page: string;
  /** By name, in the folder beside the page; others do not belong there. */
  readonly files: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

export function pageFiles(page: string, documents: readonly BenchDocument[]): PageFiles {
  const { text, plotIds, notes } = fillPage(page, documents);
  const plots = documents.flatMap(({ plots }) => {
    const slots = seriesSlots(plots);
    return plots.filter(({ id }) => plotIds.includes(id)).map((plot) => ({ plot, slots: slots.get(plot.id) ?? [] }));
  });
  return {
    page: text,
    files: new Map([
      ...documents.map((document): [string, string] => [`${document.bench}.json`, keptText(document)]),
      ...plots.map(({ plot, slots }): [string, string] => [`${plot.id}.svg`, svgPlot(plot, slots)]),
    ]),
    notes,
  };
}
