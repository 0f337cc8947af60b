// The examples and the corpus of other engines: their expectations hold, and the rules mean what the policies say.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BACKEND_NAMES, nodeRules } from "../../src/cli/backends.ts";
import { fillStore } from "../../src/cli/input.ts";
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

/** What is not proven equal in the folder, on each node with each backend; `count` proofs were made. */
async function unequalRules(path: string): Promise<{ readonly count: number; readonly unequal: readonly string[] }> {
  const { input, diagnostics } = fillStore(await loadManifests([path], { recursive: false, files: nodeManifestFiles }));
  expect(diagnostics.filter((each) => each.severity === "error")).toEqual([]);
  const { store, nodeNames } = input;
  const unequal: string[] = [];
  for (const node of nodeNames) {
    for (const backend of BACKEND_NAMES) {
      const rules = nodeRules(store, node, DEFAULT_PROGRAM_OPTIONS, backend);
      const proof = proveNode(store, node, rules, DEFAULT_PROGRAM_OPTIONS);
      if (proof.outcome !== "equal" || !proof.exhaustive)
        unequal.push(`${path}, node ${node}, ${backend}: ${proof.outcome}`);
    }
  }
  return { count: nodeNames.length * BACKEND_NAMES.length, unequal };
}

describe("policies-examples", () => {
  it("every expectation holds", () => expectAllAgree(EXAMPLES));

  it.each(foldersIn(EXAMPLES))("the rules of %s are proven equal, with every backend", async (folder) => {
    const { count, unequal } = await unequalRules(join(EXAMPLES, folder));
    expect({ folder, unequal }).toEqual({ folder, unequal: [] });
    expect(count).toBeGreaterThan(0);
  });

  it.each(BACKEND_NAMES)("prove says so, of each node, with %s", async (backend) => {
    const { code, stdout } = await runNftpol(["prove", "--backend", backend, "-f", join(EXAMPLES, "24-multi-node")]);
    expect({ code, lines: linesOf(stdout).length }).toEqual({ code: 0, lines: 2 });
    for (const line of linesOf(stdout))
      expect(line).toMatch(/^node \S+( \(iptables\))?: equal: \d+ packet classes, \d+ pairs$/);
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

  it.each(CORPORA)("%s: the rules of every folder and node are proven equal, with every backend", async (name) => {
    const folders = foldersIn(join(CORPUS, name));
    const unequal: string[] = [];
    let proofs = 0;
    for (const folder of folders) {
      const found = await unequalRules(join(CORPUS, name, folder, "state.yaml"));
      expect(found.count, folder).toBeGreaterThan(0);
      unequal.push(...found.unequal);
      proofs += found.count;
    }
    expect(unequal).toEqual([]);
    expect(proofs).toBeGreaterThanOrEqual(folders.length * BACKEND_NAMES.length);
  });
});
