// The commands that the examples' own pages show work. There are many, and all of them only read: they run inside this process.

import { globSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runInMemory } from "../cli/in-memory-run.ts";
import { PROJECT } from "../cli/run-nftpol.ts";
import { commandsOf } from "./page-commands.ts";

const PAGES = globSync("policies-examples/*/README.md", { cwd: PROJECT }).sort();

it("there are pages", () => {
  expect(PAGES.length).toBeGreaterThan(40);
});

describe.each(PAGES)("%s", (page) => {
  it.each(commandsOf(page))("$text", async ({ text, line, exitCode }) => {
    const [program, verb = "", ...words] = text.replace(/ #.*/, "").trim().split(/\s+/);
    expect(program, `${page}:${line}: only nftpol is run inside this process`).toBe("nftpol");
    const { code, stderr } = await runInMemory([verb, ...words]);
    expect({ code, stderr: code === exitCode ? "" : stderr }).toEqual({ code: exitCode, stderr: "" });
  });
});
