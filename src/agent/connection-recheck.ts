// Existing connections after policies tightened: finds those that the policies of now deny, and cuts only them.
// Owns when to look and what to ask the kernel for; the verdict is connection-judge.ts's, the table netlink's.

import { type Address, addressFamily, FAMILIES, type Family } from "../net/address.ts";
import type { ConnectionTracker, TrackedConnection } from "../netlink/connection-tracker.ts";
import type { Clock } from "./clock.ts";
import type { ConnectionJudge } from "./connection-judge.ts";
import { ANSWERS_MS, SeveredFlows } from "./severed-flows.ts";

export interface RecheckObserver {
  rechecked(result: { readonly examined: number; readonly cut: number; readonly durationMs: number }): void;
  recheckFailed(error: unknown, nextTryMs: number): void;
}

export interface RecheckOptions {
  readonly tracker: ConnectionTracker;
  /** Runs the task while the state is consistent (`SyncLoop.between`). */
  readonly between: <T>(task: () => T) => Promise<T>;
  /** This node's own. Asked after the connections: one that is new by then is known. */
  readonly nodeAddresses: () => Promise<ReadonlySet<string>>;
  /** A judge for the state of now. Called within `between`. */
  readonly makeJudge: (nodeAddresses: ReadonlySet<string>) => ConnectionJudge;
  readonly clock: Clock;
  readonly observer: RecheckObserver;
}

/**
 * A packet that the old rules passed is entered into the kernel's table only when it leaves the node. So each pass is followed
 * by another over the same addresses, by when all such packets have left.
 */
const SECOND_LOOK_MS = 1_000;
/** After a cut, for answers that were under way; the last look comes when none is expected any more. */
const ANSWER_LOOK_MS = 250;
const LAST_ANSWER_LOOK_MS = ANSWERS_MS - 1_000;
/** After a pass the next one waits so long: changes that follow each other share a walk through the kernel's table. */
const MIN_INTERVAL_MS = 100;
/** After a pass that failed, doubled each time. What is asked for meanwhile does not wait for it. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
/** Nothing is due: any long time will do. */
const HEARTBEAT_MS = 60_000;
/** Connections judged in one go: a few milliseconds. */
const SLICE = 250;

type Wanted = ReadonlySet<Address> | "all";

/** To come at a time; all that are due share one pass. */
interface Look {
  readonly at: number;
  readonly wanted: Wanted;
  /** Another one follows it. */
  readonly isFirst: boolean;
  /** How often it failed so far. */
  readonly failures: number;
}

interface PassResult {
  readonly examined: number;
  readonly cut: number;
  /** What could not be read, judged or deleted; the rest was all the same. */
  readonly failures: readonly unknown[];
}

export class ConnectionRecheck {
  readonly #options: RecheckOptions;
  #requested: Set<Address> | "all" | undefined;
  readonly #severed = new SeveredFlows();
  #looks: Look[] = [];
  #wake: () => void = () => {};

  constructor(options: RecheckOptions) {
    this.#options = options;
  }

  /** Connections with one of the addresses will be looked at soon. */
  request(addresses: ReadonlySet<Address>): void {
    if (addresses.size === 0) return;
    this.#add(addresses);
    this.#wake();
  }

  /** All connections will be looked at soon. */
  requestAll(): void {
    this.#add("all");
    this.#wake();
  }

