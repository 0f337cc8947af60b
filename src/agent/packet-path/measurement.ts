// The measured half of the packet path: now and then looks whether packets reach pods past the hooks, and keeps what it found
// until it is refuted. Owns when a suspicion becomes a problem; counting is the meter's, the meaning crossings.ts's.

import { type Address, addressFamily, FAMILIES } from "../../net/address.ts";
import type { ConnectionTracker } from "../../netlink/connection-tracker.ts";
import type { Clock } from "../clock.ts";
import {
  type Bypass,
  bypassProblem,
  isExplained,
  isTracked,
  pairKey,
  podsCross,
  uncrossedPairs,
  unexplainedPorts,
} from "./crossings.ts";
import type { CrossingMeter, Crossings } from "./meter.ts";
import type { PairCount } from "./meter-rules.ts";
import type { PodPorts } from "./places.ts";
import type { PathProblem } from "./problem.ts";

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
  /** By pair or interface. */
  readonly #bypasses = new Map<string, Bypass & { readonly seenAt: number }>();

  constructor(parts: MeasurementParts) {
    this.#parts = parts;
  }

  get isDue(): boolean {
    const { clock, everyMs } = this.#parts;
    return this.#lastAt === undefined || this.#bypasses.size > 0 || clock.now() - this.#lastAt >= everyMs;
  }

  /** Packets from local pod to local pod crossed the hooks, not long ago. */
  get podsSeenCrossing(): boolean {
    const at = this.#crossingSeenAt;
    return at !== undefined && this.#parts.clock.now() - at < CROSSING_HOLDS_MS;
  }

  /** undefined: nothing bad was measured, or it was refuted, is long ago, or concerns pods that are not among these. */
  problem(pods: ReadonlySet<Address>): PathProblem | undefined {
    const now = this.#parts.clock.now();
    const bypasses = [...this.#bypasses.values()].flatMap(({ example, seenAt, ...bypass }) => {
      const present = bypass.pods.filter((pod) => pods.has(pod));
      return present.length === 0 || now - seenAt >= BYPASS_HOLDS_MS ? [] : [{ example, pods: present }];
    });
    return bypassProblem(bypasses);
  }

  /**
   * Takes one window, or two if the first looks bad: only what both show is a bypass. Throws BackendError or
   * ConnectionTrackerError where it cannot be measured; what was known stays.
   */
  async measure(pods: ReadonlySet<Address>, ports: PodPorts, signal: AbortSignal): Promise<void> {
    const { meter, clock, windowMs } = this.#parts;
    this.#lastAt = clock.now();
    const request = { addresses: [...pods], ports, windowMs, signal };
    const first = await meter.measure(request);
    if (first === undefined) return;
    if (podsCross(first, pods)) this.#crossingSeenAt = clock.now();
    const suspects = await this.#suspects(first, ports);
    if (suspects.size === 0) {
      this.#take(first, suspects);
      return;
    }
    const second = await meter.measure(request);
    if (second === undefined) return;
    if (podsCross(second, pods)) this.#crossingSeenAt = clock.now();
    const again = await this.#suspects(second, ports);
    this.#take(second, new Map([...again].filter(([key]) => suspects.has(key))));
  }

  async #suspects(crossings: Crossings, { own }: PodPorts): Promise<ReadonlyMap<string, Bypass>> {
    const suspects = new Map<string, Bypass>();
    for (const pair of await this.#untracked(this.#uncrossed(crossings))) {
      suspects.set(pairKey(pair), { pods: [pair.destination], example: `${pair.source} to ${pair.destination}` });
    }
    for (const { interfaceName } of unexplainedPorts(crossings)) {
      suspects.set(interfaceName, { pods: own.get(interfaceName) ?? [], example: `at ${interfaceName}` });
    }
    return suspects;
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

  #take({ crossed, isComplete, ports }: Crossings, bypasses: ReadonlyMap<string, Bypass>): void {
    const now = this.#parts.clock.now();
    for (const [key, { seenAt }] of this.#bypasses) if (now - seenAt >= BYPASS_HOLDS_MS) this.#bypasses.delete(key);
    // Refuted: now their packets cross. Silence refutes nothing, and neither do others who talk to the pod.
    if (isComplete) for (const pair of crossed) this.#bypasses.delete(pairKey(pair));
    for (const port of ports) if (isExplained(port)) this.#bypasses.delete(port.interfaceName);
    for (const [key, bypass] of bypasses) this.#bypasses.set(key, { ...bypass, seenAt: now });
  }
}
