// Every command of the pages does what the page says: each is run in a scratch copy, in a node's network where it needs one, or
// checked by a stand-in of the one table that says why it cannot be run (stand-ins.ts). A command that is neither fails.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isCi } from "../../scripts/system-tools.ts";
import { PROJECT } from "../cli/run-nftpol.ts";
import { whyNoKernel } from "../support/kernel.ts";
import { blocksOf, commandsOf, type PageCommand, pages } from "./page-commands.ts";
import { problemsOf } from "./problems.ts";
import { recipes } from "./recipes.ts";
import { usedStandIns, withSandbox } from "./sandbox.ts";
import { nameOf, PLACEHOLDERS, STAND_INS, TESTED_ELSEWHERE } from "./stand-ins.ts";

/** Commands of the cluster's context, of the agent, of the lab and of the kernel. Those with -f, and some more, need no node. */
const NEEDS_NODE =
  /\bnftpol (agent|status|cleanup|lab)\b|--live|^(sudo )?nft |\bnftpol (matrix|explain|graph|lint|render|prove)\b(?!.* -f |.* -f$)/;
/** It takes some ten seconds; other suites may run beside it. */
const LONGEST_PAGE_MS = 240_000;

const noKernel = whyNoKernel();
const used = new Set<string>();
const shown = pages().map((page) => ({ page, commands: commandsOf(page) }));
const pagesWithCommands = shown.filter(({ commands }) => commands.length > 0);

describe.concurrent("the commands of", () => {
  it.for(pagesWithCommands)(
    "$page",
    { timeout: LONGEST_PAGE_MS },
    async ({ page, commands }, { expect: expectHere }) => {
      const problems: string[] = [];
      const runnable = commands.filter((command) => !isLeftOut(command));
      const needsNode = runnable.some(({ text }) => NEEDS_NODE.test(text));
      if (needsNode && noKernel !== undefined) explainWhatIsNotRun(page, noKernel);
      await withSandbox(needsNode && noKernel === undefined, async (sandbox) => {
        for (const command of runnable) {
          if (noKernel !== undefined && NEEDS_NODE.test(command.text)) continue;
          problems.push(...(await problemsOf(command, (script) => sandbox.run(script))));
        }
        expectHere(await sandbox.stop(), "the agent's exit code").toBe(0);
        for (const name of usedStandIns(sandbox.folder)) used.add(name);
      });
      expectHere(problems.join("\n")).toBe("");
    },
  );
});

describe.concurrent("the recipe for CI of", () => {
  it.for(recipes())("$page:$line, $kind", { timeout: LONGEST_PAGE_MS }, async (recipe, { expect: expectHere }) => {
    const { page, commands, report } = recipe;
    const needsNode = commands.some((command) => NEEDS_NODE.test(command));
    if (needsNode && noKernel !== undefined) {
      explainWhatIsNotRun(page, noKernel);
      return;
    }
    await withSandbox(needsNode, async (sandbox) => {
      const codes = async () => {
        const found: (number | null)[] = [];
        for (const command of commands) found.push((await sandbox.run(command)).code);
        return found;
      };
      expectHere(await codes(), "as it should be").toEqual(commands.map(() => 0));
      rmSync(join(sandbox.folder, "manifests/policies.yaml"));
      expectHere(await codes(), "without policies").toContain(1);
      if (report !== undefined) expectHere(readFileSync(join(sandbox.folder, report), "utf8")).toContain("<failure ");
      for (const name of usedStandIns(sandbox.folder)) used.add(name);
    });
  });
});

it("each line of the table is needed", () => {
  const all = shown.flatMap(({ commands }) => commands);
  const useless = [
    ...(noKernel === undefined ? STAND_INS.map(nameOf).filter((name) => !used.has(name)) : []),
    ...PLACEHOLDERS.map(({ shown: word }) => word).filter((word) => !all.some(({ text }) => text.includes(word))),
    ...TESTED_ELSEWHERE.filter(({ command }) => !all.some(({ text }) => command.test(text))).map(
      ({ command }) => command.source,
    ),
  ];
  expect(useless).toEqual([]);
});

it("what covers a command instead is there", () => {
  const covering = [...STAND_INS, ...TESTED_ELSEWHERE].flatMap(({ coveredBy }) => coveredBy);
  expect(covering.filter((file) => !existsSync(join(PROJECT, file)))).toEqual([]);
});

it("commands stand in blocks that are read: sh and console", () => {
  const others = pages()
    .flatMap(blocksOf)
    .filter(
      ({ language, text }) => /^(bash|shell|zsh)/.test(language) || (language !== "console" && /^\$ /m.test(text)),
    );
  expect(others.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
});

function isLeftOut({ text }: PageCommand): boolean {
  return TESTED_ELSEWHERE.some(({ command }) => command.test(text));
}

function explainWhatIsNotRun(page: string, reason: string): void {
  if (isCi()) throw new Error(`the commands of ${page} cannot be left out in CI, but ${reason}`);
  process.stderr.write(`NOT RUN: commands of ${page} that need a node's network: ${reason}\n`);
}
