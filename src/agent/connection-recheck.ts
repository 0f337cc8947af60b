// Existing connections after policies tightened: finds those that the policies of now deny, and cuts only them.
// Owns when to look and what to ask the kernel for; the verdict is connection-judge.ts's, the table netlink's.

import { type Address, addressFamily, FAMILIES, type Family } from "../net/address.ts";
import type { ConnectionTracker, TrackedConnection } from "../netlink/connection-tracker.ts";
import type { Clock } from "./clock.ts";
import type { ConnectionJudge } from "./connection-judge.ts";

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

/** After a pass the next one waits so long: changes that follow each other share a walk through the kernel's table. */
const MIN_INTERVAL_MS = 100;
const RETRY_MS = 2_000;
/** Connections judged in one go: a few milliseconds. */
const SLICE = 250;

export class ConnectionRecheck {
  readonly #options: RecheckOptions;
  #due: Set<Address> | "all" | undefined;
  #wake: () => void = () => {};

  constructor(options: RecheckOptions) {
    this.#options = options;
  }

  /** Connections with one of the addresses will be looked at soon. */
  request(addresses: ReadonlySet<Address>): void {
    if (addresses.size === 0 || this.#due === "all") return;
    this.#due ??= new Set();
    for (const address of addresses) this.#due.add(address);
    this.#wake();
  }

  /** All connections will be looked at soon. */
  requestAll(): void {
    this.#due = "all";
    this.#wake();
  }

  /** Resolves after an abort. Rejects only for bugs. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, observer } = this.#options;
    const stop = () => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    while (!signal.aborted) {
      const due = this.#due;
      if (due === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      this.#due = undefined;
      const startedAt = clock.now();
      try {
        const counts = await this.#pass(due);
        observer.rechecked({ ...counts, durationMs: clock.now() - startedAt });
        await clock.sleep(MIN_INTERVAL_MS, signal);
      } catch (error) {
        if (due === "all") this.requestAll();
        else this.request(due);
        observer.recheckFailed(error, RETRY_MS);
        await clock.sleep(RETRY_MS, signal);
      }
    }
    signal.removeEventListener("abort", stop);
  }

  async #pass(due: ReadonlySet<Address> | "all"): Promise<{ examined: number; cut: number }> {
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
    const { between, makeJudge, tracker } = this.#options;
    let cut = 0;
    for (let start = 0; start < connections.length; start += SLICE) {
      const slice = connections.slice(start, start + SLICE);
      // A new judge for each slice: the policies may have changed in between.
      const denied = await between(() => {
        const judge = makeJudge();
        return slice.filter((connection) => !judge.allows(connection));
      });
      if (denied.length > 0) cut += await tracker.delete(denied);
    }
    return cut;
  }
}

function ofFamily(addresses: ReadonlySet<Address>, family: Family): ReadonlySet<Address> {
  return new Set([...addresses].filter((address) => addressFamily(address) === family));
}
