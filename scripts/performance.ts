// Owns `npm run performance`: measures (as root), and writes docs/performance.md with its plots and the documents behind them.
// `-- packets` measures that benchmark alone, the others' parts stay; `-- --from FOLDER` takes the documents that are there, as
// NFTPOL_BENCH_RESULTS=FOLDER leaves them, and measures nothing; `-- --rebuild` takes those that docs/performance holds.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BenchDocument } from "../bench/document.ts";
import { parseDocument } from "../bench/performance/documents.ts";
import { BENCHES, type BenchName } from "../bench/performance/page.ts";
import { pageFiles } from "../bench/performance/page-files.ts";
import { findProgram, isRoot } from "./system-tools.ts";

const root = resolve(import.meta.dirname, "..");
const pageFile = join(root, "docs/performance.md");
const folder = join(root, "docs/performance");

interface Choice {
  readonly benches: readonly BenchName[];
  /** Where the documents are; undefined: they are to be measured. */
  readonly from: string | undefined;
}

function chosen(args: readonly string[]): Choice {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { from: { type: "string" }, rebuild: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const benches = positionals.map((word) => {
    const bench = BENCHES.find((name) => name === word);
    if (bench === undefined) throw new Error(`no benchmark ${word} on the page: there are ${BENCHES.join(", ")}`);
    return bench;
  });
  if (values.rebuild && values.from !== undefined) throw new Error("--rebuild takes what is there: not with --from");
  const from = values.rebuild ? folder : values.from === undefined ? undefined : resolve(values.from);
  return { benches: benches.length === 0 ? BENCHES : benches, from };
}

/** Why nothing can be measured here. */
function whyNot(): string | undefined {
  if (!isRoot()) return "measuring needs root; without it there is `npm run performance -- --from FOLDER`";
  const missing = ["nft", "ip", "conntrack"].filter((program) => findProgram(program) === undefined);
  if (missing.length === 0) return undefined;
  return `${missing.join(", ")} missing: \`node scripts/system-tools.ts kernel\` installs what benchmarks need`;
}

/** Into `results`; the reason when there is no document afterwards. */
function measure(bench: BenchName, results: string): string | undefined {
  const { status, signal } = spawnSync(process.execPath, ["scripts/bench.ts", `bench/${bench}.bench.ts`], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, NFTPOL_BENCH_RESULTS: results },
  });
  if (signal !== null) return `${bench}: ended by ${signal}`;
  if (status !== 0) return `${bench}: failed, see above`;
  return isThere(results, bench) ? undefined : `${bench}: left no document; why is said above`;
}

function isThere(place: string, bench: BenchName): boolean {
  return existsSync(join(place, `${bench}.json`));
}

/** `undefined` where there is none. */
function documentIn(place: string, bench: BenchName): BenchDocument | undefined {
  if (!isThere(place, bench)) return undefined;
  const file = join(place, `${bench}.json`);
  const document = parseDocument(readFileSync(file, "utf8"), file);
  if (document.bench !== bench) throw new Error(`${file} is the document of ${document.bench}`);
  return document;
}

/** What is in `results` and asked for, and for everything else what the page was made from. */
function documentsFor(benches: readonly BenchName[], results: string): BenchDocument[] {
  return BENCHES.flatMap((bench) => {
    const fresh = benches.includes(bench) ? documentIn(results, bench) : undefined;
    return fresh ?? documentIn(folder, bench) ?? [];
  });
}

function writePage(documents: readonly BenchDocument[]): void {
  const { page, files, notes } = pageFiles(readFileSync(pageFile, "utf8"), documents);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  for (const name of readdirSync(folder))
    if (/\.(svg|json)$/.test(name) && !files.has(name)) rmSync(join(folder, name));
  writeFileSync(pageFile, page);
  for (const note of notes) console.log(`performance: note: ${note}`);
  console.log(`performance: wrote ${relative(root, pageFile)} and ${files.size} files in ${relative(root, folder)}`);
}

/** From the documents that are there. */
function write(benches: readonly BenchName[], from: string): void {
  // The page can be made from nothing, but nobody names a folder for that.
  if (from !== folder && !benches.some((bench) => isThere(from, bench)))
    throw new Error(`${from} has none of ${benches.map((bench) => `${bench}.json`).join(", ")}`);
  writePage(documentsFor(benches, from));
}

function measureAndWrite(benches: readonly BenchName[]): void {
  const reason = whyNot();
  if (reason !== undefined) throw new Error(reason);
  const results = mkdtempSync(join(tmpdir(), "nftpol-performance-"));
  const problems = benches.flatMap((bench) => measure(bench, results) ?? []);
  try {
    if (problems.length < benches.length) writePage(documentsFor(benches, results));
  } catch (error) {
    // Measuring takes long: what was measured stays.
    throw new Error(`${(error as Error).message}\nwhat was measured is in ${results}, for --from`, { cause: error });
  }
  rmSync(results, { recursive: true });
  for (const problem of problems) console.error(`performance: ${problem}; its parts of the page are as before`);
  if (problems.length > 0) process.exitCode = 1;
}

try {
  const { benches, from } = chosen(process.argv.slice(2));
  if (from === undefined) measureAndWrite(benches);
  else write(benches, from);
} catch (error) {
  console.error(`performance: ${(error as Error).message}`);
  process.exitCode = 1;
}
