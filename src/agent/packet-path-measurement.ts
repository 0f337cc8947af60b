// The measured half of the packet path: now and then looks whether packets reach pods past the hooks, and keeps what it found
// until it is refuted. Owns when a suspicion becomes a problem; counting is the meter's, the meaning packet-path-crossings.ts's.

import { type Address, addressFamily, FAMILIES } from "../net/address.ts";
import type { ConnectionTracker } from "../netlink/connection-tracker.ts";
import type { Clock } from "./clock.ts";
import { bypassProblem, inBoth, isTracked, pairKey, podsCross, uncrossedPairs } from "./packet-path-crossings.ts";
import type { CrossingMeter, Crossings } from "./packet-path-meter.ts";
import type { PairCount } from "./packet-path-meter-rules.ts";
import type { PathProblem } from "./packet-path-problem.ts";

export interface MeasurementParts {
  readonly meter: CrossingMeter;
  readonly tracker: Pick<ConnectionTracker, "list">;
  /** This node's own addresses, read anew. */
  readonly nodeAddresses: () => ReadonlySet<string>;
  readonly clock: Clock;
  readonly windowMs: number;
  /** Between two measurements, unless the last one found something. */
  readonly everyMs: number;
}

/** What was seen to cross says little about later: a network plugin can change its mind. */
const CROSSING_HOLDS_MS = 1_800_000;
/** Two that do not talk any more are no news. */
const BYPASS_HOLDS_MS = 3_600_000;

/** Looked up in connection tracking after one window. */
const MAX_PAIRS = 100;

export class PathMeasurement {
  readonly #parts: MeasurementParts;
  #lastAt: number | undefined;
  #crossingSeenAt: number | undefined;
  /** By source and pod: reached past the hooks. */
  readonly #bypasses = new Map<string, { readonly pair: PairCount; readonly seenAt: number }>();

  constructor(parts: MeasurementParts) {
    this.#parts = parts;
  }

  get isDue(): boolean {
    const { clock, everyMs } = this.#parts;
    return this.#lastAt === undefined || this.#bypasses.size > 0 || clock.now() - this.#lastAt >= everyMs;
  }

  get podsSeenCrossing(): boolean {
    const at = this.#crossingSeenAt;
    return at !== undefined && this.#parts.clock.now() - at < CROSSING_HOLDS_MS;
  }

  /** undefined: nothing bad was measured, or it was refuted, is long ago, or concerns pods that are not among these. */
  problem(pods: ReadonlySet<Address>): PathProblem | undefined {
    const now = this.#parts.clock.now();
    const pairs = [...this.#bypasses.values()].filter(
      ({ pair, seenAt }) => pods.has(pair.destination) && now - seenAt < BYPASS_HOLDS_MS,
    );
    return bypassProblem(pairs.map(({ pair }) => pair));
  }

  /**
   * Takes one window, or two if the first looks bad. Throws BackendError or ConnectionTrackerError where it cannot be measured;
   * what was known stays.
   */
  async measure(pods: ReadonlySet<Address>, interfaceNames: readonly string[], signal: AbortSignal): Promise<void> {
    const { meter, clock, windowMs } = this.#parts;
    this.#lastAt = clock.now();
    const request = { addresses: [...pods], interfaceNames, windowMs, signal };
    const first = await meter.measure(request);
    if (first === undefined) return;
    let suspects = await this.#untracked(this.#uncrossed(first));
    let last = first;
    if (suspects.length > 0) {
      const second = await meter.measure(request);
      if (second === undefined) return;
      suspects = await this.#untracked(inBoth(this.#uncrossed(second), suspects));
      last = second;
    }
    if (podsCross(first, pods) || podsCross(last, pods)) this.#crossingSeenAt = clock.now();
    this.#take(suspects, last);
  }

  /** Those with most packets: one proves it, thousands prove no more. */
  #uncrossed(crossings: Crossings): readonly PairCount[] {
    const own = this.#parts.nodeAddresses();
    const pairs = uncrossedPairs(crossings, (address) => own.has(address));
    return pairs.toSorted((a, b) => b.packets - a.packets).slice(0, MAX_PAIRS);
  }

  async #untracked(pairs: readonly PairCount[]): Promise<readonly PairCount[]> {
    const untracked: PairCount[] = [];
    for (const family of FAMILIES) {
      const ofFamily = pairs.filter(({ destination }) => addressFamily(destination) === family);
      if (ofFamily.length === 0) continue;
      const ends = new Set(ofFamily.flatMap(({ source, destination }) => [source, destination]));
      const connections = await this.#parts.tracker.list(family, ends);
      untracked.push(...ofFamily.filter((pair) => !isTracked(pair, connections)));
    }
    return untracked;
  }

  #take(suspects: readonly PairCount[], { crossed, isComplete }: Crossings): void {
    const now = this.#parts.clock.now();
    for (const [key, { seenAt }] of this.#bypasses) if (now - seenAt >= BYPASS_HOLDS_MS) this.#bypasses.delete(key);
    // Refuted: now their packets cross. Silence refutes nothing, and neither do others who talk to the pod.
    if (isComplete) for (const pair of crossed) this.#bypasses.delete(pairKey(pair));
    for (const pair of suspects) this.#bypasses.set(pairKey(pair), { pair, seenAt: now });
  }
}
