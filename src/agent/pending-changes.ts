// Events that wait for the next sync. Owns coalescing (the last event of an object wins, its first arrival counts) and
// which events come first: a pod that is new on this node never waits behind a large relist.

import type { PodKey } from "../model/cluster.ts";
import type { ClusterEvent } from "../state/change.ts";

/** So many events take tens of milliseconds; with fewer, going first gains nothing. */
const LARGE_BATCH = 500;

export interface PendingBatch {
  readonly events: readonly ClusterEvent[];
  /** When each event arrived, on the same clock as `add`; in the order of `events`. */
  readonly arrivals: readonly number[];
}

interface Waiting {
  readonly event: ClusterEvent;
  readonly arrivedAt: number;
}

export class PendingChanges {
  readonly #nodeName: string;
  readonly #isKnownPod: (key: PodKey) => boolean;
  readonly #waiting = new Map<string, Waiting>();
  readonly #newLocalPods = new Set<string>();
  /** Policies, namespaces and nodes among the waiting. */
  #ruleMakers = 0;

  constructor(nodeName: string, isKnownPod: (key: PodKey) => boolean) {
    this.#nodeName = nodeName;
    this.#isKnownPod = isKnownPod;
  }

  get size(): number {
    return this.#waiting.size;
  }

  add(events: readonly ClusterEvent[], now: number): void {
    for (const event of events) {
      const key = eventKey(event);
      const earlier = this.#waiting.get(key);
      if (earlier === undefined && event.kind !== "pod") this.#ruleMakers++;
      this.#waiting.set(key, { event, arrivedAt: earlier?.arrivedAt ?? now });
      if (this.#isNewLocalPod(event)) this.#newLocalPods.add(key);
      else this.#newLocalPods.delete(key);
    }
  }

  /**
   * Takes what the next sync applies: everything; or the new local pods alone, when many other pods wait. Never those alone while
   * a policy or a namespace waits: it may be what protects them.
   */
  take(): PendingBatch {
    const localFirst =
      this.#newLocalPods.size > 0 &&
      this.#ruleMakers === 0 &&
      this.#waiting.size - this.#newLocalPods.size > LARGE_BATCH;
    return this.#takeKeys(localFirst ? [...this.#newLocalPods] : [...this.#waiting.keys()]);
  }

  /** Takes everything, whatever it is. */
  takeAll(): PendingBatch {
    return this.#takeKeys([...this.#waiting.keys()]);
  }

  #takeKeys(keys: readonly string[]): PendingBatch {
    const taken = keys.map((key) => this.#waiting.get(key) as Waiting);
    this.#newLocalPods.clear();
    if (keys.length === this.#waiting.size) this.#ruleMakers = 0;
    for (const key of keys) this.#waiting.delete(key);
    return { events: taken.map((each) => each.event), arrivals: taken.map((each) => each.arrivedAt) };
  }

  #isNewLocalPod(event: ClusterEvent): boolean {
    return event.kind === "pod" && event.pod?.nodeName === this.#nodeName && !this.#isKnownPod(event.key);
  }
}

function eventKey(event: ClusterEvent): string {
  return event.kind === "pod" || event.kind === "policy" ? `${event.kind} ${event.key}` : `${event.kind} ${event.name}`;
}
