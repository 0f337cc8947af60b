// What the agent tells about itself when it is asked: status, health, metrics. Owns the putting together; each part
// knows its own figures.

import type { RuleGraph } from "../graph/rule-graph.ts";
import type { ClusterStore } from "../state/store.ts";
import type { AgentParts } from "./agent-parts.ts";
import type { AgentRecord } from "./agent-record.ts";
import { type AgentStatus, podStatuses } from "./agent-status.ts";
import { LatestDropCounts } from "./drop-counts.ts";
import type { EventLoopDelay } from "./event-loop-delay.ts";
import { type HealthFacts, type HealthReport, liveness, readiness, whyNotInForce } from "./health.ts";
import { type Answer, json, type Routes, text } from "./http-server.ts";
import type { AgentMetrics } from "./metrics.ts";
import type { ObjectFindings } from "./object-findings.ts";
import type { SharedAddresses } from "./shared-addresses.ts";
import { sharedAnswer } from "./shared-answer.ts";
import { LoopEndedError, type SyncLoop } from "./sync-loop.ts";

export interface ReportedParts {
  readonly agent: AgentParts;
  readonly store: ClusterStore;
  readonly graph: RuleGraph;
  readonly loop: SyncLoop;
  readonly record: AgentRecord;
  readonly findings: ObjectFindings;
  readonly sharedAddresses: SharedAddresses;
  readonly metrics: AgentMetrics;
  readonly eventLoop: EventLoopDelay;
  /** Why nothing may be written under this node name; undefined: all is well. */
  readonly nodeProblem: () => string | undefined;
  /** Why strict start closes nothing; undefined: it does, or was not asked for. */
  readonly strictStartProblem: () => string | undefined;
}

export class AgentReport {
  readonly #parts: ReportedParts;
  readonly #drops: LatestDropCounts;

  constructor(parts: ReportedParts) {
    const { agent, loop } = parts;
    this.#parts = parts;
    this.#drops = new LatestDropCounts({
      // Within the loop: calls of the backend must not overlap.
      read: async () => {
        const counts = await loop.between(() => agent.backend.dropped());
        if (counts === undefined) loop.verifySoon();
        return counts;
      },
      onFailure: (error) => {
        if (!(error instanceof LoopEndedError)) agent.log.warn({ err: error }, "dropped packets cannot be counted");
      },
      clock: agent.clock,
    });
    this.#observeMetrics();
  }

  /** For --health-address. */
  get healthRoutes(): Routes {
    const answer = ({ ok, lines }: HealthReport): Answer => text(ok ? 200 : 503, `${lines.join("\n")}\n`);
    return {
      "/healthz": () => answer(liveness(this.#health())),
      "/readyz": () => answer(readiness(this.#health())),
      "/status": sharedAnswer(this.#parts.agent.clock, async () => json(await this.status())),
    };
  }

  /** For --metrics-address. */
  get metricsRoutes(): Routes {
    const { agent, metrics } = this.#parts;
    return {
      "/metrics": sharedAnswer(agent.clock, async () => {
        await this.#refreshDrops();
        return { status: 200, contentType: metrics.contentType, body: await metrics.text() };
      }),
    };
  }

  async status(): Promise<AgentStatus> {
    const { agent, store, graph, record, findings, sharedAddresses } = this.#parts;
    const { nodeName, version, backend, backendName, backendFacts, dryRun, source, tracker } = agent;
    await this.#refreshDrops();
    return {
      apiVersion: "nftpol/v1",
      kind: "AgentStatus",
      node: nodeName,
      version,
      backend: { name: backendName, ...backendFacts },
      dryRun,
      sources: source.status(),
      sync: record.sync(whyNotInForce(this.#health())),
      verification: record.verification,
      existingConnections: record.connections({
        mode: tracker === undefined ? "keep" : "recheck",
        tracker: tracker?.name,
      }),
      packetPath: this.#pathProblems(),
      dropped: this.#drops.counts,
      size: backend.size(),
      policies: store.policyCount,
      unenforcedKinds: source.unenforcedKinds(),
      pods: podStatuses(graph),
      findings: [...findings.standing(), ...(source.findings?.() ?? []), ...sharedAddresses.standing()].flatMap(
        ({ object, diagnostics }) =>
          diagnostics.map(({ severity, field, message, hint }) => ({ object, severity, field, message, hint })),
      ),
    };
  }

  /** Counters of the kernel: what was read last while it cannot be asked. */
  async #refreshDrops(): Promise<void> {
    const { loop, agent } = this.#parts;
    // In a dry run the kernel's table is not what we know.
    if (loop.inForce && !agent.dryRun) await this.#drops.refresh();
  }

  #health(): HealthFacts {
    const { agent, loop, record, nodeProblem } = this.#parts;
    return {
      sources: agent.source.status(),
      inForce: loop.inForce,
      dryRun: agent.dryRun,
      syncFailure: nodeProblem() ?? record.syncFailure,
      kernelBusyMs: loop.kernelBusyMs,
      heartbeatAgeMs: loop.heartbeatAgeMs,
      pathProblems: this.#pathProblems(),
    };
  }

  /** With what makes strict start ineffective. */
  #pathProblems(): readonly string[] {
    const { agent, strictStartProblem } = this.#parts;
    const problem = strictStartProblem();
    return problem === undefined ? agent.pathProblems() : [...agent.pathProblems(), problem];
  }

  #observeMetrics(): void {
    const { agent, store, graph, findings, metrics, eventLoop } = this.#parts;
    metrics.observe({
      inForce: () => whyNotInForce(this.#health()) === undefined,
      size: () => agent.backend.size(),
      sources: () => agent.source.status(),
      dropped: () => this.#drops.counts,
      localPods: () => {
        const pods = podStatuses(graph);
        return { known: pods.length, isolated: pods.filter((pod) => pod.classes.length > 0).length };
      },
      policies: () => store.policyCount,
      findings: () => findings.counts(),
      pathProblems: () => this.#pathProblems().length,
      unenforcedKinds: () => agent.source.unenforcedKinds(),
      eventLoopDelay: () => eventLoop.take(),
    });
  }
}
