// Events that wait for the next sync, in the order in which they came. Owns which of them come first: a pod that is new on
// this node never waits behind a large relist. What cancels out within a batch is the graph's to find.

import type { PodKey } from "../model/cluster.ts";
import type { ClusterEvent } from "../state/change.ts";

/** So many events take tens of milliseconds; with fewer, going first gains nothing. */
const LARGE_BATCH = 500;

export interface PendingBatch {
  readonly events: readonly ClusterEvent[];
  /** On the same clock as `add`. */
  readonly arrivedAt: number;
}

export class PendingChanges {
  readonly #nodeName: string;
  readonly #isKnownPod: (key: PodKey) => boolean;
  #batches: PendingBatch[] = [];
  #size = 0;
  readonly #newLocalPods = new Set<PodKey>();
  /** Policies, namespaces and nodes among the waiting. */
  #ruleMakers = 0;

  constructor(nodeName: string, isKnownPod: (key: PodKey) => boolean) {
    this.#nodeName = nodeName;
    this.#isKnownPod = isKnownPod;
  }

  /** Events that wait. */
  get size(): number {
    return this.#size;
  }

  /** Keeps the list itself: 50,000 events at once cost about a millisecond. */
  add(events: readonly ClusterEvent[], now: number): void {
    this.#batches.push({ events, arrivedAt: now });
    this.#size += events.length;
    for (const event of events) {
      if (event.kind !== "pod") this.#ruleMakers++;
      else if (event.pod?.nodeName === this.#nodeName) {
        if (!this.#isKnownPod(event.key)) this.#newLocalPods.add(event.key);
      } else if (this.#newLocalPods.size > 0) this.#newLocalPods.delete(event.key);
    }
  }

  /**
   * Takes what the next sync applies: everything; or the events of new local pods alone, when many others wait. Never those alone
   * while a policy or a namespace waits: it may be what protects them.
   */
  take(): PendingBatch[] {
    if (!this.#localPodsGoFirst()) return this.takeAll();
    const urgent = this.#takeNewLocalPods();
    this.#newLocalPods.clear();
    this.#size -= countEvents(urgent);
    return urgent;
  }

  /** Takes everything, whatever it is. */
  takeAll(): PendingBatch[] {
    const taken = this.#batches;
    this.#batches = [];
    this.#size = 0;
    this.#ruleMakers = 0;
    this.#newLocalPods.clear();
    return taken;
  }

  #localPodsGoFirst(): boolean {
    const urgent = this.#newLocalPods.size;
    return urgent > 0 && this.#ruleMakers === 0 && this.#size - urgent > LARGE_BATCH;
  }

  /** All events of these pods, so that none of them comes after a later one. */
  #takeNewLocalPods(): PendingBatch[] {
    const isUrgent = (event: ClusterEvent) => event.kind === "pod" && this.#newLocalPods.has(event.key);
    const part = (wanted: (event: ClusterEvent) => boolean) =>
      this.#batches
        .map(({ events, arrivedAt }) => ({ events: events.filter(wanted), arrivedAt }))
        .filter((batch) => batch.events.length > 0);
    const urgent = part(isUrgent);
    this.#batches = part((event) => !isUrgent(event));
    return urgent;
  }
}

function countEvents(batches: readonly PendingBatch[]): number {
  return batches.reduce((sum, { events }) => sum + events.length, 0);
}
