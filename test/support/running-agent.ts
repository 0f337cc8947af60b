// One agent in this process, over what a scenario gives it, until it is stopped. Owns how the real agent is wired, as
// start-agent.ts does it, and the times that tests shorten.

import { Agent } from "../../src/agent/agent.ts";
import type { ClusterSource } from "../../src/agent/cluster-change.ts";
import type { Routes } from "../../src/agent/http-server.ts";
import { KubernetesSource } from "../../src/agent/kubernetes-source.ts";
import { createLog } from "../../src/agent/log.ts";
import { PolicyEvents } from "../../src/agent/policy-events.ts";
import type { SyncTimes } from "../../src/agent/sync-loop.ts";
import type { Backend } from "../../src/backends/backend.ts";
import type { KernelTable } from "../../src/backends/nft/kernel-table.ts";
import { NftBackend } from "../../src/backends/nft/nft-backend.ts";
import { connectApiClient } from "../../src/kube/api-client.ts";
import type { DiscoveryTimes } from "../../src/kube/discovery.ts";
import { type EventReport, reportEvent } from "../../src/kube/events.ts";
import type { ReflectorSettings } from "../../src/kube/reflector-settings.ts";
import type { ConnectionTracker } from "../../src/netlink/connection-tracker.ts";
import type { ProgramOptions } from "../../src/program/program.ts";
import { fastClock } from "./fast-clock.ts";
import { until } from "./until.ts";

export const THIS_NODE = "n1";

/** By default: backoff 0.8 to 30 s, lists 60 s and 30 s, watches 30 s and 150 s, streaming lists 15 s; Retry-After up to 60 s. */
const SHORT_API_TIMES: Partial<ReflectorSettings> = {
  backoff: { minMs: 10, maxMs: 80, maxAfterCloseMs: 80, healthyMs: 500, maxRetryAfterMs: 200 },
  listTimeouts: { headersMs: 1_500, idleMs: 1_000 },
  watchHeadersMs: 1_500,
  watchIdleMs: 1_500,
  initialEventsIdleMs: 300,
};
/** By default: a minute and 10 s. */
const SHORT_DISCOVERY_TIMES: DiscoveryTimes = { intervalMs: 200, soonMs: 100 };
/** By default: 10 s and 10 s. */
const SHORT_PULSE = { quietMs: 300, answerMs: 700 };
/** The agent's own times (minimum interval, retries, looks at connections) are the default ones, on a clock that goes so fast. */
const AGENT_SECONDS_A_SECOND = 10;
/** By default: a verification every minute, retries after 30 s at the latest. */
const SHORT_SYNC_TIMES: Partial<SyncTimes> = { verifyEveryMs: 0, longestRetryMs: 2_000 };

export interface AgentOptions {
  /** In the agent's time, which goes ten times as fast as the world's. */
  readonly times?: Partial<SyncTimes>;
  readonly dryRun?: boolean;
  /** Stands between source and agent. */
  readonly wrapSource?: (source: ClusterSource) => ClusterSource;
  /** Stands between agent and backend. */
  readonly wrapBackend?: (backend: Backend) => Backend;
  /** undefined: the scenario's. */
  readonly table?: KernelTable;
}

/** What a scenario has for its agents. */
export interface Surroundings {
  readonly kubeconfig: string;
  readonly table: KernelTable;
  readonly tracker: ConnectionTracker;
  readonly program: ProgramOptions;
}

export class RunningAgent {
  readonly agent: Agent;
  /** JSON, a line each. */
  readonly logLines: string[];
  readonly #controller = new AbortController();
  readonly #ended: Promise<void>;
  readonly #close: () => void;

  private constructor(agent: Agent, logLines: string[], close: () => void) {
    this.agent = agent;
    this.logLines = logLines;
    this.#close = close;
    this.#ended = agent.run(this.#controller.signal);
    // Looked at when it is stopped.
    this.#ended.catch(() => {});
  }

  static async start(given: Surroundings, options: AgentOptions): Promise<RunningAgent> {
    const { times, dryRun = false, wrapSource = (same) => same, wrapBackend = (same) => same } = options;
    const client = await connectApiClient({ kubeconfig: given.kubeconfig, pulse: SHORT_PULSE });
    const logLines: string[] = [];
    const log = createLog("debug", THIS_NODE, (line) => void logLines.push(line));
    const ended = new AbortController();
    const report = (event: EventReport) => reportEvent(client, event, ended.signal);
    const events = new PolicyEvents({ nodeName: THIS_NODE, log, report });
    const table = options.table ?? given.table;
    const clock = fastClock(AGENT_SECONDS_A_SECOND);
    const agent = new Agent({
      nodeName: THIS_NODE,
      version: "0.0.0-test",
      program: given.program,
      source: wrapSource(
        new KubernetesSource({ client, clock, log, settings: SHORT_API_TIMES, discoveryTimes: SHORT_DISCOVERY_TIMES }),
      ),
      backend: wrapBackend(new NftBackend(table)),
      backendName: "nft",
      backendFacts: await table.probe(),
      dryRun,
      tracker: dryRun ? undefined : given.tracker,
      pathProblems: () => [],
      reportFindings: dryRun ? () => {} : (findings, onOutcome) => events.add(findings, onOutcome),
      clock,
      log,
      times: { ...SHORT_SYNC_TIMES, ...times },
    });
    return new RunningAgent(agent, logLines, () => {
      ended.abort();
      client.close();
    });
  }

  /** As SIGTERM does it. Rejects with what the agent failed with. */
  async stop(): Promise<void> {
    this.#controller.abort();
    try {
      await this.#ended;
    } finally {
      this.#close();
    }
  }

  /** Until all connections have been looked at for the start, the second time, too: what is cut later is cut for another reason. */
  async startLooksDone(): Promise<void> {
    await until("both looks at all connections", async () => {
      const passes = /recheck_duration_seconds_count (\d+)/.exec(await this.metrics())?.[1];
      return Number(passes) >= 2;
    });
  }

  async healthz(): Promise<{ readonly status: number; readonly body: string }> {
    return await answerOf(this.agent.report.healthRoutes, "/healthz");
  }

  async readyz(): Promise<{ readonly status: number; readonly body: string }> {
    return await answerOf(this.agent.report.healthRoutes, "/readyz");
  }

  async metrics(): Promise<string> {
    return (await answerOf(this.agent.report.metricsRoutes, "/metrics")).body;
  }
}

async function answerOf(routes: Routes, path: string) {
  const route = routes[path];
  if (route === undefined) throw new Error(`nothing is served at ${path}`);
  return await route();
}
