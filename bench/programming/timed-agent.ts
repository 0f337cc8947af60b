// The real agent of one node, wired as start-agent.ts does it, with a stopwatch at its parts. Owns the wiring, and what is left out:
// verifications (one a minute would meet a few changes by chance) and what is served over HTTP.

import { Agent } from "../../src/agent/agent.ts";
import { realClock } from "../../src/agent/clock.ts";
import { KubernetesSource } from "../../src/agent/kubernetes-source.ts";
import { createLog } from "../../src/agent/log.ts";
import type { ProgramSize } from "../../src/backends/backend.ts";
import { NftKernelTable } from "../../src/backends/nft/io/nft-kernel-table.ts";
import { DEFAULT_NFT } from "../../src/backends/nft/io/nft-process.ts";
import { NftBackend } from "../../src/backends/nft/nft-backend.ts";
import { TABLE } from "../../src/backends/nft/ruleset.ts";
import type { Transaction } from "../../src/backends/nft/transaction.ts";
import { WatchedKernelTable } from "../../src/backends/nft/watched-kernel-table.ts";
import { connectApiClient } from "../../src/kube/api-client.ts";
import { openConnectionTracker } from "../../src/netlink/open-connection-tracker.ts";
import { loadSetElements } from "../../src/netlink/set-elements.ts";
import { loadTableEvents } from "../../src/netlink/table-events.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import type { Run } from "./choices.ts";
import { LOCAL_NODE } from "./cluster.ts";
import { monotonicMs } from "./monotonic.ts";
import { Stopwatch } from "./stopwatch.ts";
import {
  type BackendHooks,
  timeArrivals,
  timedBackend,
  timedElements,
  timedSource,
  timedTable,
  timeGraphs,
} from "./timed-parts.ts";

export interface TimedAgentHooks extends BackendHooks {
  /** After each transaction is in the kernel. */
  onTransaction(transaction: Transaction): void;
}

export interface TimedAgent {
  readonly watch: Stopwatch;
  /** How transactions get to the kernel. */
  readonly writer: string;
  /** Rules and elements in the kernel. */
  readonly sizeNow: () => ProgramSize;
  /** Resolves when the first rules are in force. */
  inForce(): Promise<void>;
  /** Ends it, and leaves the table. */
  stop(): Promise<void>;
}

export async function startTimedAgent(
  kubeconfig: string,
  { writer, nft }: Run,
  hooks: TimedAgentHooks,
): Promise<TimedAgent> {
  const watch = new Stopwatch(monotonicMs);
  timeArrivals(watch);
  timeGraphs(watch);
  const log = createLog("info", LOCAL_NODE, (line) => {
    if (!line.startsWith('{"level":"info"')) process.stderr.write(line);
  });
  const client = await connectApiClient({ kubeconfig, userAgent: "nftpol-agent" });
  const elements = writer === "netlink" ? timedElements((await loadSetElements())(), watch) : undefined;
  const options = DEFAULT_PROGRAM_OPTIONS;
  const kernel = new NftKernelTable({ program: { ...DEFAULT_NFT, binary: nft }, options, writer: "session", elements });
  const facts = await kernel.probe();
  if (facts.writer.startsWith("netlink") !== (writer === "netlink"))
    throw new Error(`the writer is ${facts.writer}: ${facts.warnings.join("; ")}`);
  const watched = new WatchedKernelTable(kernel, (await loadTableEvents())(TABLE));
  const backend = new NftBackend(timedTable(watched, watch, hooks.onTransaction));
  const tracker = await openConnectionTracker();
  const agent = new Agent({
    nodeName: LOCAL_NODE,
    version: "bench",
    program: options,
    source: timedSource(new KubernetesSource({ client, clock: realClock, log }), watch),
    backend: timedBackend(backend, watch, hooks),
    backendName: "nft",
    backendFacts: facts,
    dryRun: false,
    tracker,
    pathProblems: () => [],
    reportFindings: () => {},
    clock: realClock,
    log,
    times: { verifyEveryMs: 0 },
  });
  const ended = new AbortController();
  const running = agent.run(ended.signal);
  return {
    watch,
    writer: facts.writer,
    sizeNow: () => backend.size(),
    async inForce() {
      const isReady = agent.report.healthRoutes["/readyz"];
      while ((await isReady?.())?.status !== 200) await Promise.race([running, realClock.sleep(20)]);
    },
    async stop() {
      ended.abort();
      await running;
      tracker.close();
      client.close();
      await backend.close();
    },
  };
}
