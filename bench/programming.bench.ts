// From an object's arrival at the agent to the commit in the kernel, one change at a time, in clusters of several sizes: the whole agent
// over a real API stream and a real kernel, and beside each change the same transaction through a bare `nft -i`. Needs root. What is
// measured is in programming/changes.ts, how in programming/measured-agent.ts, and what can be chosen in programming/choices.ts.
// NFTPOL_BENCH_PROFILES=FOLDER keeps a CPU profile of each agent there.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { findProgram, isCi } from "../scripts/system-tools.ts";
import { loadInsideNetns } from "../src/lab/netns.ts";
import { canUseNetns, withNetns } from "../test/support/netns.ts";
import { beginMeasurement, publish } from "./document.ts";
import { chosenRuns, type Run, sizeName } from "./programming/choices.ts";
import { kindFigures } from "./programming/figures.ts";
import type { PauseFigures } from "./programming/pauses.ts";
import { plotsOf } from "./programming/plots.ts";
import { pausesTable, tablesOf } from "./programming/report.ts";
import type { RunResult } from "./programming/sample.ts";

/** As the launcher and the agent choose them (bin/nftpol, src/agent/start-agent.ts). */
const NODE_FLAGS = ["--disable-sigusr1", "--max-semi-space-size=8", "--heap-growing-percent=20"];
const AGENT_ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: "65536" };

function measure(run: Run): Promise<RunResult> {
  return inNetns(sizeName(run.size), ({ floor }) => [
    ...profileFlags(run),
    "measured-agent.ts",
    JSON.stringify(run),
    floor,
  ]);
}

function measurePauses({ nft }: Run): Promise<readonly PauseFigures[]> {
  return inNetns("pauses", ({ own, floor }) => ["pauses.ts", own, floor, nft]);
}

interface Namespaces {
  readonly own: string;
  readonly floor: string;
}

/** What a program of programming/ prints that runs in a namespace, with the agent's settings; another one is there for the floor. */
async function inNetns<T>(what: string, flagsAndProgram: (namespaces: Namespaces) => readonly string[]): Promise<T> {
  return await withNetns((agent) =>
    withNetns(async (floor) => {
      const words = flagsAndProgram({ own: agent.name, floor: floor.name });
      const located = words.map((word) =>
        word.endsWith(".ts") ? join(import.meta.dirname, "programming", word) : word,
      );
      const argv = [process.execPath, ...NODE_FLAGS, ...located];
      const child = spawn("ip", ["netns", "exec", agent.name, ...argv], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, ...AGENT_ENVIRONMENT },
      });
      let text = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      const code = await new Promise((resolve, reject) => child.on("close", resolve).on("error", reject));
      if (code !== 0) throw new Error(`${what}: the measured process ended with ${code}`);
      return JSON.parse(text) as T;
    }),
  );
}

function profileFlags({ size, writer }: Run): readonly string[] {
  const folder = process.env.NFTPOL_BENCH_PROFILES;
  if (folder === undefined) return [];
  const name = `${sizeName(size).replace("/", "-")}-${writer}.cpuprofile`;
  return ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}`];
}

async function whyNot(): Promise<string | undefined> {
  if (findProgram("nft") === undefined) return "the program nft is missing";
  // The floor's nft is started in another namespace from within the agent's process.
  return (
    canUseNetns() ??
    (await loadInsideNetns().then(
      () => undefined,
      (error: Error) => error.message,
    ))
  );
}

async function main(): Promise<void> {
  const endOfMeasurement = beginMeasurement();
  const runs = chosenRuns(process.env);
  const results: RunResult[] = [];
  for (const run of runs) {
    process.stderr.write(`\r${sizeName(run.size)}, ${run.writer}, ${run.rounds} rounds `.padEnd(50));
    results.push(await measure(run));
  }
  const pauses = await measurePauses(runs[0] as Run);
  process.stderr.write("\n");
  const sizes = runs.map(({ size, writer, rounds }) => `${sizeName(size)} ${writer} x ${rounds}`).join(", ");
  publish({
    bench: "programming",
    machine: endOfMeasurement(),
    settings: { runs: sizes, nft: runs[0]?.nft ?? "" },
    tables: [...tablesOf(results), pausesTable(pauses)],
    plots: plotsOf(results),
    figures: results.map(({ samples, idleCpu, ...run }) => ({
      ...run,
      kinds: kindFigures({ ...run, samples, idleCpu }),
    })),
  });
}

// The namespaces go with the process; a signal without a handler would leave them to the next run.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const reason = await whyNot();
if (reason === undefined) await main();
else {
  console.error(`NOT RUN: programming: ${reason}`);
  process.exitCode = isCi() ? 1 : 0;
}
