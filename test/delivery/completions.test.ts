// The completion files of a build: what `nftpol completion` prints, understood by their shells; and what kubectl is answered.

import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/command-table.ts";
import { COMPLETION_SCRIPTS } from "../../src/cli/completion-scripts.ts";
import { isInstalled, PROJECT, run, runCheckout, runScript, temporaryFolder } from "./products.ts";

const folder = temporaryFolder();
const build = join(folder, "dist");
const completions = join(build, "completions");
const forKubectl = join(completions, "kubectl_complete-nftpol");

beforeAll(() => {
  runScript("build.ts", ["--output", build]);
});

describe("completion files", () => {
  it.each(Object.entries(COMPLETION_SCRIPTS))("for %s are what the program prints", (shell, { fileName }) => {
    expect(readFileSync(join(completions, fileName), "utf8")).toBe(runCheckout(["completion", shell]).stdout);
  });

  it("are all there are", () => {
    const names = Object.values(COMPLETION_SCRIPTS).map(({ fileName }) => fileName);
    expect(readdirSync(completions).sort()).toEqual(names.sort());
  });

  // bash and sh are everywhere; the others' syntax is checked where they are installed.
  const checks = [
    ["bash", ["-n"], "nftpol.bash"],
    ["sh", ["-n"], "kubectl_complete-nftpol"],
    ["zsh", ["-n"], "_nftpol"],
    ["fish", ["--no-execute"], "nftpol.fish"],
  ] as const;
  const installed = checks.filter(([shell]) => shell === "bash" || shell === "sh" || isInstalled(shell));
  for (const [shell] of checks.filter((check) => !installed.includes(check)))
    console.warn(`${shell} is not installed: the syntax of its completion file is not checked`);

  it.each(installed)("%s finds no fault in its own", (shell, options, fileName) => {
    expect(run(shell, [...options, join(completions, fileName)])).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});

/** Of `kubectl version --client -o json`. */
function minorOf(json: string): number {
  return Number.parseInt(JSON.parse(json).clientVersion.minor, 10);
}

describe("kubectl is answered", () => {
  const answer = (...words: string[]) => run(forKubectl, words).stdout.trimEnd().split("\n");
  const values = (lines: readonly string[]) => lines.map((line) => line.split("\t")[0]);

  it("all verbs, each with what it does", () => {
    const lines = answer("");
    for (const { name, summary } of COMMANDS) expect(lines).toContain(`${name}\t${summary.replaceAll("'", "’")}`);
    expect(lines.at(-1)).toBe(":4");
  });

  it.each([
    [["ma"], ["matrix", ":4"]],
    [
      ["help", "pro"],
      ["prove", ":4"],
    ],
    [
      ["matrix", "-o", "m"],
      ["md", "mermaid", ":4"],
    ],
    [
      ["prove", "--max"],
      ["--max-packets", ":4"],
    ],
    [
      ["completion", "z"],
      ["zsh", ":4"],
    ],
    [["matrix", "-f", ""], [":0"]],
    [["test", "pol"], [":0"]],
    [
      ["matrix", "--node", ""],
      ["--filename", ":4"],
    ],
    [["prove", "--node", "w"], [":4"]],
    [["no-verb", ""], [":4"]],
  ])("after %j: %j", (words, expected) => {
    const lines = values(answer(...words));
    expect(expected.every((word) => lines.includes(word))).toBe(true);
    expect(lines.at(-1)).toBe(expected.at(-1));
    if (lines.length < 5) expect(lines).toEqual(expected);
  });

  it("nothing that a word makes the shell run", () => {
    const marker = join(folder, "marker");
    expect(answer("matrix", "-o", `$(touch ${marker})*`)).toEqual([":4"]);
    expect(readdirSync(folder)).not.toContain("marker");
  });

  it("the program and the plugin are found by a kubectl, where there is one", () => {
    const minor = isInstalled("kubectl") ? minorOf(run("kubectl", ["version", "--client", "-o", "json"]).stdout) : 0;
    if (minor < 26) return console.warn("no kubectl of 1.26 or newer: none was asked to complete its plugin");
    const bin = join(folder, "bin");
    mkdirSync(bin);
    symlinkSync(join(PROJECT, "bin/nftpol"), join(bin, "kubectl-nftpol"));
    symlinkSync(forKubectl, join(bin, "kubectl_complete-nftpol"));
    const asked = { path: [bin], env: { HOME: folder } };
    expect(run("kubectl", ["nftpol", "-V"], asked).stdout).toBe(runCheckout(["-V"]).stdout);
    expect(run("kubectl", ["nftpol", "--help"], asked).stdout).toMatch(/^Usage: kubectl nftpol VERB/);
    expect(run("kubectl", ["__complete", "nftpol", "mat"], asked).stdout).toMatch(/^matrix\t.*\n:4\n$/);
  });
});
