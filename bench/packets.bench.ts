// What packets from one pod to another pay for our rules: the first of a new flow, a later one of an answered flow, one that is denied,
// and a whole TCP connection, each beside the least that any rules cost that look at connections, in turns within a millisecond, and
// beside rules that are shaped like other engines' for the same policies. Packets are real, the network is made of namespaces
// (packets/bench-network.ts), the rows are in packets/grid-rows.ts and packets/detail-rows.ts. Needs root.
// NFTPOL_BENCH_ROUNDS chooses another number of rounds: 1 is a smoke run. NFTPOL_BENCH_BACKENDS=nft,calico-nft and
// NFTPOL_BENCH_AXES="local pods,ports" (or `all`; defaults in packets/choices.ts) choose what is measured, all of it in the same rounds.

import { findProgram, isCi } from "../scripts/system-tools.ts";
import { loadInsideNetns } from "../src/lab/netns.ts";
import { canUseNetns } from "../test/support/netns.ts";
import { beginMeasurement, publish } from "./document.ts";
import { withBenchNetwork } from "./packets/bench-network.ts";
import { type Choices, chosen } from "./packets/choices.ts";
import type { PairPlan } from "./packets/pairs.ts";
import { disturbedOf, reportOf } from "./packets/report.ts";
import { reportPlots } from "./packets/report-plots.ts";
import { reportTables } from "./packets/report-tables.ts";
import { measureRounds } from "./packets/rounds.ts";
import { targetTable } from "./packets/targets.ts";
import { IPV4_ROUTED } from "./packets/variant.ts";

const ROUNDS = Number(process.env.NFTPOL_BENCH_ROUNDS ?? 4);
/** What the machine never left in peace is measured again, up to half as often. */
const EXTRA_ROUNDS = Math.ceil(ROUNDS / 2);
const PLAN: PairPlan = {
  packets: { bursts: 96, packets: 32, untimedPackets: 16 },
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
  const endMeasurement = beginMeasurement();
  const names = backends.map(({ name }) => name);
  const topologies = [...new Set(variants.map(({ place = IPV4_ROUTED }) => place.topology))];
  const onStep = (step: string) => process.stderr.write(`\r${step}   `);
  const measured = await withBenchNetwork(names, topologies, (network) =>
    measureRounds(network, variants, {
      backends,
      rounds: ROUNDS,
      extraRounds: EXTRA_ROUNDS,
      disturbed: disturbedOf,
      plan: PLAN,
      onStep,
    }),
  );
  process.stderr.write("\n");
  const report = reportOf(measured);
  const targets = targetTable(report);
  publish({
    bench: "packets",
    machine: endMeasurement(),
    settings: {
      rounds: ROUNDS,
      backends: names.join(", "),
      ...PLAN.packets,
      connections: PLAN.connections.connections,
    },
    tables: [...(targets === undefined ? [] : [targets]), ...reportTables(report)],
    plots: reportPlots(report),
    figures: report,
  });
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
