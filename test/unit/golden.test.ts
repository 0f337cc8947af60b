// Golden files: what each renderer and the matrix say about a few clusters, to the letter. A difference is to be read,
// not regenerated blindly: `NFTPOL_UPDATE_GOLDEN=1 npm run test:unit` writes the new text, git shows what changed.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compileRuleset as compileIptables } from "../../src/backends/iptables/compile.ts";
import { renderScript } from "../../src/backends/iptables/script.ts";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { renderJson } from "../../src/backends/nft/json.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import { fillStore } from "../../src/cli/input.ts";
import { computeMatrix } from "../../src/cli/matrix/compute.ts";
import { formatMarkdown } from "../../src/cli/matrix/format-markdown.ts";
import { groupMatrix } from "../../src/cli/matrix/groups.ts";
import { defaultPorts } from "../../src/cli/matrix/ports.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../src/program/program.ts";
import { loadTexts } from "../support/manifests.ts";

const folder = join(import.meta.dirname, "../golden");
const cases = readdirSync(folder);

/** Options of a case that differ from the defaults, in `options.json`. */
function optionsOf(name: string): ProgramOptions {
  const path = join(folder, name, "options.json");
  const options = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Partial<ProgramOptions>) : {};
  return { ...DEFAULT_PROGRAM_OPTIONS, ...options };
}

test("there are golden cases", () => expect(cases.length).toBeGreaterThanOrEqual(3));

test.each(cases)("%s is rendered as it was reviewed", async (name) => {
  const input = readFileSync(join(folder, name, "input.yaml"), "utf8");
  const { store, nodeNames } = fillStore(await loadTexts({ "input.yaml": input })).input;
  const program = new RuleGraph(store, nodeNames[0] as string, optionsOf(name)).program();
  const ruleset = compileRuleset(program);
  const { ports } = defaultPorts(store);
  const matrix = computeMatrix(store, { ports, addresses: [] });
  const outputs: Readonly<Record<string, string>> = {
    "expected.nft": renderText(ruleset),
    "expected.json": `${JSON.stringify(JSON.parse(renderJson(ruleset)), undefined, 1)}\n`,
    "expected.iptables": renderScript(compileIptables(program)),
    "expected.matrix.md": formatMarkdown(groupMatrix(matrix, false)),
  };
  for (const [file, text] of Object.entries(outputs)) {
    const path = join(folder, name, file);
    if (process.env.NFTPOL_UPDATE_GOLDEN === "1") writeFileSync(path, text);
    expect({ file, exists: existsSync(path) }).toEqual({ file, exists: true });
    expect(text).toBe(readFileSync(path, "utf8"));
  }
});
