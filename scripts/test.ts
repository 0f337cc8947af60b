// Owns `npm test`: every check and suite, all of them even when one fails, then what failed, a table and one plain line
// "N passed, N failed". `npm test -- lint unit` runs only those steps.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { isCi, isRoot } from "./system-tools.ts";

interface Step {
  readonly name: string;
  readonly argv: readonly string[];
  /** A vitest project counts test by test; any other step counts as one. */
  readonly suite?: string;
  /** Left out without root, and then said so. */
  readonly needsRoot?: boolean;
}

interface Outcome {
  readonly step: string;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly note: string;
  /** What failed, for the end of the log: of a long one often only the end is kept. */
  readonly failures?: readonly string[];
}

const root = resolve(import.meta.dirname, "..");
const results = join(root, ".tools/results");
const node = process.execPath;

function packageProgram(path: string): string {
  return join(root, "node_modules", path);
}

function suite(name: string): Step {
  const report = [`--reporter=default`, `--reporter=json`, `--outputFile.json=${join(results, `${name}.json`)}`];
  return { name, suite: name, argv: [node, packageProgram("vitest/vitest.mjs"), "run", "--project", name, ...report] };
}

const cruise = ["dependency-cruiser/bin/dependency-cruiser.mjs", "--config", ".dependency-cruiser.cjs", "."] as const;

/** Provide what tests need, and check what needs no tests; all of these beside each other. */
const preparations: readonly Step[] = [
  { name: "newer nft", argv: [node, "scripts/newer-nft.ts"], needsRoot: true },
  { name: "image base", argv: [node, "scripts/image-base.ts"], needsRoot: true },
  { name: "promtool", argv: [node, "scripts/promtool.ts"] },
  { name: "deploy tools", argv: [node, "scripts/deploy-tools.ts"] },
  { name: "typecheck", argv: [node, packageProgram("typescript/bin/tsc"), "--noEmit"] },
  { name: "lint", argv: [node, packageProgram("@biomejs/biome/bin/biome"), "check"] },
  { name: "layers", argv: [node, packageProgram(cruise[0]), ...cruise.slice(1)] },
  { name: "build", argv: [node, "scripts/build.ts", "--if-possible"] },
];

/** Two at a time, in this order: the longest first, and those that load modules of the kernel before `lab`, which looks for changes. */
const suites: readonly Step[] = [
  ...["packets", "unit", "backends", "kernel", "lab", "property", "scenarios", "image"],
  ...["delivery", "docs", "cli", "api-server", "examples", "browser"],
].map(suite);

const phases: readonly { readonly steps: readonly Step[]; readonly atOnce: number }[] = [
  { steps: [{ name: "system tools", argv: [node, "scripts/system-tools.ts"] }], atOnce: 1 },
  { steps: preparations, atOnce: preparations.length },
  { steps: suites, atOnce: Math.min(2, availableParallelism()) },
];

const running = new Set<ChildProcess>();

/** Its output comes in one piece when it has ended, under its name. */
function run({ name, argv }: Step): Promise<number> {
  const [program = "", ...args] = argv;
  return new Promise((done) => {
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    console.log(`── ${name} …`);
    const output: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk));
    child.on("error", (error) => {
      console.error(`${program}: ${error.message}`);
      done(1);
    });
    child.on("close", (code) => {
      running.delete(child);
      console.log(`\n── ${name}\n${Buffer.concat(output).toString().trimEnd()}`);
      done(code ?? 1);
    });
  });
}

async function perform(step: Step): Promise<Outcome> {
  if (step.needsRoot && !isRoot()) return { ...nothing(step.name), skipped: 1, note: "left out: needs root" };
  const startedAt = performance.now();
  const code = await run(step);
  const seconds = (performance.now() - startedAt) / 1000;
  if (step.suite === undefined) {
    const failed = code === 0 ? 0 : 1;
    return { ...nothing(step.name), seconds, passed: 1 - failed, failed };
  }
  return { ...countTests(step.name, join(results, `${step.suite}.json`), code), seconds };
}

