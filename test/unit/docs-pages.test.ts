// The pages for users lead somewhere: commands and options of nftpol, scripts, files, links, headings.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseFlags } from "../../src/cli/command-spec.ts";
import { COMMANDS } from "../../src/cli/command-table.ts";

const root = resolve(import.meta.dirname, "../..");
const PAGES = [
  ...["docs/install.md", "docs/operations.md", "docs/troubleshooting.md", "docs/metrics.md"],
  ...["docs/lab.md", "docs/cni.md", "docs/performance.md"],
];

function page(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

describe.each(PAGES)("%s", (path) => {
  const text = page(path);

  it("shows only commands and options of nftpol that there are", () => {
    expect(commandsIn(text).flatMap(problemsOf)).toEqual([]);
  });

  it("names only manifests, scripts and files of the repository that there are", () => {
    const named = text.match(/(?:^|[\s`(=])(deploy|policies-examples|scripts|test)\/[\w./-]*\w/gm) ?? [];
    const missing = named.map((each) => each.replace(/^[\s`(=]/, "")).filter((each) => !existsSync(join(root, each)));
    expect(missing).toEqual([]);
  });

  it("names only scripts of npm that there are", () => {
    const scripts = Object.keys((JSON.parse(page("package.json")) as { scripts: object }).scripts);
    const named = [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, script = ""]) => script);
    expect(named.filter((script) => !scripts.includes(script))).toEqual([]);
  });

  it("links to pages and headings that there are", () => {
    const links = [...text.matchAll(/\]\((?!https:)([^)#]+)\)(?:, "([^"]+)")?/g)];
    const problems = links.flatMap(([, link = "", heading]) => {
      const target = join(dirname(path), link);
      if (!existsSync(join(root, target))) return [`${link} does not exist`];
      return heading === undefined || hasHeading(page(target), heading) ? [] : [`${link} has no heading ${heading}`];
    });
    const onThisPage = [...text.matchAll(/\("([^"]+)"\)|\| "([^"]+)"(?= \||;)/g)].map(([, a, b]) => a ?? b ?? "");
    problems.push(...onThisPage.filter((heading) => !hasHeading(text, heading)));
    expect(problems).toEqual([]);
  });
});

function hasHeading(text: string, heading: string): boolean {
  return text.split("\n").some((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
}

/** Command lines of nftpol in code blocks and between backticks, from its name on. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) => block.split("\n"));
  const inline = [...text.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
  return [...blocks, ...inline].flatMap((line) => {
    // Not `nft list chain inet nftpol unknown`: there it is the table's name.
    const command = /(?:^|-- |\.\/bin\/)nftpol ([a-z][^#|]*)/.exec(line)?.[1];
    return command === undefined ? [] : [command.trim()];
  });
}

function problemsOf(command: string): string[] {
  const [verb = "", ...words] = command.split(/\s+/);
  const spec = COMMANDS.find(({ name }) => name === verb);
  if (spec === undefined) return [`${command}: there is no verb ${verb}`];
  const known = spec.options.flatMap(({ flags }) => Object.values(parseFlags(flags)).map(String));
  const unknown = words.filter((word) => word.startsWith("-") && !known.includes(word.replace(/=.*/, "")));
  return unknown.map((option) => `${command}: ${verb} has no option ${option}`);
}
