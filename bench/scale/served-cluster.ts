// The cluster that the scale benchmark's API server has: what is there now, and how it changes. Owns the objects' state and the order of
// versions; who is told is the server's business.

import {
  type ClusterSize,
  firstPod,
  isOfNoConcern,
  NAMESPACES,
  type PodState,
  type Slot,
  slotCount,
} from "./cluster.ts";
import type { EventChunks, EventType } from "./event-chunks.ts";
import { extraPolicyObject, namespaceObject, nodeObject, PodTexts, policyObject } from "./objects.ts";

/** Prime to every number of slots that is asked for, or else some slots are just never replaced. */
const STRIDE = 7_919;
/** So many pods, and always the same, become clients and cease to be. */
const CLIENT_POOL = 1_000;

export class ServedCluster {
  readonly #size: ClusterSize;
  readonly #texts: PodTexts;
  readonly #pods: PodState[];
  /** Whose changes concern no local pod. */
  readonly #ofNoConcern: readonly Slot[];
  readonly #clientPool: readonly Slot[];
  /** By number, with their versions. */
  readonly #extraPolicies = new Map<number, number>();
  #nextExtraPolicy = 0;
  #lastVersion = 1_000_000;
  #nextOfNoConcern = 0;
  #nextToggled = 0;
  #nextReplaced = 0;

  constructor(size: ClusterSize, podBytes: number) {
    this.#size = size;
    this.#texts = new PodTexts(size, podBytes);
    this.#pods = Array.from({ length: slotCount(size) }, (_, slot) => firstPod(slot));
    this.#ofNoConcern = this.#pods.map((_, slot) => slot).filter((slot) => isOfNoConcern(size, slot));
    const step = Math.max(1, Math.floor(this.#ofNoConcern.length / CLIENT_POOL));
    this.#clientPool = this.#ofNoConcern.filter((_, index) => index % step === 0).slice(0, CLIENT_POOL);
  }

  get lastVersion(): number {
    return this.#lastVersion;
  }

  get podCount(): number {
    return this.#pods.length;
  }

  addPod(chunks: EventChunks, type: EventType, slot: Slot, isPending = false): void {
    const pod = this.#pod(slot);
    chunks.add(type, this.#texts.largestBytes, (target, at) => this.#texts.write(target, at, slot, pod, isPending));
  }

  /** Everything but pods. */
  objects(kind: "namespaces" | "nodes" | "policies"): unknown[] {
    if (kind === "namespaces") return Array.from({ length: NAMESPACES }, (_, index) => namespaceObject(index));
    if (kind === "nodes") return Array.from({ length: this.#size.nodes }, (_, index) => nodeObject(index));
    const extras = [...this.#extraPolicies].map(([index, version]) => extraPolicyObject(index, version));
    return [...Array.from({ length: this.#size.policies }, (_, index) => policyObject(index)), ...extras];
  }

  /** A label that no policy asks for, of pods that no local pod's policy has among its peers. */
  relabel(chunks: EventChunks, count: number): void {
    for (let changed = 0; changed < count; changed++) {
      this.#change(chunks, nextOf(this.#ofNoConcern, this.#nextOfNoConcern++), (pod) => {
        pod.revision++;
      });
    }
  }

  /** Nothing but the version, and so only fields that nobody reads. */
  touch(chunks: EventChunks, count: number): void {
    for (let changed = 0; changed < count; changed++) {
      this.#change(chunks, nextOf(this.#ofNoConcern, this.#nextOfNoConcern++), () => {});
    }
  }

  /** The label that makes a pod a peer of some local pods, put on or taken off. Twice the number of the pool: as before. */
  toggleClients(chunks: EventChunks, count: number): void {
    for (let changed = 0; changed < count; changed++) {
      this.#change(chunks, nextOf(this.#clientPool, this.#nextToggled++), (pod) => {
        pod.isClient = !pod.isClient;
      });
    }
  }

  /** Pods go, then others come in their place, with new names and with each other's addresses. Three events each. */
  replace(chunks: EventChunks, count: number): void {
    const slots = Array.from({ length: count }, () => this.#replacedSlot());
    for (const slot of slots) {
      this.#pod(slot).resourceVersion = ++this.#lastVersion;
      this.addPod(chunks, "DELETED", slot);
    }
    const addresses = slots.map((slot) => this.#pod(slot).address);
    for (const [index, slot] of slots.entries()) {
      const pod = this.#pod(slot);
      const address = addresses[(index + 1) % addresses.length] as number;
      Object.assign(pod, { ...firstPod(slot), generation: pod.generation + 1, address });
      pod.resourceVersion = ++this.#lastVersion;
      this.addPod(chunks, "ADDED", slot, true);
    }
    for (const slot of slots) {
      this.#pod(slot).resourceVersion = ++this.#lastVersion;
      this.addPod(chunks, "MODIFIED", slot);
    }
  }

  addPolicies(chunks: EventChunks, count: number): void {
    for (let added = 0; added < count; added++) {
      const index = this.#nextExtraPolicy++;
      this.#extraPolicies.set(index, ++this.#lastVersion);
      chunks.addObject("ADDED", extraPolicyObject(index, this.#lastVersion));
    }
  }

  /** The oldest ones of those that were added. */
  removePolicies(chunks: EventChunks, count: number): void {
    for (const index of [...this.#extraPolicies.keys()].slice(0, count)) {
      this.#extraPolicies.delete(index);
      chunks.addObject("DELETED", extraPolicyObject(index, ++this.#lastVersion));
    }
  }

  #change(chunks: EventChunks, slot: Slot, change: (pod: PodState) => void): void {
    const pod = this.#pod(slot);
    change(pod);
    pod.resourceVersion = ++this.#lastVersion;
    this.addPod(chunks, "MODIFIED", slot);
  }

  #replacedSlot(): Slot {
    return (this.#nextReplaced++ * STRIDE) % this.#pods.length;
  }

  #pod(slot: Slot): PodState {
    const pod = this.#pods[slot];
    if (pod === undefined) throw new Error(`there is no slot ${slot}`);
    return pod;
  }
}

function nextOf(slots: readonly Slot[], turn: number): Slot {
  const slot = slots[turn % slots.length];
  if (slot === undefined) throw new Error("there are no such pods: the cluster is too small");
  return slot;
}
