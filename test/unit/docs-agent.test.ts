// The operators' pages list what the program has: metrics, options with their defaults, log lines.

import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type OptionSpec, parseFlags } from "../../src/cli/command-spec.ts";
import { COMMANDS } from "../../src/cli/command-table.ts";
import { everyMetric, readMetrics, seriesNames } from "../support/exported-metrics.ts";

const root = resolve(import.meta.dirname, "../..");

function page(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The text from a heading to the next one of its level or above. */
function section(text: string, heading: string): string {
  const level = heading.slice(0, heading.indexOf(" "));
  const start = text.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`there is no heading ${heading}`);
  const rest = text.slice(start + heading.length + 1);
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, "m"));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The rows of the text's tables, without heads and rulers; a cell in backticks without them. */
function tableRows(text: string): string[][] {
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

describe("docs/metrics.md", () => {
  it("lists every metric of ours with its type and its labels, and no other", async () => {
    const isOurs = (name = "") => name.startsWith("nftpol_");
    const rows = tableRows(page("docs/metrics.md")).filter(([name]) => isOurs(name));
    const documented = rows.map(([name, type, labels = ""]) => {
      const names = labels.match(/\w+/g) ?? [];
      return `${name} ${type} ${names.sort().join(",")}`.trim();
    });
    expect(documented.sort()).toEqual((await exported()).filter(isOurs).sort());
  });

  it("names no metric that there is not", async () => {
    const names = seriesNames(readMetrics(await everyMetric()));
    const asked = page("docs/metrics.md").match(/\b(?:nftpol|process|nodejs)_\w+/g) ?? [];
    expect(asked.filter((name) => !names.includes(name))).toEqual([]);
  });
});

/** `nftpol_rules gauge`, `nftpol_local_pods gauge state`. */
async function exported(): Promise<string[]> {
  return readMetrics(await everyMetric()).map(({ name, type, labels }) =>
    `${name} ${type} ${[...labels.keys()].sort().join(",")}`.trim(),
  );
}

describe("docs/operations.md", () => {
  const text = page("docs/operations.md");

  it.each([
    ["agent", "## Options of agent"],
    ["status", "### Options of status"],
    ["cleanup", "### Options of cleanup"],
  ])("lists every option of %s with its default, and no other", (verb, heading) => {
    // The options of agent end where those of the next verb begin.
    const [own = ""] = section(text, heading).split("\n### ");
    const documented = tableRows(own).map(([flag, standard]) => [flag, standard]);
    const options = COMMANDS.find(({ name }) => name === verb)?.options ?? [];
    expect(documented.map(([flag]) => flag)).toEqual(options.map(nameOf));
    for (const [index, option] of options.entries()) {
      const expected = option.default ?? (parseFlags(option.flags).takesValue ? undefined : "off");
      // Without a default of the table the page may say in words what happens.
      if (expected !== undefined) expect([option.flags, documented[index]?.[1]]).toEqual([option.flags, expected]);
    }
  });

  it("names every choice of an option", () => {
    for (const verb of ["agent", "status"]) {
      for (const { flags, choices = [] } of COMMANDS.find(({ name }) => name === verb)?.options ?? []) {
        const row = text.split("\n").find((line) => line.startsWith(`| \`${nameOf({ flags, description: "" })}`)) ?? "";
        expect([flags, choices.filter((choice) => !row.includes(`\`${choice}\``))]).toEqual([flags, []]);
      }
    }
  });

  it("lists every message of the log with its level, and no other", () => {
    const documented = tableRows(section(text, "## Log")).map(([message, level]) => `${level}: ${message}`);
    expect(documented.sort()).toEqual(messagesInSources().sort());
  });
});

/** `--node-name`; `-o, --output`. */
function nameOf({ flags }: OptionSpec): string {
  const { short, long } = parseFlags(flags);
  return short === undefined ? long : `${short}, ${long}`;
}

/** Messages are fixed texts (log.ts): they stand as literals in the calls. */
function messagesInSources(): string[] {
  const messages = globSync("src/agent/**/*.ts", { cwd: root })
    .filter((file) => !file.endsWith(".test.ts"))
    .flatMap((file) => {
      const source = page(file);
      return [...source.matchAll(/\blog\.(error|warn|info|debug)\(/g)].flatMap(({ index, 0: call, 1: level }) =>
        literalsAtTheEnd(argumentsAt(source, index + call.length)).map((message) => `${level}: ${message}`),
      );
    });
  // The one call whose level is chosen.
  return [...new Set([...messages, "error: invalid object: what it declares is closed", "warn: doubtful object"])];
}

function argumentsAt(source: string, start: number): string {
  let depth = 1;
  let end = start;
  while (depth > 0 && end < source.length) {
    const character = source[end++] as string;
    if ("([{".includes(character)) depth++;
    if (")]}".includes(character)) depth--;
  }
  return source.slice(start, end - 1);
}

/** `fields, done ? "a" : "b"` -> a, b: literals of the last argument. */
function literalsAtTheEnd(words: string): string[] {
  const last = /(?:"[^"]*"|[^",{}]|\{[^}]*\})*$/.exec(words.trimEnd().replace(/,$/, ""))?.[0] ?? "";
  return [...last.matchAll(/"([^"]*)"/g)].map(([, literal = ""]) => literal);
}
