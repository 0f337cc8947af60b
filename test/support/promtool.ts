// promtool at work: checks rule files and metrics, and runs rules over series that tests make up. Owns how it is called; where it
// comes from is scripts/promtool.ts. Without it suites are skipped out loud; in CI they may not be skipped at all.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { providePromtool } from "../../scripts/promtool.ts";
import { isCi } from "../../scripts/system-tools.ts";

/** What Prometheus reads as a rule file. */
export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly object[] }[];
}

/** One entry of `tests` in a file for `promtool test rules`. */
export interface RuleTest {
  readonly name?: string;
  readonly interval: string;
  readonly input_series: readonly { readonly series: string; readonly values: string }[];
  readonly alert_rule_test?: readonly object[];
  readonly promql_expr_test?: readonly object[];
}

export class Promtool {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** What it complains about; "": nothing. */
  checkRules(file: RuleFile): string {
    return withFiles({ "rules.json": file }, (folder) => this.#run(["check", "rules", join(folder, "rules.json")]));
  }

  /** The same, of what Prometheus is started with. */
  checkConfig(config: object): string {
    return withFiles({ "config.json": config }, (folder) =>
      this.#run(["check", "config", "--syntax-only", join(folder, "config.json")]),
    );
  }

  /** Lints what an agent serves. */
  checkMetrics(text: string): string {
    return this.#run(["check", "metrics"], text);
  }

  /** The tests that failed, as it says it; "": none. */
  testRules(file: RuleFile, tests: readonly RuleTest[]): string {
    const test = { rule_files: ["rules.json"], evaluation_interval: "30s", tests };
    return withFiles({ "rules.json": file, "tests.json": test }, (folder) =>
      this.#run(["test", "rules", join(folder, "tests.json")]),
    );
  }

  #run(args: readonly string[], input = ""): string {
    const { status, stdout, stderr, error } = spawnSync(this.#path, args, { input, encoding: "utf8" });
    if (error !== undefined) throw error;
    return status === 0 ? "" : `${stdout}${stderr}`;
  }
}

/** JSON is YAML: both files are written as JSON. */
function withFiles(files: Readonly<Record<string, object>>, body: (folder: string) => string): string {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-promtool-"));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(content));
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function describePromtool(name: string, body: (promtool: Promtool) => void): void {
  const promtool = providePromtool();
  if ("path" in promtool) {
    describe(name, () => body(new Promtool(promtool.path)));
    return;
  }
  if (isCi()) throw new Error(`${name}: cannot be left out in CI, but ${promtool.problem}`);
  process.stderr.write(`NOT RUN: ${name}: ${promtool.problem}\n`);
  describe.skip(`${name} (not run: ${promtool.problem})`, () => body(new Promtool("")));
}
