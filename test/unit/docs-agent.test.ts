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

  it.each(["agent", "status", "cleanup"])("names every choice of an option of %s, and no other", (verb) => {
    for (const { flags, choices = [] } of COMMANDS.find(({ name }) => name === verb)?.options ?? []) {
      const row = rowOf(text, flags);
      expect([flags, choices.filter((choice) => !row.includes(`\`${choice}\``))]).toEqual([flags, []]);
      // A value and what it does: `keep`: they go on.
      const explained = [...row.matchAll(/`([\w-]+)`:/g)].map(([, value = ""]) => value);
      if (choices.length > 0)
        expect([flags, explained.filter((value) => !choices.includes(value))]).toEqual([flags, []]);
    }
  });

  it.each(["agent", "status", "cleanup"])("gives no option of %s a default that it does not have", (verb) => {
    for (const { flags, default: standard } of COMMANDS.find(({ name }) => name === verb)?.options ?? []) {
      const shown = /^\| `[^`]+` \| `([^`]+)` \|/.exec(rowOf(text, flags))?.[1];
      expect([flags, shown]).toEqual([flags, shown === undefined ? undefined : standard]);
    }
  });
});

/** The line of the option's table. */
function rowOf(text: string, flags: string): string {
  return text.split("\n").find((line) => line.startsWith(`| \`${nameOf({ flags, description: "" })}`)) ?? "";
}

/** `--node-name`; `-o, --output`. */
function nameOf({ flags }: OptionSpec): string {
  const { short, long } = parseFlags(flags);
  return short === undefined ? long : `${short}, ${long}`;
}
