// The pages for users lead somewhere: commands and options of nftpol, scripts, files, links, headings.

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseFlags } from "../../src/cli/command-spec.ts";
import { COMMANDS } from "../../src/cli/command-table.ts";

const root = resolve(import.meta.dirname, "../..");
const PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...globSync("docs/*.md", { cwd: root }).sort()];
/** Names of files that stand for the reader's own. */
const PLACEHOLDER = /\bNAME\b/;

function page(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

describe.each(PAGES)("%s", (path) => {
  const text = page(path);

  it("shows only commands and options of nftpol that there are", () => {
    expect(commandsIn(text).flatMap(problemsOf)).toEqual([]);
  });

  it("names only manifests, scripts and files of the repository that there are", () => {
    const named =
      text.match(/(?:^|[\s`(=])(deploy|policies-examples|scripts|test|src|bench)\/(?![\w./-]*\*)[\w./-]*\w/gm) ?? [];
    const missing = named
      .map((each) => each.replace(/^[\s`(=]/, ""))
      .filter((each) => !PLACEHOLDER.test(each) && !existsSync(join(root, each)));
    expect(missing).toEqual([]);
  });

  it("names only scripts of npm that there are", () => {
    const scripts = Object.keys((JSON.parse(page("package.json")) as { scripts: object }).scripts);
    const named = [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, script = ""]) => script);
    expect(named.filter((script) => !scripts.includes(script))).toEqual([]);
  });

  it("links to pages and headings that there are", () => {
    const links = [...text.matchAll(/\]\(([^)#\s]*)(?:#([\w-]+))?\)(?:, "([^"]+)")?/g)];
    const problems = links.flatMap(([, link = "", anchor, heading]) => {
      if (/^https:/.test(link)) return [];
      const target = link === "" ? path : join(dirname(path), link);
      if (!existsSync(join(root, target))) return [`${link} does not exist`];
      if (anchor !== undefined && !hasAnchor(page(target), anchor)) return [`${link} has no anchor ${anchor}`];
      return heading === undefined || hasHeading(page(target), heading) ? [] : [`${link} has no heading ${heading}`];
    });
    const onThisPage = [...text.matchAll(/\("([^"]+)"\)|\| "([^"]+)"(?= \||;)/g)].map(([, a, b]) => a ?? b ?? "");
    problems.push(...onThisPage.filter((heading) => !hasHeading(text, heading)));
    expect(problems).toEqual([]);
  });

  it("gives each link by reference a target, and has no target that nothing leads to", () => {
    const used = [...text.matchAll(/\]\[([\w-]+)\]/g)].map(([, name]) => name);
    const given = [...text.matchAll(/^\[([\w-]+)\]: https:/gm)].map(([, name]) => name);
    expect([...new Set(used)].sort()).toEqual(given.sort());
  });
});

describe("docs/", () => {
  const pages = PAGES.filter((path) => path.startsWith("docs/"));

  it.each(pages)("%s says at its top who it is for", (path) => {
    expect(page(path)).toMatch(/^# .*\n\n(<!--.*\n\n?)?For /);
  });

  it("the index leads to every page, and README to the index", () => {
    const index = page("docs/README.md");
    const unmentioned = pages.map((path) => path.slice("docs/".length)).filter((name) => !index.includes(`](${name})`));
    expect(unmentioned).toEqual(["README.md"]);
    expect(page("README.md")).toContain("](docs/README.md)");
  });
});

/** As GitHub makes them: small letters, hyphens for spaces. */
function hasAnchor(text: string, anchor: string): boolean {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading);
  return headings.some(
    (heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, "")
        .replaceAll(" ", "-") === anchor,
  );
}

function hasHeading(text: string, heading: string): boolean {
  return text.split("\n").some((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
}

/** Command lines of nftpol in code blocks and between backticks, from its name on. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) => block.split("\n"));
  const inline = [...text.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
  return [...blocks, ...inline].flatMap((line) => {
    // Not `nft list chain inet nftpol unknown`: there it is the table's name.
    const command = /(?:^|-- |\.\/bin\/)nftpol ([a-z]+(?: [^#|]*)?)(?=[#|]|$)/.exec(line)?.[1];
    return command === undefined ? [] : [command.trim()];
  });
}

function problemsOf(command: string): string[] {
  const [verb = "", ...words] = command.split(/\s+/);
  const spec = COMMANDS.find(({ name }) => name === verb);
  if (spec === undefined) return [`${command}: there is no verb ${verb}`];
  const known = spec.options.flatMap(({ flags }) => Object.values(parseFlags(flags)).map(String));
  const unknown = words.filter((word) => /^-./.test(word) && !known.includes(word.replace(/=.*/, "")));
  return unknown.map((option) => `${command}: ${verb} has no option ${option}`);
}
