// The console examples of docs/cli.md do what they show.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PROJECT, runBash } from "./run-nftpol.ts";

interface Example {
  readonly command: string;
  readonly shown: string;
}

const PAGES = ["docs/cli.md"];

function examplesIn(page: string): Example[] {
  const blocks = readFileSync(join(PROJECT, page), "utf8").matchAll(/^```console\n([\s\S]*?)^```$/gm);
  return [...blocks].flatMap(([, block = ""]) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const end = part.indexOf("\n");
        return { command: part.slice(0, end), shown: part.slice(end + 1) };
      }),
  );
}

/** A line `…` stands for any lines; the runtime's version depends on the machine. */
function patternOf(shown: string): RegExp {
  const lines = shown.split("\n").map((line) => {
    if (line === "…") return "[\\s\\S]*";
    const literal = line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return `${literal.replace(/v\d+\\\.\d+\\\.\d+, \S+\\\)/, "v[\\d.]+, \\S+\\)")}\n`;
  });
  // The text ends with a line end, after which nothing stands.
  return new RegExp(`^${lines.join("").replace(/\n$/, "")}$`);
}

for (const page of PAGES) {
  it.each(examplesIn(page).map((example) => [example.command, example] as const))(`${page}: %s`, async (_, example) => {
    const { stdout } = await runBash(example.command);
    expect(stdout).toMatch(patternOf(example.shown));
  });
}
