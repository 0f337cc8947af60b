// In a namespace of its own: one element added and deleted in one transaction, through the session, through a child, and
// through a bare `nft -i` with the same include loop, in the same rounds, beside the rules of a large cluster; and the whole
// table of that cluster. What the session costs above the bare loop is ours. Prints JSON: milliseconds.

import { spawn } from "node:child_process";
import { unlinkSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { compileRuleset } from "../src/backends/nft/compile.ts";
import { findBatchFolder } from "../src/backends/nft/io/batch-file.ts";
import { NftChild } from "../src/backends/nft/io/nft-child.ts";
import { NftKernelTable } from "../src/backends/nft/io/nft-kernel-table.ts";
import { NftSession } from "../src/backends/nft/io/nft-session.ts";
import type { TransactionWriter } from "../src/backends/nft/io/transaction-writer.ts";
import { wholeTable } from "../src/backends/nft/repair.ts";
import type { Ruleset } from "../src/backends/nft/ruleset.ts";
import { keyOf, renderTransaction, type Transaction } from "../src/backends/nft/transaction.ts";
import { RuleGraph } from "../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../src/program/program.ts";
import { withNetns } from "../test/support/netns.ts";
import { type NftBinary, nftBinaries } from "../test/support/nft-binaries.ts";
import { type ApiObject, storeOf } from "../test/support/random-cluster.ts";
import { LARGE, LOCAL_NODE, largeCluster } from "./large-cluster.ts";

const ROUNDS = 400;
const WARM_UP = 40;
const WHOLE_ROUNDS = 5;

/** The least that a session has to do, without time-outs, errors and renewal. */
function bareSession(binary: string, folder: string): TransactionWriter {
  const file = join(folder, `nftpol-bench-${process.pid}.nft`);
  const child = spawn(binary, ["-i"], {
    stdio: ["pipe", "ignore", "pipe"],
    env: { ...process.env, HOME: "/dev/null" },
  });
  let said = "";
  let count = 0;
  let answered = (_: string): void => {};
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    if (!/\nbare_\d+\n *\^\n$/.test(said)) return;
    const answer = said;
    said = "";
    answered(answer);
  });
  return {
    name: "bare nft -i",
    write: async (transaction) => {
      writeFileSync(file, renderTransaction(transaction));
      const answer = new Promise<string>((resolve) => {
        answered = resolve;
      });
      child.stdin.write(`include "${file}"\nbare_${++count}\n`);
      if ((await answer).includes(file)) throw new Error("refused");
    },
    close: async () => {
      child.stdin.end();
      unlinkSync(file);
    },
  };
}

function oneElement(ruleset: Ruleset, round: number): Transaction {
  const sets = [...ruleset.sets.values()].filter(
    ({ kind, interval, key }) => kind === "set" && !interval && key.length === 1,
  );
  const set = sets[round % sets.length];
  if (set === undefined) throw new Error("no set of addresses");
  const key = set.key[0]?.startsWith("ip6") ? "2001:db8::7" : "203.0.113.7";
  const elements = [{ key, verdict: undefined }];
  return {
    table: ruleset.table,
    operations: [
      { kind: "add-elements", set: set.name, key: keyOf(set), elements },
      { kind: "delete-elements", set: set.name, key: keyOf(set), elements: [key] },
    ],
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function summary(times: readonly number[]) {
  const sorted = [...times].sort((a, b) => a - b);
  const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] as number;
  return { p50: quantile(0.5), p90: quantile(0.9), min: sorted[0], samples: sorted.length };
}

async function measure({ path, version }: NftBinary, ruleset: Ruleset): Promise<object> {
  const program = { binary: path, timeoutMs: 60_000 };
  const folder = findBatchFolder();
  if (folder === undefined) throw new Error("no folder for batches");
  const session = new NftSession(program, folder);
  const child = new NftChild(program);
  const bare = bareSession(path, folder);
  const table = new NftKernelTable({ program, options: DEFAULT_PROGRAM_OPTIONS, writer: "child" });
  try {
    const whole = wholeTable(ruleset);
    const wholeTimes = { session: [] as number[], child: [] as number[], readBack: [] as number[] };
    for (let round = 0; round < WHOLE_ROUNDS; round++) {
      wholeTimes.session.push(await timed(() => session.write(whole)));
      wholeTimes.child.push(await timed(() => child.write(whole)));
      wholeTimes.readBack.push(await timed(() => table.read()));
    }
    const writers = [session, bare, child];
    const times = new Map<TransactionWriter, number[]>(writers.map((writer) => [writer, []]));
    for (let round = 0; round < ROUNDS; round++) {
      // The order turns, so that none always runs after the child.
      for (let turn = 0; turn < writers.length; turn++) {
        const writer = writers[(round + turn) % writers.length] as TransactionWriter;
        const transaction = oneElement(ruleset, round);
        const took = await timed(() => writer.write(transaction));
        if (round >= WARM_UP) times.get(writer)?.push(took);
      }
    }
    return {
      nft: version.join("."),
      oneElementMs: Object.fromEntries([...times].map(([writer, list]) => [writer.name, summary(list)])),
      wholeTableMs: Object.fromEntries(Object.entries(wholeTimes).map(([name, list]) => [name, summary(list)])),
    };
  } finally {
    await Promise.all([session, bare, child].map((writer) => writer.close()));
  }
}

async function main(): Promise<void> {
  const graph = new RuleGraph(storeOf(largeCluster() as ApiObject[]), LOCAL_NODE, DEFAULT_PROGRAM_OPTIONS);
  const ruleset = compileRuleset(graph.program());
  const results: object[] = [];
  for (const binary of nftBinaries()) results.push(await measure(binary, ruleset));
  const { sets, chains } = ruleset;
  const elements = [...sets.values()].reduce((sum, set) => sum + set.elements.size, 0);
  const machine = { node: process.version, kernel: release(), cpus: cpus().length };
  const table = { sets: sets.size, chains: chains.size, elements };
  console.log(JSON.stringify({ bench: "apply", cluster: LARGE, ...machine, ...table, results }, undefined, 2));
}

/** Runs itself in the namespace, so that nft is started without a launcher in between. */
async function mainInNamespace(): Promise<void> {
  await withNetns(async (ns) => {
    const { code, stdout, stderr } = await ns.run([process.execPath, import.meta.filename, INSIDE], {
      timeoutMs: 600_000,
    });
    process.stderr.write(stderr);
    process.stdout.write(stdout);
    process.exitCode = code;
  });
}

const INSIDE = "--in-namespace";
await (process.argv.includes(INSIDE) ? main() : mainInNamespace());