  #add(wanted: Wanted): void {
    if (wanted === "all" || this.#requested === "all") {
      this.#requested = "all";
      return;
    }
    this.#requested ??= new Set();
    for (const address of wanted) this.#requested.add(address);
  }

  /** Resolves after an abort. Rejects only for bugs. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    while (!signal.aborted) {
      const due = this.#takeDue();
      if (due.length > 0) await this.#look(due, signal);
      else await this.#rest();
    }
    signal.removeEventListener("abort", stop);
  }

  #takeDue(): Look[] {
    const now = this.#options.clock.now();
    const due = this.#looks.filter((look) => look.at <= now);
    this.#looks = this.#looks.filter((look) => look.at > now);
    if (this.#requested !== undefined) due.push({ at: now, wanted: this.#requested, isFirst: true, failures: 0 });
    this.#requested = undefined;
    return due;
  }

  async #rest(): Promise<void> {
    const { clock } = this.#options;
    const now = clock.now();
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const next = this.#looks.reduce((soonest, { at }) => Math.min(soonest, at), now + HEARTBEAT_MS);
    await clock.sleep(next - now, woken.signal);
    this.#wake = () => {};
  }

  #lookLater(wanted: Wanted, delayMs: number, failures = 0): void {
    const at = this.#options.clock.now() + delayMs;
    this.#looks.push({ at, wanted, isFirst: failures > 0, failures });
  }

  async #look(due: readonly Look[], signal: AbortSignal): Promise<void> {
    const { clock, observer } = this.#options;
    const startedAt = clock.now();
    const wanted = united(due.map((look) => look.wanted));
    const { failures, ...counts } = await this.#pass(wanted, signal);
    if (failures.length === 0 || counts.cut > 0) {
      observer.rechecked({ ...counts, durationMs: clock.now() - startedAt });
    }
    if (failures.length === 0) {
      const first = due.filter((look) => look.isFirst).map((look) => look.wanted);
      if (first.length > 0) this.#lookLater(united(first), SECOND_LOOK_MS);
    } else if (!signal.aborted) {
      const failedBefore = due.reduce((most, look) => Math.max(most, look.failures), 0);
      const retryMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failedBefore);
      this.#lookLater(wanted, retryMs, failedBefore + 1);
      observer.recheckFailed(oneError(failures), retryMs);
    }
    await clock.sleep(MIN_INTERVAL_MS, signal);
  }

  async #pass(wanted: Wanted, signal: AbortSignal): Promise<PassResult> {
    const result = { examined: 0, cut: 0, failures: [] as unknown[] };
    for (const family of FAMILIES) {
      const addresses = wanted === "all" ? undefined : ofFamily(wanted, family);
      if (addresses?.size === 0 || signal.aborted) continue;
      try {
        const connections = await this.#options.tracker.list(family, addresses);
        result.examined += connections.length;
        await this.#cutDenied(connections, result);
      } catch (error) {
        // The other family's connections have nothing to do with it.
        result.failures.push(error);
      }
    }
    return result;
  }

  async #cutDenied(
    connections: readonly TrackedConnection[],
    result: { cut: number; readonly failures: unknown[] },
  ): Promise<void> {
    const { between, makeJudge, nodeAddresses, tracker, clock } = this.#options;
    const own = connections.length === 0 ? new Set<string>() : await nodeAddresses();
    for (let start = 0; start < connections.length; start += SLICE) {
      const slice = connections.slice(start, start + SLICE);
      // A new judge for each slice: the policies may have changed in between.
      const denied = await between(() => {
        const judge = makeJudge(own);
        const now = clock.now();
        return slice.filter((each) => !judge.allows(each) || this.#severed.isAnswer(each, now));
      });
      if (denied.length === 0) continue;
      try {
        result.cut += await tracker.delete(denied);
      } catch (error) {
        // One that cannot be deleted must not save the others.
        result.failures.push(error);
      }
      this.#lookForAnswers(denied);
    }
  }

  #lookForAnswers(cut: readonly TrackedConnection[]): void {
    const answering = this.#severed.add(cut, this.#options.clock.now());
    if (answering.size === 0) return;
    this.#lookLater(answering, ANSWER_LOOK_MS);
    this.#lookLater(answering, LAST_ANSWER_LOOK_MS);
  }
}

function united(all: readonly Wanted[]): Wanted {
  const addresses = new Set<Address>();
  for (const wanted of all) {
    if (wanted === "all") return "all";
    for (const address of wanted) addresses.add(address);
  }
  return addresses;
}

function oneError(failures: readonly unknown[]): unknown {
  const [first] = failures;
  if (failures.length === 1) return first;
  const reason = first instanceof Error ? first.message : String(first);
  return new AggregateError(failures, `${failures.length} failures, the first one: ${reason}`);
}

function ofFamily(addresses: ReadonlySet<Address>, family: Family): ReadonlySet<Address> {
  return new Set([...addresses].filter((address) => addressFamily(address) === family));
}
