// The examples and the corpus of other engines: their expectations hold, and the rules mean what the policies say.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fillStore } from "../../src/cli/input.ts";
import { nodeRules } from "../../src/cli/node-ruleset.ts";
import { loadManifests } from "../../src/manifests/load-manifests.ts";
import { nodeManifestFiles } from "../../src/manifests/manifest-files.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { proveNode } from "../../src/prove/prove.ts";
import { linesOf, PROJECT, runNftpol } from "../cli/run-nftpol.ts";

const EXAMPLES = join(PROJECT, "policies-examples");
const CORPUS = join(PROJECT, "..", "shared", "corpus");
const CORPORA = ["cyclonus", "npapi"];
const ALL_AGREE = /^folders (\d+) ok \/ \1, rows (\d+) ok \/ \2$/;

function foldersIn(parent: string): string[] {
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

async function expectAllAgree(folder: string): Promise<void> {
  const { code, stdout, stderr } = await runNftpol(["test", folder]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const last = ALL_AGREE.exec(linesOf(stdout).at(-1) ?? "");
  expect(last, stdout.slice(-2000)).not.toBeNull();
  expect(Number(last?.[1])).toBeGreaterThanOrEqual(foldersIn(folder).length);
  expect(Number(last?.[2])).toBeGreaterThan(0);
}

describe("policies-examples", () => {
  it("every expectation holds", () => expectAllAgree(EXAMPLES));

  it.each(foldersIn(EXAMPLES))("the rules of %s are proven equal", async (folder) => {
    const { code, stdout } = await runNftpol(["prove", "-f", join(EXAMPLES, folder)]);
    expect({ code, lines: linesOf(stdout) }).toEqual({ code: 0, lines: expect.anything() });
    expect(linesOf(stdout).length).toBeGreaterThan(0);
    for (const line of linesOf(stdout)) expect(line).toMatch(/^node \S+: equal: \d+ packet classes, \d+ pairs$/);
  });
});

describe("corpus", () => {
  // The corpus is not part of the repository. A skipped test fails in CI: its absence is a test of its own.
  if (!existsSync(CORPUS)) {
    it("IS ABSENT: nothing of it was tested", () => {
      process.stderr.write(
        `\n*** THE CORPUS IS ABSENT (${CORPUS}): its expectations and proofs were NOT tested ***\n\n`,
      );
      expect(existsSync(CORPUS)).toBe(false);
    });
    return;
  }

  it.each(CORPORA)("%s: every expectation holds", (name) => expectAllAgree(join(CORPUS, name)));

  it.each(CORPORA)("%s: the rules of every folder and node are proven equal", async (name) => {
    const notEqual: string[] = [];
    let proofs = 0;
    for (const folder of foldersIn(join(CORPUS, name))) {
      const state = join(CORPUS, name, folder, "state.yaml");
      const { input, diagnostics } = fillStore(
        await loadManifests([state], { recursive: false, files: nodeManifestFiles }),
      );
      expect(
        diagnostics.filter((each) => each.severity === "error"),
        folder,
      ).toEqual([]);
      expect(input.nodeNames.length, folder).toBeGreaterThan(0);
      for (const node of input.nodeNames) {
        const proof = proveNode(
          input.store,
          node,
          nodeRules(input.store, node, DEFAULT_PROGRAM_OPTIONS),
          DEFAULT_PROGRAM_OPTIONS,
        );
        proofs++;
        if (proof.outcome !== "equal" || !proof.exhaustive) notEqual.push(`${folder}, node ${node}: ${proof.outcome}`);
      }
    }
    expect(notEqual).toEqual([]);
    expect(proofs).toBeGreaterThanOrEqual(foldersIn(join(CORPUS, name)).length);
  });
});
