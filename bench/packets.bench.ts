// What a packet from one pod to another pays for our rules: the first packet of a new flow, a later one of an answered flow, and one
// that is denied, each beside the least that any rules of that backend cost that look at connections, in turns within a millisecond.
// Packets are real, the network is made of namespaces (packets/bench-network.ts), the rows are in packets/variants.ts. Needs root.
// Prints JSON and a table: nanoseconds above that floor. NFTPOL_BENCH_ROUNDS chooses another number of rounds: 1 is a smoke run.
// NFTPOL_BENCH_BACKENDS=nft,iptables-nft,iptables-legacy and NFTPOL_BENCH_AXES="local pods,ports" (or `all`; defaults in
// packets/choices.ts) choose what is measured, all of it in the same rounds.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { findProgram, isCi } from "../scripts/system-tools.ts";
import { loadInsideNetns } from "../src/lab/netns.ts";
import { canUseNetns } from "../test/support/netns.ts";
import { withBenchNetwork } from "./packets/bench-network.ts";
import { type Choices, chosen } from "./packets/choices.ts";
import type { PairPlan } from "./packets/pairs.ts";
import { reportOf, reportTable } from "./packets/report.ts";
import { measureRounds } from "./packets/rounds.ts";
import { IPV4_ROUTED } from "./packets/variant.ts";

const ROUNDS = Number(process.env.NFTPOL_BENCH_ROUNDS ?? 16);
const PLAN: PairPlan = {
  packets: { bursts: 48, packets: 64, untimedPackets: 16 },
  connections: { bursts: 48, connections: 4, untimedConnections: 1 },
};

async function whyNot({ backends }: Choices): Promise<string | undefined> {
  const programs = ["nft", "conntrack", ...backends.flatMap(({ programs }) => programs)];
  const missing = programs.find((program) => findProgram(program) === undefined);
  if (missing !== undefined) return `the program ${missing} is missing`;
  const reason = canUseNetns();
  if (reason !== undefined) return reason;
  // Whether system calls can be made from here.
  return await loadInsideNetns().then(
    () => undefined,
    (error: Error) => error.message,
  );
}

async function main({ backends, variants }: Choices): Promise<void> {
  const load = { before: loadavg()[0], after: Number.NaN };
  const startedAt = performance.now();
  const stolen = stolenSeconds();
  const onRound = (round: number) => process.stderr.write(`\rround ${round + 1} of ${ROUNDS}`);
  const measured = await withBenchNetwork(
    backends.map(({ name }) => name),
    [...new Set(variants.map(({ place = IPV4_ROUTED }) => place.topology))],
    (network) => measureRounds(network, variants, { backends, rounds: ROUNDS, plan: PLAN, onRound }),
  );
  process.stderr.write("\n");
  load.after = loadavg()[0] as number;
  const report = reportOf(measured);
  const document = {
    bench: "packets",
    node: process.version,
    kernel: release(),
    versions: [...new Set(backends.map(({ programs: [program = ""] }) => output(program, "--version")))],
    revision: output("git", "describe", "--always", "--dirty"),
    cpus: `${cpus().length} x ${cpus()[0]?.model}`,
    rounds: ROUNDS,
    plan: PLAN,
    seconds: Math.round((performance.now() - startedAt) / 1000),
    loadAverage: load,
    stolenSeconds: stolenSeconds() - stolen,
    ...report,
  };
  const rounded = (_: string, value: unknown) => (typeof value === "number" ? Number(value.toFixed(3)) : value);
  console.log(JSON.stringify(document, rounded, 2));
  const loads = `load average ${load.before?.toFixed(1)} before, ${load.after.toFixed(1)} after`;
  console.log(`\n${document.cpus}, shared with whatever else runs there: ${loads}`);
  console.log(
    `ns a packet above the floor: median of the undisturbed rounds [quartiles], the time by the floor's, and n of ${ROUNDS} rounds`,
  );
  console.log(reportTable(report));
}

function output(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: "utf8" }).trim();
}

/** What the machine below took of all cores, since it started. */
function stolenSeconds(): number {
  const ticks = readFileSync("/proc/stat", "utf8").split("\n")[0]?.split(/\s+/)[8];
  return Number(ticks) / 100;
}

// The network goes with the process; a signal without a handler would leave it to the next run.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const choices = chosen(process.env);
const reason = await whyNot(choices);
if (reason === undefined) await main(choices);
else {
  console.error(`NOT RUN: packets: ${reason}`);
  process.exitCode = isCi() ? 1 : 0;
}
