// How long events and new pods waited for their commit. Owns the measuring; what is told of it is the metrics' business.

import type { PodKey } from "../model/cluster.ts";
import type { ClusterEvent } from "../state/change.ts";

/** A kernel that refuses for hours must not cost memory for each event, nor a moment for each at the end. */
const MOST_TIMED_EVENTS = 10_000;

export interface WaitingTimes {
  /** For each event, from its arrival to the commit; in no order. Of very many those that waited longest. */
  readonly latenciesMs: readonly number[];
  /** Pods that are new on this node with this commit: from the arrival of their address to the commit. */
  readonly newLocalPodsMs: readonly number[];
}

export class CommitTimes {
  readonly #nodeName: string;
  readonly #isKnownPod: (key: PodKey) => boolean;
  #arrivals: number[] = [];
  #newLocalPods = new Map<PodKey, number>();

  constructor(nodeName: string, isKnownPod: (key: PodKey) => boolean) {
    this.#nodeName = nodeName;
    this.#isKnownPod = isKnownPod;
  }

  /** An event that is about to be taken into the state, and when it came. */
  note(event: ClusterEvent, arrivedAt: number): void {
    if (this.#arrivals.length < MOST_TIMED_EVENTS) this.#arrivals.push(arrivedAt);
    if (event.kind !== "pod") return;
    const { key, pod } = event;
    if (pod === undefined || pod.nodeName !== this.#nodeName || pod.hostNetwork || pod.addresses.length === 0) {
      this.#newLocalPods.delete(key);
    } else if (!this.#isKnownPod(key) && !pod.finished) {
      this.#newLocalPods.set(key, arrivedAt);
    }
  }

  /** All that was noted is in force, or changed nothing: begins anew. */
  take(now: number): WaitingTimes {
    const times = {
      latenciesMs: this.#arrivals.map((at) => now - at),
      newLocalPodsMs: [...this.#newLocalPods.values()].map((at) => now - at),
    };
    this.#arrivals = [];
    this.#newLocalPods = new Map();
    return times;
  }
}
