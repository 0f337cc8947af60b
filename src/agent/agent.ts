// The agent of one node: cluster objects in, rules in force, and everything that tells about it. Wires the parts it is given;
// start-agent.ts makes the real ones.
//
//   source ─> findings ─> Events, log
//        └──> sync loop ─> backend (kernel)
//                    └───> recheck ─> connection tracking

import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Backend, BackendFacts, Drift } from "../backends/backend.ts";
import { RuleGraph } from "../graph/rule-graph.ts";
import type { ConnectionTracker } from "../netlink/connection-tracker.ts";
import type { ProgramOptions } from "../program/program.ts";
import { ClusterStore } from "../state/store.ts";
import { AgentRecord } from "./agent-record.ts";
import { type AgentStatus, podStatuses } from "./agent-status.ts";
import type { Clock } from "./clock.ts";
import type { ClusterChange, ClusterSink, ClusterSource } from "./cluster-change.ts";
import { ConnectionJudge } from "./connection-judge.ts";
import { ConnectionRecheck } from "./connection-recheck.ts";
import { LatestDropCounts } from "./drop-counts.ts";
import { type HealthFacts, type HealthReport, liveness, readiness } from "./health.ts";
import { HostAddresses } from "./host-addresses.ts";
import { type Answer, json, type Routes, text } from "./http-server.ts";
import type { Log } from "./log.ts";
import { AgentMetrics } from "./metrics.ts";
import { type ObjectFinding, ObjectFindings } from "./object-findings.ts";
import { OwnNode } from "./own-node.ts";
import { sharedAnswer } from "./shared-answer.ts";
import { shrunkAddresses } from "./shrunk-addresses.ts";
import { type Commit, LoopEndedError, SyncLoop, type SyncTimes } from "./sync-loop.ts";

export interface AgentParts {
  readonly nodeName: string;
  readonly version: string;
  readonly program: ProgramOptions;
  readonly source: ClusterSource;
  readonly backend: Backend;
  readonly backendName: string;
  readonly backendFacts: BackendFacts;
  readonly dryRun: boolean;
  /** undefined: existing connections are kept. */
  readonly tracker: ConnectionTracker | undefined;
  /** Reasons why pod traffic may not cross our rules, as last found. */
  readonly pathProblems: () => readonly string[];
  /** Told about objects whose findings are new: Kubernetes Events. Returns at once. */
  readonly reportFindings: (findings: readonly ObjectFinding[], onOutcome: (outcome: string) => void) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly times?: Partial<SyncTimes>;
}

const EVENT_LOOP_TICK_MS = 10;

export class Agent {
  readonly #parts: AgentParts;
  readonly #store = new ClusterStore();
  readonly #graph: RuleGraph;
  readonly #findings = new ObjectFindings();
  readonly #metrics: AgentMetrics;
  readonly #record: AgentRecord;
  readonly #loop: SyncLoop;
  readonly #recheck: ConnectionRecheck | undefined;
  readonly #eventLoop = monitorEventLoopDelay({ resolution: EVENT_LOOP_TICK_MS });
  readonly #drops: LatestDropCounts;
  readonly #ownNode: OwnNode;
  #sourceIsWhole = false;

