// The loop: events -> graph -> delta -> one transaction, again and again; retries with backoff, and a verification now and then.
// Owns the order and the time of these steps. Everything that touches the graph or the backend runs inside the loop, one
// step at a time; what others want to do with a consistent state comes in through `between`.

import type { Applied, Backend, Drift } from "../backends/backend.ts";
import type { RuleGraph } from "../graph/rule-graph.ts";
import type { PodKey } from "../model/cluster.ts";
import { isEmptyDelta, type ProgramDelta } from "../program/program.ts";
import type { ClusterEvent } from "../state/change.ts";
import type { ClusterStore } from "../state/store.ts";
import type { Clock } from "./clock.ts";
import { CommitTimes, type WaitingTimes } from "./commit-times.ts";
import { type PendingBatch, PendingChanges } from "./pending-changes.ts";
import { VerificationSchedule } from "./verification-schedule.ts";

export interface SyncTimes {
  /** Between the starts of two syncs: what comes meanwhile shares the next one. */
  readonly minIntervalMs: number;
  /** Between two verifications; 0: never. */
  readonly verifyEveryMs: number;
  /** After a failed sync: the first pause, doubled each time up to the longest, with jitter. */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
}

export const DEFAULT_SYNC_TIMES: SyncTimes = {
  minIntervalMs: 10,
  verifyEveryMs: 60_000,
  firstRetryMs: 250,
  longestRetryMs: 30_000,
};

export interface Commit extends WaitingTimes {
  readonly applied: Applied;
  /** The first one after start. */
  readonly first: boolean;
  /** What changed since the last commit; undefined: the first one, or one after failures: what the kernel had is not known. */
  readonly delta: ProgramDelta | undefined;
  /** When packets met what changed: what nothing leads to any more may have been taken away after it. */
  readonly inForceAt: number;
  /** From the start of the sync until then, graph and kernel. */
  readonly durationMs: number;
}

/** What the loop tells, inside the loop. Calls must return at once and not throw. */
export interface SyncObserver {
  /** Events have been taken into the state; what follows from them is not in force yet. */
  stateChanged(): void;
  committed(commit: Commit): void;
  failed(error: unknown, nextTryMs: number): void;
  verified(drift: Drift): void;
  verificationFailed(error: unknown, nextTryMs: number): void;
}

export interface SyncLoopOptions {
  readonly store: ClusterStore;
  readonly graph: RuleGraph;
  readonly backend: Backend;
  readonly clock: Clock;
  readonly observer: SyncObserver;
  readonly times?: Partial<SyncTimes>;
  /** 0..1, for jitter. */
  readonly random?: () => number;
}

/** The event loop is given back at least this often while a large batch is taken in. */
const SLICE_MS = 8;
const HEARTBEAT_MS = 5_000;
/** The largest tables take less; a hanging nft is ended after half a minute. */
const LONGEST_USUAL_WAIT_MS = 5_000;

/** A task came too late: the loop has ended. */
export class LoopEndedError extends Error {
  constructor() {
    super("the sync loop has ended");
    this.name = "LoopEndedError";
  }
}

export class SyncLoop {
  readonly #graph: RuleGraph;
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #observer: SyncObserver;
  readonly #times: SyncTimes;
  readonly #random: () => number;
  readonly #pending: PendingChanges;
  /** Of events that are in the graph but not in the kernel yet. */
  readonly #uncommitted: CommitTimes;
  readonly #verification: VerificationSchedule;
  readonly #tasks: (() => Promise<void>)[] = [];
  #sourceSynced = false;
  #installed = false;
  #failures = 0;
  #notBefore = 0;
  #heartbeatAt: number;
  #kernelBusySince: number | undefined;
  #isWriting = false;
  #hasEnded = false;
  #wake: () => void = () => {};

  constructor(options: SyncLoopOptions) {
    this.#graph = options.graph;
    this.#backend = options.backend;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#times = { ...DEFAULT_SYNC_TIMES, ...options.times };
    this.#random = options.random ?? Math.random;
    const isKnownPod = (key: PodKey) => options.store.selectablePod(key) !== undefined;
    this.#pending = new PendingChanges(options.graph.nodeName, isKnownPod);
    this.#uncommitted = new CommitTimes(options.graph.nodeName, isKnownPod);
    this.#verification = new VerificationSchedule(this.#times.verifyEveryMs, this.#random);
    this.#heartbeatAt = this.#clock.now();
  }

  /** Events to be in force soon. */
  add(events: readonly ClusterEvent[]): void {
    if (events.length === 0) return;
    this.#pending.add(events, this.#clock.now());
    this.#wake();
  }

  /** Everything that exists has been added once: from now on the kernel is written. */
  sourceSynced(): void {
    this.#sourceSynced = true;
    this.#wake();
  }

  /**
   * Runs a task while state, graph and kernel agree and nothing changes them. Short, please; rejections are the caller's.
   * Rejects with LoopEndedError when the loop ends before the task has begun.
   */
  between<T>(task: () => T | Promise<T>): Promise<T> {
    const result = new Promise<T>((resolve, reject) => {
      this.#tasks.push(async () => {
        try {
          if (this.#hasEnded) throw new LoopEndedError();
          resolve(await task());
        } catch (error) {
          reject(error);
        }
      });
    });
    if (this.#hasEnded) this.#refuseTasks();
    else this.#wake();
    return result;
  }

