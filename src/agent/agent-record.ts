// What the loops tell, kept as log lines, metrics and the state that `nftpol status` and /readyz show.
// Owns no decisions.

import { BackendError, type Drift, RepairError } from "../backends/backend.ts";
import type { AgentStatus, ConnectionState, SyncState, VerificationState } from "./agent-status.ts";
import type { Clock } from "./clock.ts";
import type { RecheckObserver } from "./connection-recheck.ts";
import type { Log } from "./log.ts";
import type { AgentMetrics } from "./metrics.ts";
import type { Commit, SyncObserver } from "./sync-loop.ts";

/** A flushed table has thousands; the first ones tell the story. */
const MOST_DIFFERENCES = 20;

export class AgentRecord implements Omit<SyncObserver, "stateChanged">, RecheckObserver {
  readonly #log: Log;
  readonly #metrics: AgentMetrics;
  readonly #clock: Clock;
  /** Nothing is in force, whatever is committed: it is logged, and counted nowhere. */
  readonly #dryRun: boolean;
  #commits = 0;
  #failures = 0;
  #lastCommitAt: string | undefined;
  #lastFailure: string | undefined;
  #verifiedAt: string | undefined;
  #repairedDifferences = 0;
  /** Found, and not repaired yet: the next commit does it. */
  #unrepairedDifferences = 0;
  #lastDifferences: readonly string[] = [];
  #cut = 0;

  constructor(log: Log, metrics: AgentMetrics, clock: Clock, dryRun: boolean) {
    this.#log = log;
    this.#metrics = metrics;
    this.#clock = clock;
    this.#dryRun = dryRun;
  }

  committed(commit: Commit): void {
    const { applied, durationMs, latenciesMs, newLocalPodsMs } = commit;
    const fields = {
      ...applied,
      changes: latenciesMs.length,
      durationMs: rounded(durationMs),
      latencyMs: rounded(latenciesMs.reduce((longest, each) => Math.max(longest, each), 0)),
      newLocalPods: newLocalPodsMs.length,
    };
    if (this.#dryRun) {
      if (commit.first) this.#log.info(fields, "rules would be in force");
      else this.#log.debug(fields, "rules would be changed");
      return;
    }
    const wallTime = this.#clock.wallTime();
    this.#commits++;
    this.#lastCommitAt = new Date(wallTime).toISOString();
    if (this.#lastFailure !== undefined) this.#log.info({}, "the kernel takes changes again");
    this.#lastFailure = undefined;
    this.#repairedDifferences += this.#unrepairedDifferences;
    this.#unrepairedDifferences = 0;
    this.#metrics.committed(applied, durationMs, wallTime);
    this.#metrics.inForce(latenciesMs, newLocalPodsMs);
    // Single changes are many in a busy cluster; what replaces or repairs is worth a line.
    if (applied.how === "delta" || applied.how === "unchanged") this.#log.debug(fields, "rules changed");
    else this.#log.info(fields, commit.first ? "rules in force" : "rules repaired");
  }

  failed(error: unknown, nextTryMs: number): void {
    this.#failures++;
    this.#lastFailure = error instanceof Error ? error.message : String(error);
    this.#metrics.syncFailed(error instanceof BackendError ? error.kind : "unexpected");
    this.#log.error(
      { err: error, nextTryMs: rounded(nextTryMs) },
      "the kernel did not take the change: the old rules stay",
    );
  }

  verified({ differences, repair }: Drift): void {
    const wallTime = this.#clock.wallTime();
    this.#verifiedAt = new Date(wallTime).toISOString();
    this.#metrics.verified(differences.length, wallTime);
    this.#lastDifferences = differences.slice(0, MOST_DIFFERENCES);
    if (differences.length === 0) return;
    this.#repairedDifferences += differences.length;
    if (repair !== undefined) {
      this.#commits++;
      this.#lastCommitAt = this.#verifiedAt;
      this.#metrics.applied(repair, wallTime);
    }
    const fields = { differences: this.#lastDifferences, differenceCount: differences.length };
    this.#log.warn(fields, "somebody changed our table: repaired");
  }

  verificationFailed(error: unknown, nextTryMs: number): void {
    const differences = error instanceof RepairError ? error.differences : [];
    const message = error instanceof Error ? error.message : String(error);
    this.#failures++;
    this.#metrics.verificationFailed(differences.length);
    const fields = { err: error, nextTryMs: rounded(nextTryMs) };
    if (!(error instanceof RepairError)) {
      this.#lastFailure = `our table cannot be read back: ${message}`;
      this.#log.error(fields, "our table cannot be read back");
      return;
    }
    this.#lastFailure = message;
    this.#lastDifferences = differences.slice(0, MOST_DIFFERENCES);
    this.#unrepairedDifferences = differences.length;
    const found = { differences: this.#lastDifferences, differenceCount: differences.length };
    this.#log.error({ ...fields, ...found }, "somebody changed our table, and the repair failed");
  }

  rechecked({ examined, cut, durationMs }: { examined: number; cut: number; durationMs: number }): void {
    this.#cut += cut;
    this.#metrics.rechecked(cut, durationMs);
    const fields = { examined, cut, durationMs: rounded(durationMs) };
    if (cut > 0) this.#log.info(fields, "connections cut that policies no longer allow");
    else this.#log.debug(fields, "existing connections are as policies allow");
  }

  recheckFailed(error: unknown, nextTryMs: number): void {
    this.#metrics.recheckFailed();
    this.#log.error(
      { err: error, nextTryMs },
      "existing connections cannot be checked: those that are denied now may go on",
    );
  }

  get syncFailure(): string | undefined {
    return this.#lastFailure;
  }

  /** `reason`: why not everything is in force; undefined: it is. */
  sync(reason: string | undefined): SyncState {
    return {
      inForce: reason === undefined,
      reason,
      lastCommitAt: this.#lastCommitAt,
      commits: this.#commits,
      failures: this.#failures,
      lastFailure: this.#lastFailure,
    };
  }

  get verification(): VerificationState {
    return {
      lastAt: this.#verifiedAt,
      repairedDifferences: this.#repairedDifferences,
      lastDifferences: this.#lastDifferences,
    };
  }

  connections(settings: Pick<ConnectionState, "mode" | "tracker">): AgentStatus["existingConnections"] {
    return { ...settings, cut: this.#cut };
  }
}

/** Milliseconds to the hundredth. */
function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
