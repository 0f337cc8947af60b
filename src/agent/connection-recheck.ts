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
  /** A judge for the state of now. Called within `between`. */
  readonly makeJudge: () => ConnectionJudge;
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
const RETRY_MS = 2_000;
/** Nothing is due: any long time will do. */
const HEARTBEAT_MS = 60_000;
/** Connections judged in one go: a few milliseconds. */
const SLICE = 250;

type Wanted = ReadonlySet<Address> | "all";

export class ConnectionRecheck {
  readonly #options: RecheckOptions;
  #due: Set<Address> | "all" | undefined;
  readonly #severed = new SeveredFlows();
  /** In order of their times. */
  #laterLooks: { readonly at: number; readonly wanted: Wanted }[] = [];
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
    if (wanted === "all" || this.#due === "all") {
      this.#due = "all";
      return;
    }
    this.#due ??= new Set();
    for (const address of wanted) this.#due.add(address);
  }

  /** Resolves after an abort. Rejects only for bugs. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    while (!signal.aborted) {
      const due = this.#due;
      this.#due = undefined;
      if (due !== undefined) await this.#look(due, signal);
      else if ((this.#laterLooks[0]?.at ?? Number.POSITIVE_INFINITY) <= clock.now()) await this.#lookAgain(signal);
      else await this.#rest();
    }
    signal.removeEventListener("abort", stop);
  }

  async #rest(): Promise<void> {
    const { clock } = this.#options;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const next = this.#laterLooks[0];
    await clock.sleep(next === undefined ? HEARTBEAT_MS : Math.max(0, next.at - clock.now()), woken.signal);
    this.#wake = () => {};
  }

  async #look(due: Wanted, signal: AbortSignal): Promise<void> {
    if (!(await this.#tryPass(due, signal))) return;
    this.#lookLater(due, SECOND_LOOK_MS);
  }

  #lookLater(wanted: Wanted, delayMs: number): void {
    this.#laterLooks.push({ at: this.#options.clock.now() + delayMs, wanted });
    this.#laterLooks.sort((a, b) => a.at - b.at);
  }

  /** Those that are due, in one pass. */
  async #lookAgain(signal: AbortSignal): Promise<void> {
    const now = this.#options.clock.now();
    const due = this.#laterLooks.filter((look) => look.at <= now).map((look) => look.wanted);
    this.#laterLooks = this.#laterLooks.filter((look) => look.at > now);
    await this.#tryPass(united(due), signal);
  }

  /** false: it failed, and will be done again. */
  async #tryPass(wanted: Wanted, signal: AbortSignal): Promise<boolean> {
    const { clock, observer } = this.#options;
    const startedAt = clock.now();
    try {
      const counts = await this.#pass(wanted);
      observer.rechecked({ ...counts, durationMs: clock.now() - startedAt });
      await clock.sleep(MIN_INTERVAL_MS, signal);
      return true;
    } catch (error) {
      this.#add(wanted);
      observer.recheckFailed(error, RETRY_MS);
      await clock.sleep(RETRY_MS, signal);
      return false;
    }
  }

  async #pass(due: Wanted): Promise<{ examined: number; cut: number }> {
    let examined = 0;
    let cut = 0;
    for (const family of FAMILIES) {
      const addresses = due === "all" ? undefined : ofFamily(due, family);
      if (addresses?.size === 0) continue;
      const connections = await this.#options.tracker.list(family, addresses);
      examined += connections.length;
      cut += await this.#cutDenied(connections);
    }
    return { examined, cut };
  }

  async #cutDenied(connections: readonly TrackedConnection[]): Promise<number> {
    const { between, makeJudge, tracker, clock } = this.#options;
    let cut = 0;
    for (let start = 0; start < connections.length; start += SLICE) {
      const slice = connections.slice(start, start + SLICE);
      // A new judge for each slice: the policies may have changed in between.
      const denied = await between(() => {
        const judge = makeJudge();
        const now = clock.now();
        return slice.filter((each) => !judge.allows(each) || this.#severed.isAnswer(each, now));
      });
      if (denied.length === 0) continue;
      cut += await tracker.delete(denied);
      this.#lookForAnswers(denied);
    }
    return cut;
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

function ofFamily(addresses: ReadonlySet<Address>, family: Family): ReadonlySet<Address> {
  return new Set([...addresses].filter((address) => addressFamily(address) === family));
}