/** Performs them in order, so many at once; after `isStopped` no further one begins. The outcomes have the steps' order. */
async function performAll(
  steps: readonly Step[],
  atOnce: number,
  isStopped: () => boolean,
): Promise<readonly Outcome[]> {
  const waiting = steps.entries();
  const outcomes: Outcome[] = [];
  const work = async () => {
    for (const [index, step] of waiting) {
      if (isStopped()) return;
      const outcome = await perform(step);
      outcomes[index] = isStopped() ? { ...outcome, failed: Math.max(1, outcome.failed), note: "stopped" } : outcome;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return outcomes.filter((outcome) => outcome !== undefined);
}

function nothing(step: string): Outcome {
  return { step, seconds: 0, passed: 0, failed: 0, skipped: 0, note: "" };
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** A test file that does not load counts as one failure, and so does a run that fails without a failed test. */
function countTests(step: string, reportFile: string, code: number): Outcome {
  const report = readReport(reportFile);
  if (report === undefined) {
    return code === 0 ? { ...nothing(step), note: "no tests" } : { ...nothing(step), failed: 1, note: "no report" };
  }
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  const failed = report.numFailedTests + brokenFiles.length;
  const skipped = report.numPendingTests + report.numTodoTests;
  const outcome = { ...nothing(step), passed: report.numPassedTests, skipped, failures: failuresIn(report) };
  if (isCi() && skipped > 0) return { ...outcome, skipped, failed: failed + skipped, note: "skipped tests fail in CI" };
  if (failed === 0 && code !== 0) return { ...outcome, failed: 1, note: `ended with code ${code}` };
  const note = report.testResults.length === 0 ? "no tests" : "";
  return { ...outcome, failed, note };
}

/** Each failed test with the beginning of its message, and files that do not load. */
function failuresIn(report: VitestReport): readonly string[] {
  const shortened = (message: string) => message.split("\n").slice(0, 12).join("\n    ");
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name);
    if (status === "failed" && assertionResults.length === 0) return [`${file}\n    ${shortened(message)}`];
    return assertionResults
      .filter((test) => test.status === "failed")
      .map((test) => `${file}: ${test.fullName}\n    ${shortened(test.failureMessages.join("\n"))}`);
  });
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function printSummary(outcomes: readonly Outcome[]): void {
  for (const { step, failures = [] } of outcomes)
    for (const failure of failures) console.log(`\nfailed in ${step}: ${failure}`);
  const row = (...cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(14) : i < 5 ? cell.padStart(8) : `  ${cell}`)).join("");
  console.log(`\n${row("step", "seconds", "passed", "failed", "skipped", "")}`);
  for (const { step, seconds, passed, failed, skipped, note } of outcomes)
    console.log(row(step, seconds.toFixed(1), `${passed}`, `${failed}`, `${skipped}`, note).trimEnd());
  if (!isRoot()) console.log("\nNot root: nothing was loaded into a kernel. `sudo npm test` runs that as well.");
  const sum = (count: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + count(outcome), 0);
  console.log(`\n${sum((o) => o.passed)} passed, ${sum((o) => o.failed)} failed`);
  process.exitCode = outcomes.some((outcome) => outcome.failed > 0) ? 1 : 0;
}

function chosenSteps(names: readonly string[]): readonly Step[] | undefined {
  const steps = phases.flatMap((phase) => phase.steps);
  const known = steps.map((step) => step.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`no step ${unknown.join(", ")}; there are: ${known.join(", ")}`);
    return undefined;
  }
  return names.length === 0 ? steps : steps.filter((step) => names.includes(step.name));
}

async function main(): Promise<void> {
  const chosen = chosenSteps(process.argv.slice(2));
  if (chosen === undefined) {
    process.exitCode = 2;
    return;
  }
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const outcomes: Outcome[] = [];
  let stopped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      stopped = true;
      for (const child of running) child.kill(signal);
    });
  for (const { steps, atOnce } of phases) {
    const wanted = steps.filter((step) => chosen.includes(step));
    outcomes.push(...(await performAll(wanted, atOnce, () => stopped)));
  }
  printSummary(outcomes);
}

await main();
