// Everything that the scale benchmark has measured. Owns what stands for several rounds, and for a size.

import type { Churn } from "./churn.ts";
import type { AgentStart, FirstSync } from "./first-sync.ts";
import type { Flood } from "./flood.ts";
import type { Point } from "./growth.ts";
import type { EventCosts } from "./pod-events.ts";

export interface ScaleFigures {
  /** One for each number of pods, ascending, the first without remote pods; of several rounds the last. */
  readonly syncs: readonly FirstSync[];
  /** Of all rounds, by the number of remote pods. */
  readonly starts: ReadonlyMap<number, readonly AgentStart[]>;
  /** As many pods as the largest, and no policies: what pods cost that are in no set. */
  readonly withoutPolicies: FirstSync | undefined;
  readonly events: EventCosts | undefined;
  readonly flood: Flood | undefined;
  readonly churn: Churn | undefined;
}

/** The fastest of the rounds: other work of the machine only adds. */
export function fastestStart(starts: ScaleFigures["starts"], { size, start }: FirstSync): AgentStart {
  const all = starts.get(size.remotePods) ?? [start];
  return all.reduce((fastest, each) => (each.readySeconds < fastest.readySeconds ? each : fastest));
}

/** By the pods of other nodes. */
export function memoryPoints(syncs: readonly FirstSync[], bytesOf: (sync: FirstSync) => number): Point[] {
  return syncs.map((sync) => ({ x: sync.size.remotePods, y: bytesOf(sync) }));
}

export function podsOf({ size }: FirstSync): number {
  return size.remotePods + size.localPods;
}
