// The agent of one node: cluster objects in, rules in force, and everything that tells about it. Wires the parts it is given;
// start-agent.ts makes the real ones.
//
//   source ─> findings ─> Events, log
//        └──> sync loop ─> backend (kernel)
//                    └───> recheck ─> connection tracking

import type { Drift } from "../backends/backend.ts";
import { RuleGraph } from "../graph/rule-graph.ts";
import type { ConnectionTracker } from "../netlink/connection-tracker.ts";
import { ClusterStore } from "../state/store.ts";
import type { AgentParts } from "./agent-parts.ts";
import { AgentRecord } from "./agent-record.ts";
import { AgentReport } from "./agent-report.ts";
import type { ClusterChange, ClusterSink } from "./cluster-change.ts";
import { ConnectionJudge } from "./connection-judge.ts";
import { ConnectionRecheck } from "./connection-recheck.ts";
import { EventLoopDelay } from "./event-loop-delay.ts";
import { HostAddresses } from "./host-addresses.ts";
import { AgentMetrics } from "./metrics.ts";
import { ObjectFindings } from "./object-findings.ts";
import { OwnNode } from "./own-node.ts";
import { SharedAddresses } from "./shared-addresses.ts";
import { shrunkAddresses } from "./shrunk-addresses.ts";
import { StrictStartEffect } from "./strict-start-effect.ts";
import { type Commit, SyncLoop } from "./sync-loop.ts";

/** Three thousandths of a core; twice as often costs twice as much. */
const LOOK_FOR_OTHERS_EVERY_MS = 100;

export class Agent {
  /** What it tells when it is asked. */
  readonly report: AgentReport;
  readonly #parts: AgentParts;
  readonly #store = new ClusterStore();
  readonly #graph: RuleGraph;
  readonly #findings = new ObjectFindings();
  readonly #sharedAddresses: SharedAddresses;
  readonly #strictStart: StrictStartEffect;
  readonly #metrics: AgentMetrics;
  readonly #record: AgentRecord;
  readonly #loop: SyncLoop;
  readonly #recheck: ConnectionRecheck | undefined;
  readonly #eventLoop = new EventLoopDelay();
  readonly #ownNode: OwnNode;
  #sourceIsWhole = false;

  constructor(parts: AgentParts) {
    const { clock, log, backend } = parts;
    this.#parts = parts;
    this.#sharedAddresses = new SharedAddresses(parts.nodeName, log);
    this.#ownNode = new OwnNode(parts.nodeName);
    this.#graph = new RuleGraph(this.#store, parts.nodeName, parts.program);
    const { nodeName, program: options } = parts;
    this.#strictStart = new StrictStartEffect({ nodeName, graph: this.#graph, options, log });
    this.#metrics = new AgentMetrics({ version: parts.version, backend: parts.backendName });
    this.#record = new AgentRecord(log, this.#metrics, clock, parts.dryRun);
    this.#loop = new SyncLoop({
      store: this.#store,
      graph: this.#graph,
      backend,
      clock,
      observer: {
        stateChanged: () => this.#sharedAddresses.update(this.#store.sharedAddresses()),
        committed: (commit) => this.#committed(commit),
        failed: (error, nextTryMs) => this.#record.failed(error, nextTryMs),
        verified: (drift) => this.#verified(drift),
        verificationFailed: (error, nextTryMs) => this.#record.verificationFailed(error, nextTryMs),
      },
      // In a dry run there is nothing to compare with: the copy is ours alone.
      times: parts.dryRun ? { ...parts.times, verifyEveryMs: 0 } : (parts.times ?? {}),
    });
    this.#recheck = parts.tracker === undefined ? undefined : this.#makeRecheck(parts.tracker);
    this.report = new AgentReport({
      agent: parts,
      store: this.#store,
      graph: this.#graph,
      loop: this.#loop,
      record: this.#record,
      findings: this.#findings,
      sharedAddresses: this.#sharedAddresses,
      metrics: this.#metrics,
      eventLoop: this.#eventLoop,
      nodeProblem: () => this.#nodeProblem,
      strictStartProblem: () => this.#strictStart.problem,
    });
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
    this.#eventLoop.start();
    // One that fails is a bug: the others must not go on without it.
    const failed = new AbortController();
    const both = AbortSignal.any([signal, failed.signal]);
    const loops = [
      this.#parts.source.run(sink, both),
      this.#loop.run(both),
      this.#recheck?.run(both),
      this.#watchOthers(both),
    ];
    try {
      await Promise.all(loops);
    } finally {
      failed.abort();
      await Promise.allSettled(loops);
      this.#eventLoop.stop();
    }
  }

  /** Addresses of this node's pods, for the packet path's self-test. */
  localPodAddresses(): readonly string[] {
    return [...this.#graph.localPods()].flatMap((pod) => pod.addresses);
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

  /** Somebody's flush of our table opens the node: it is noticed at once, not at the next verification. */
  async #watchOthers(signal: AbortSignal): Promise<void> {
    const { backend, clock } = this.#parts;
    while (!signal.aborted) {
      if (backend.changedByOthers()) this.#loop.verifySoon();
      await clock.sleep(LOOK_FOR_OTHERS_EVERY_MS, signal);
    }
  }

  #committed(commit: Commit): void {
    this.#record.committed(commit);
    this.#strictStart.committed(commit.delta);
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
}