  /** Somebody has changed the table: the next verification comes before everything else, a second after the last one at the earliest. */
  verifySoon(): void {
    if (!this.#installed) return;
    this.#verification.soon(this.#clock.now());
    this.#wake();
  }

  /** Whether everything known was in force when the loop last looked, and no change has been waiting for the kernel for long since. */
  get inForce(): boolean {
    const isHanging = (this.kernelBusyMs ?? 0) >= LONGEST_USUAL_WAIT_MS;
    return this.#isSettled && !(isHanging && (this.#isWriting || this.#pending.size > 0));
  }

  /** How long the kernel has been at work for us; undefined: it is not. */
  get kernelBusyMs(): number | undefined {
    return this.#kernelBusySince === undefined ? undefined : this.#clock.now() - this.#kernelBusySince;
  }

  get #isSettled(): boolean {
    return this.#installed && this.#failures === 0;
  }

  /** Since the loop last went round; large only when it hangs. */
  get heartbeatAgeMs(): number {
    return this.#clock.now() - this.#heartbeatAt;
  }

  /** Resolves after an abort, with the step that was running done. Rejects only for bugs. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    try {
      while (!signal.aborted) await this.#goRound(signal);
    } finally {
      signal.removeEventListener("abort", stop);
      this.#hasEnded = true;
      this.#refuseTasks();
    }
  }

  async #goRound(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    this.#heartbeatAt = now;
    if (this.#syncIsDue(now) && now < this.#verification.urgentAt) await this.#sync();
    else if (this.#verification.dueAt <= now) await this.#verify();
    else if (this.#tasks.length === 0) await this.#rest(now, signal);
    await this.#tasks.shift()?.();
  }

  /** Whoever waits for one would wait for ever. */
  #refuseTasks(): void {
    for (const task of this.#tasks.splice(0)) void task();
  }

  #syncIsDue(now: number): boolean {
    if (!this.#sourceSynced) return this.#pending.size > 0;
    return now >= this.#notBefore && (this.#pending.size > 0 || !this.#installed || this.#failures > 0);
  }

  /** Until something is due or something happens. */
  async #rest(now: number, signal: AbortSignal): Promise<void> {
    const waitsForTurn = this.#sourceSynced && (this.#pending.size > 0 || !this.#isSettled);
    const until = Math.min(
      this.#verification.dueAt,
      now + HEARTBEAT_MS,
      waitsForTurn ? this.#notBefore : Number.POSITIVE_INFINITY,
    );
    const woken = new AbortController();
    this.#wake = () => {
      // While it waits for its turn, more events change nothing.
      // With a reason: without one the abort makes an error, which costs more than taking in the event.
      if (!waitsForTurn || signal.aborted || this.#tasks.length > 0) woken.abort("woken");
    };
    if (signal.aborted) return;
    await this.#clock.sleep(Math.max(0, until - now), woken.signal);
    this.#wake = () => {};
  }

  async #sync(): Promise<void> {
    const startedAt = this.#clock.now();
    // What arrives while the batch is being taken in is not in the graph yet, and may be the last that was missing.
    const isWhole = this.#sourceSynced;
    await this.#takeIn(this.#installed ? this.#pending.take() : this.#pending.takeAll());
    this.#observer.stateChanged();
    if (!isWhole) return;
    this.#notBefore = startedAt + this.#times.minIntervalMs;
    const delta = this.#graph.flush();
    if (this.#isSettled && isEmptyDelta(delta)) {
      this.#uncommitted.take(startedAt);
      return;
    }
    const first = !this.#installed;
    const isDelta = this.#isSettled;
    let applied: Applied;
    let inForceAt: number | undefined;
    const onInForce = () => {
      inForceAt = this.#clock.now();
    };
    this.#kernelBusySince = this.#clock.now();
    this.#isWriting = true;
    try {
      applied = await (first ? this.#backend.install(this.#graph.program()) : this.#backend.apply(delta, onInForce));
    } catch (error) {
      this.#observer.failed(error, this.#backOff());
      return;
    } finally {
      this.#kernelBusySince = undefined;
      this.#isWriting = false;
    }
    this.#installed = true;
    this.#failures = 0;
    if (first) this.#verification.next(this.#clock.now());
    inForceAt ??= this.#clock.now();
    const times = { inForceAt, durationMs: inForceAt - startedAt, ...this.#uncommitted.take(inForceAt) };
    this.#observer.committed({ applied, first, delta: isDelta ? delta : undefined, ...times });
  }

  async #takeIn(batches: readonly PendingBatch[]): Promise<void> {
    let sliceEndsAt = this.#clock.now() + SLICE_MS;
    let taken = 0;
    for (const { events, arrivedAt } of batches) {
      for (const event of events) {
        if (this.#installed) this.#uncommitted.note(event, arrivedAt);
        this.#graph.apply(event);
        if (++taken % 16 === 0 && this.#clock.now() >= sliceEndsAt) {
          await new Promise(setImmediate);
          this.#heartbeatAt = this.#clock.now();
          sliceEndsAt = this.#heartbeatAt + SLICE_MS;
        }
      }
    }
  }

  /** Returns the pause before the next try. */
  #backOff(): number {
    const { firstRetryMs, longestRetryMs } = this.#times;
    const pauseMs = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures++) * (0.75 + this.#random() / 2);
    this.#notBefore = this.#clock.now() + pauseMs;
    return pauseMs;
  }

  async #verify(): Promise<void> {
    this.#verification.began(this.#clock.now());
    // A failed sync repairs by itself.
    if (!this.#isSettled) return;
    let drift: Drift;
    this.#kernelBusySince = this.#clock.now();
    try {
      drift = await this.#backend.verify();
    } catch (error) {
      // What the kernel holds is not known: the next sync reads it back.
      this.#observer.verificationFailed(error, this.#backOff());
      return;
    } finally {
      this.#kernelBusySince = undefined;
    }
    this.#observer.verified(drift);
  }
}
