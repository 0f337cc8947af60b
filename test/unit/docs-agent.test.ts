// The operators' pages list what the program has: metrics, and options with their defaults and choices. (Log lines: test/docs/.)

import { describe, expect, it } from "vitest";
import { type OptionSpec, parseFlags } from "../../src/cli/command-spec.ts";
import { COMMANDS } from "../../src/cli/command-table.ts";
import { everyMetric, readMetrics, seriesNames } from "../support/exported-metrics.ts";
import { page, section, tableRows } from "../support/markdown-pages.ts";

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
});

/** `--node-name`; `-o, --output`. */
function nameOf({ flags }: OptionSpec): string {
  const { short, long } = parseFlags(flags);
  return short === undefined ? long : `${short}, ${long}`;
}
