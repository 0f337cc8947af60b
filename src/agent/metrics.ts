// Every metric of the agent: names, help, buckets. docs/metrics.md explains them; names follow kube-proxy's where the
// meaning is the same. Owns prom-client; nobody else imports it.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Applied, DropCounts, ProgramSize } from "../backends/backend.ts";
import type { SourceStatus } from "./cluster-change.ts";

/** What is read at the moment of a scrape. */
export interface MetricReadings {
  readonly inForce: () => boolean;
  readonly size: () => ProgramSize;
  readonly sources: () => readonly SourceStatus[];
  readonly dropped: () => DropCounts | undefined;
  readonly localPods: () => { readonly isolated: number; readonly known: number };
  readonly policies: () => number;
  readonly findings: () => readonly { readonly kind: string; readonly severity: string; readonly objects: number }[];
  readonly pathProblems: () => number;
  readonly unenforcedKinds: () => readonly string[];
  /** Seconds, since the last reading. */
  readonly eventLoopDelay: () => { readonly p99: number; readonly longest: number };
}

const SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];

export class AgentMetrics {
  readonly #registry = new Registry();
  readonly #syncDuration: Histogram;
  readonly #programming: Histogram;
  readonly #podProtected: Histogram;
  readonly #lastSync: Gauge;
  readonly #transactions: Counter;
  readonly #failures: Counter;
  readonly #verifications: Counter;
  readonly #drift: Counter;
  readonly #lastVerification: Gauge;
  readonly #rechecks: Histogram;
  readonly #cut: Counter;
  readonly #recheckFailures: Counter;
  readonly #events: Counter;

  constructor(labels: { readonly version: string; readonly backend: string }) {
    const histogram = (name: string, help: string) =>
      new Histogram({ name: `nftpol_${name}`, help, buckets: SECONDS, registers: [this.#registry] });
    const counter = (name: string, help: string, labelNames: string[] = []) =>
      new Counter({ name: `nftpol_${name}`, help, labelNames, registers: [this.#registry] });
    const gauge = (name: string, help: string, labelNames: string[] = []) =>
      new Gauge({ name: `nftpol_${name}`, help, labelNames, registers: [this.#registry] });

    this.#syncDuration = histogram("sync_duration_seconds", "Time of one sync: rule graph and kernel.");
    this.#programming = histogram(
      "network_programming_duration_seconds",
      "From the arrival of an object's change to the commit that puts it in force.",
    );
    this.#podProtected = histogram(
      "pod_protection_duration_seconds",
      "From the arrival of a new local pod's address to the commit that protects it.",
    );
    this.#lastSync = gauge("last_sync_timestamp_seconds", "When the kernel was last brought to the policies.");
    this.#transactions = counter("transactions_total", "Transactions in force, by how they came about.", ["how"]);
    this.#failures = counter("sync_failures_total", "Syncs that failed; the old rules stayed.", ["reason"]);
    this.#verifications = counter("verifications_total", "Comparisons of the kernel with what should be there.", [
      "result",
    ]);
    this.#drift = counter("drift_total", "Differences made by others in our table, as they were found.");
    this.#lastVerification = gauge("last_verification_timestamp_seconds", "When the kernel was last compared.");
    this.#rechecks = histogram("connection_recheck_duration_seconds", "Time of one pass over existing connections.");
    this.#cut = counter("connections_cut_total", "Existing connections that policies no longer allowed.");
    this.#recheckFailures = counter(
      "connection_recheck_failures_total",
      "Passes over existing connections that failed.",
    );
    this.#events = counter("kubernetes_events_total", "Kubernetes Events reported, by outcome.", ["outcome"]);
    // process_* and nodejs_*, under the names that every dashboard knows.
    collectDefaultMetrics({ register: this.#registry });
    gauge("build_info", "Version and backend of this agent; always 1.", ["version", "backend"]).set({ ...labels }, 1);
  }

  /** Adds what is read at each scrape. Call once. */
  observe(readings: MetricReadings): void {
    const read = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void) =>
      new Gauge({
        name: `nftpol_${name}`,
        help,
        labelNames,
        registers: [this.#registry],
        collect() {
          this.reset();
          collect(this);
        },
      });
    const size = (name: keyof ProgramSize, help: string) =>
      read(name === "elements" ? "set_elements" : name, help, [], (gauge) => gauge.set(readings.size()[name]));
    size("rules", "Rules in our table.");
    size("chains", "Chains in our table.");
    size("sets", "Sets and maps in our table.");
    size("elements", "Elements of all sets and maps in our table.");
    read("rules_in_force", "1 while all that is known is in force in the kernel.", [], (gauge) =>
      gauge.set(Number(readings.inForce())),
    );
    read("policies", "Policies that the agent knows.", [], (gauge) => gauge.set(readings.policies()));
    read(
      "local_pods",
      "Pods of this node: all that policies can select, and those that some policy restricts.",
      ["state"],
      (gauge) => {
        const { known, isolated } = readings.localPods();
        gauge.set({ state: "known" }, known);
        gauge.set({ state: "isolated" }, isolated);
      },
    );
    read(
      "objects_with_findings",
      "Objects that are invalid (error) or doubtful (warning).",
      ["kind", "severity"],
      (gauge) => {
        for (const { kind, severity, objects } of readings.findings()) gauge.set({ kind, severity }, objects);
      },
    );
    read("packet_path_problems", "Reasons why pod traffic may not cross the rules of this node.", [], (gauge) =>
      gauge.set(readings.pathProblems()),
    );
    read(
      "unenforced_policy_kind",
      "Always 1: a kind of policies that the cluster has and that is not enforced.",
      ["resource"],
      (gauge) => {
        for (const resource of readings.unenforcedKinds()) gauge.set({ resource }, 1);
      },
    );
    read(
      "event_loop_delay_seconds",
      "How late the event loop was since the last scrape, beyond its 10 ms tick.",
      ["quantile"],
      (gauge) => {
        const { p99, longest } = readings.eventLoopDelay();
        gauge.set({ quantile: "0.99" }, p99);
        gauge.set({ quantile: "1" }, longest);
      },
    );
    this.#observeDrops(readings);
    this.#observeSources(readings);
  }

  #observeDrops({ dropped }: MetricReadings): void {
    this.#countElsewhere(
      "dropped_packets_total",
      "Packets dropped, by the direction that denied them. Starts again when the table is made anew.",
      "direction",
      () => Object.entries(dropped() ?? {}),
    );
  }

  #observeSources({ sources }: MetricReadings): void {
    const gauge = (name: string, help: string, value: (status: SourceStatus) => number | undefined) =>
      new Gauge({
        name: `nftpol_reflector_${name}`,
        help,
        labelNames: ["resource"],
        registers: [this.#registry],
        collect() {
          this.reset();
          for (const status of sources().filter(isRead)) {
            const reading = value(status);
            if (reading !== undefined) this.set({ resource: status.resource }, reading);
          }
        },
      });
    const count = (name: string, help: string, value: (status: SourceStatus) => number) =>
      this.#countElsewhere(`reflector_${name}`, help, "resource", () =>
        sources()
          .filter(isRead)
          .map((status) => [status.resource, value(status)]),
      );
    gauge("synced", "1 when everything of the resource was read once.", (status) => Number(status.synced));
    gauge("last_event_age_seconds", "Since the last event or bookmark.", (status) => status.lastEventAgeSeconds);
    count("relists_total", "Complete lists after the first.", (status) => status.relists);
    count("watches_total", "Watches that were opened.", (status) => status.watches);
    count("failures_total", "Lists and watches that failed.", (status) => status.failures);
  }

  /** A counter that somebody else counts; only read here. */
  #countElsewhere(
    name: string,
    help: string,
    label: string,
    counts: () => readonly (readonly [string, number])[],
  ): void {
    new Counter({
      name: `nftpol_${name}`,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [value, count] of counts()) this.inc({ [label]: value }, count);
      },
    });
  }