  constructor(parts: AgentParts) {
    const { clock, log, backend } = parts;
    this.#parts = parts;
    this.#ownNode = new OwnNode(parts.nodeName);
    this.#graph = new RuleGraph(this.#store, parts.nodeName, parts.program);
    this.#metrics = new AgentMetrics({ version: parts.version, backend: parts.backendName });
    this.#record = new AgentRecord(log, this.#metrics, clock);
    this.#loop = new SyncLoop({
      store: this.#store,
      graph: this.#graph,
      backend,
      clock,
      observer: {
        committed: (commit) => this.#committed(commit),
        failed: (error, nextTryMs) => this.#record.failed(error, nextTryMs),
        verified: (drift) => this.#verified(drift),
        verificationFailed: (error) => this.#record.verificationFailed(error),
      },
      ...(parts.times === undefined ? {} : { times: parts.times }),
    });
    this.#drops = new LatestDropCounts({
      // Within the loop: calls of the backend must not overlap.
      read: () => this.#loop.between(() => backend.dropped()),
      onFailure: (error) => {
        if (!(error instanceof LoopEndedError)) log.warn({ err: error }, "dropped packets cannot be counted");
      },
      clock,
    });
    this.#recheck = parts.tracker === undefined ? undefined : this.#makeRecheck(parts.tracker);
    this.#observeMetrics();
  }

  /** Resolves after an abort; the rules stay in the kernel. Rejects only for bugs. */
  async run(signal: AbortSignal): Promise<void> {
    const sink: ClusterSink = {
      changed: (changes) => this.#changed(changes),
      synced: () => {
        this.#parts.log.info({}, "the whole cluster has been read once");
        this.#sourceIsWhole = true;
        const problem = this.#nodeProblem;
        if (problem === undefined) this.#loop.sourceSynced();
        else this.#parts.log.error({ problem }, "rules that are there stay until this is right");
      },
    };
    this.#eventLoop.enable();
    // One that fails is a bug: the others must not go on without it.
    const failed = new AbortController();
    const both = AbortSignal.any([signal, failed.signal]);
    const loops = [this.#parts.source.run(sink, both), this.#loop.run(both), this.#recheck?.run(both)];
    try {
      await Promise.all(loops);
    } finally {
      failed.abort();
      await Promise.allSettled(loops);
      this.#eventLoop.disable();
    }
  }

  /** For --health-address. */
  get healthRoutes(): Routes {
    const answer = ({ ok, lines }: HealthReport): Answer => text(ok ? 200 : 503, `${lines.join("\n")}\n`);
    return {
      "/healthz": () => answer(liveness(this.#health())),
      "/readyz": () => answer(readiness(this.#health())),
      "/status": sharedAnswer(this.#parts.clock, async () => json(await this.status())),
    };
  }

  /** For --metrics-address. */
  get metricsRoutes(): Routes {
    return {
      "/metrics": sharedAnswer(this.#parts.clock, async () => {
        if (this.#loop.inForce) await this.#drops.refresh();
        return { status: 200, contentType: this.#metrics.contentType, body: await this.#metrics.text() };
      }),
    };
  }

  async status(): Promise<AgentStatus> {
    const { nodeName, version, backend, backendName, backendFacts, dryRun, source, tracker } = this.#parts;
    if (this.#loop.inForce) await this.#drops.refresh();
    return {
      apiVersion: "nftpol/v1",
      kind: "AgentStatus",
      node: nodeName,
      version,
      backend: { name: backendName, ...backendFacts },
      dryRun,
      sources: source.status(),
      sync: this.#record.sync(this.#loop.inForce),
      verification: this.#record.verification,
      existingConnections: this.#record.connections({
        mode: tracker === undefined ? "keep" : "recheck",
        tracker: tracker?.name,
      }),
      packetPath: this.#pathProblems(),
      dropped: this.#drops.counts,
      size: backend.size(),
      policies: [...this.#store.policies()].length,
      unenforcedKinds: source.unenforcedKinds(),
      pods: podStatuses(this.#store, this.#graph),
      findings: this.#findings
        .standing()
        .flatMap(({ object, diagnostics }) =>
          diagnostics.map(({ severity, message }) => ({ object, severity, message })),
        ),
    };
  }

  /** Addresses of this node's pods, for the packet path's self-test. */
  localPodAddresses(): readonly string[] {
    return this.#localPods().flatMap((pod) => pod.addresses);
  }

  /** While there is one nothing is written: under a wrong name everything that protects this node's pods would be removed. */
  get #nodeProblem(): string | undefined {
    return this.#sourceIsWhole ? this.#ownNode.problem : undefined;
  }

  #changed(changes: readonly ClusterChange[]): void {
    const hadProblem = this.#nodeProblem !== undefined;
    this.#ownNode.take(changes);
    this.#loop.add(changes.map((change) => change.event));
    if (hadProblem && this.#nodeProblem === undefined) this.#loop.sourceSynced();
    const fresh = this.#findings.update(changes);
    if (fresh.length === 0) return;
    for (const { object, diagnostics } of fresh) {
      const worst = diagnostics.some((each) => each.severity === "error") ? "error" : "warn";
      const message = worst === "error" ? "invalid object: what it declares is closed" : "doubtful object";
      this.#parts.log[worst](
        { object, findings: diagnostics.map(({ code, field, message, hint }) => ({ code, field, message, hint })) },
        message,
      );
    }
    this.#parts.reportFindings(fresh, (outcome) => this.#metrics.eventReported(outcome));
  }

  #committed(commit: Commit): void {
    this.#record.committed(commit);
    // Nobody knows what others let in before a repair: only in the hot path the table was ours all the time.
    const { delta, applied } = commit;
    const isHotPath = applied.how === "delta" || applied.how === "unchanged";
    if (delta === undefined || !isHotPath) this.#recheck?.requestAll();
    else this.#recheck?.request(shrunkAddresses(delta));
  }

  /** What somebody else's rules let in meanwhile is not to stay. */
  #verified(drift: Drift): void {
    this.#record.verified(drift);
    if (drift.differences.length > 0) this.#recheck?.requestAll();
  }

  #makeRecheck(tracker: ConnectionTracker): ConnectionRecheck {
    const hostAddresses = new HostAddresses();
    return new ConnectionRecheck({
      tracker,
      between: (task) => this.#loop.between(task),
      nodeAddresses: () => hostAddresses.read(),
      makeJudge: (nodeAddresses) =>
        new ConnectionJudge(this.#store, {
          ...this.#parts.program,
          nodeName: this.#parts.nodeName,
          nodeAddresses,
        }),
      clock: this.#parts.clock,
      observer: this.#record,
    });
  }

  #health(): HealthFacts {
    return {
      sources: this.#parts.source.status(),
      inForce: this.#loop.inForce,
      syncFailure: this.#nodeProblem ?? this.#record.syncFailure,
      heartbeatAgeMs: this.#loop.heartbeatAgeMs,
      pathProblems: this.#pathProblems(),
    };
  }

  /** With a wrong node name, and what makes strict start ineffective: the Node object is not there, or has no pod CIDRs. */
  #pathProblems(): readonly string[] {
    const { pathProblems, nodeName, program } = this.#parts;
    if (this.#nodeProblem !== undefined) return [...pathProblems(), this.#nodeProblem];
    if (program.unknownLocalPods === "allow" || !this.#loop.inForce) return pathProblems();
    if (this.#graph.program().closed?.blocks.length !== 0) return pathProblems();
    const problem = `--unknown-local-pods=drop closes nothing: Node ${nodeName} has no pod CIDRs (spec.podCIDRs)`;
    return [...pathProblems(), problem];
  }

  #localPods() {
    return podStatuses(this.#store, this.#graph);
  }

  #observeMetrics(): void {
    this.#metrics.observe({
      inForce: () => this.#loop.inForce,
      size: () => this.#parts.backend.size(),
      sources: () => this.#parts.source.status(),
      dropped: () => this.#drops.counts,
      localPods: () => {
        const pods = this.#localPods();
        return { known: pods.length, isolated: pods.filter((pod) => pod.classes.length > 0).length };
      },
      policies: () => [...this.#store.policies()].length,
      findings: () => this.#findings.counts(),
      pathProblems: () => this.#pathProblems().length,
      unenforcedKinds: () => this.#parts.source.unenforcedKinds(),
      eventLoopDelay: () => {
        // The histogram holds times between two ticks, the tick itself included.
        const delay = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - EVENT_LOOP_TICK_MS) / 1000;
        const delays = { p99: delay(this.#eventLoop.percentile(99)), longest: delay(this.#eventLoop.max) };
        this.#eventLoop.reset();
        return delays;
      },
    });
  }
}
