// The pages of the documentation as tests read them: sections and tables. Owns what of Markdown they need.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/** The text of a page, by its path in the project. */
export function page(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The text from a heading to the next one of its level or above. */
export function section(text: string, heading: string): string {
  const level = heading.slice(0, heading.indexOf(" "));
  const start = text.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`there is no heading ${heading}`);
  const rest = text.slice(start + heading.length + 1);
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, "m"));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The rows of the text's tables, without heads and rulers; a cell in backticks without them. */
export function tableRows(text: string): string[][] {
  const tables = text.match(/(?:^\|.*\n)+/gm) ?? [];
  return tables.flatMap((table) =>
    table
      .trimEnd()
      .split("\n")
      .slice(2)
      .map((line) =>
        line
          .slice(1, -1)
          .split("|")
          .map((cell) => cell.trim().replace(/^`([^`]*)`$/, "$1")),
      ),
  );
}
