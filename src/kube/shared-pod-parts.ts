// One copy of what many pods of a cluster have in common: labels, ports, host addresses, names of nodes and workloads.
// Owns memory only: a pod that went through here equals the one that came. Half of a pod's bytes are saved
// (`npm run bench -- reflector`).

import type { Pod, PodKey } from "../model/cluster.ts";
import type { Labels } from "../model/labels.ts";
import { type DecodedResource, PODS } from "./resources.ts";

/** Enough for the texts of a large cluster; with more, what is forgotten is only no longer shared. */
const MOST_KEPT = 10_000;

/** Pods to be kept for long: those that come from one call of this share the parts that are equal. */
export function podsWithSharedParts(): DecodedResource<Pod> {
  const parts = new SharedPodParts();
  return {
    ...PODS,
    decode: (item, source, key) => {
      const { object, diagnostics } = PODS.decode(item, source);
      return object === undefined ? { diagnostics } : { object: parts.share(object, key), diagnostics };
    },
  };
}

export class SharedPodParts {
  readonly #texts = new Copies<string>();
  /** Apart: while pods come and go there is no end of new ones, and the others would be forgotten with them. */
  readonly #times = new Copies<string>();
  readonly #labels = new Copies<Labels>();
  readonly #lists = new Copies<readonly unknown[]>();

  /** An equal pod; `key` is the reflector's copy of its key. Cost: about two microseconds. */
  share(pod: Pod, key?: string): Pod {
    return {
      ...pod,
      key: key === pod.key ? (key as PodKey) : pod.key,
      namespace: this.#text(pod.namespace),
      labels: this.#labels.of(JSON.stringify(pod.labels), () => this.#sharedLabels(pod.labels)),
      nodeName: pod.nodeName === undefined ? undefined : this.#text(pod.nodeName),
      // A list that grew by push has room for 17; a slice has none to spare.
      addresses: pod.addresses.slice(),
      hostAddresses: this.#list(pod.hostAddresses),
      ports: this.#list(pod.ports),
      startedAt: this.#times.of(pod.startedAt, () => pod.startedAt),
      createdAt: this.#times.of(pod.createdAt, () => pod.createdAt),
      workload: this.#text(pod.workload),
    };
  }

  #text(text: string): string {
    return this.#texts.of(text, () => text);
  }

  #list<T>(list: readonly T[]): readonly T[] {
    return this.#lists.of(JSON.stringify(list), () => list.slice()) as readonly T[];
  }

  /** A key named `__proto__` stays one. */
  #sharedLabels(labels: Labels): Labels {
    return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, this.#text(value)]));
  }
}

class Copies<T> {
  readonly #byText = new Map<string, T>();

  of(text: string, make: () => T): T {
    const kept = this.#byText.get(text);
    if (kept !== undefined) return kept;
    if (this.#byText.size >= MOST_KEPT) this.#byText.clear();
    const copy = make();
    this.#byText.set(text, copy);
    return copy;
  }
}