  committed(applied: Applied, durationMs: number, wallTimeMs: number): void {
    this.#syncDuration.observe(durationMs / 1000);
    this.applied(applied, wallTimeMs);
  }

  /** By a sync, or by a verification that repaired. */
  applied({ how }: Applied, wallTimeMs: number): void {
    this.#transactions.inc({ how });
    this.#lastSync.set(wallTimeMs / 1000);
  }

  inForce(latenciesMs: readonly number[], newLocalPodsMs: readonly number[]): void {
    for (const latencyMs of latenciesMs) this.#programming.observe(latencyMs / 1000);
    for (const latencyMs of newLocalPodsMs) this.#podProtected.observe(latencyMs / 1000);
  }

  syncFailed(reason: string): void {
    this.#failures.inc({ reason });
  }

  verified(differences: number, wallTimeMs: number): void {
    this.#verifications.inc({ result: differences === 0 ? "equal" : "repaired" });
    this.#drift.inc(differences);
    this.#lastVerification.set(wallTimeMs / 1000);
  }

  /** `differences`: what was found and not repaired. */
  verificationFailed(differences: number): void {
    this.#drift.inc(differences);
    this.#verifications.inc({ result: "failed" });
  }

  rechecked(cut: number, durationMs: number): void {
    this.#rechecks.observe(durationMs / 1000);
    this.#cut.inc(cut);
  }

  recheckFailed(): void {
    this.#recheckFailures.inc();
  }

  eventReported(outcome: string): void {
    this.#events.inc({ outcome });
  }

  /** Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}

/** What is not installed has no series; what may be installed has. */
function isRead({ installed }: SourceStatus): boolean {
  return installed !== false;
}
