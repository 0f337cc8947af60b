// Finds the few queries that could select a pod, by namespace and by one label that each of them demands.
// A pod event then costs a handful of look-ups instead of a walk over all queries.

import type { Labels } from "../model/labels.ts";
import type { PodQuery } from "../model/policy.ts";

export class SelectorIndex<Item> {
  readonly #buckets = new Map<string, Set<Item>>();

  add(query: PodQuery, item: Item): void {
    for (const key of bucketKeys(query)) {
      const bucket = this.#buckets.get(key);
      if (bucket === undefined) this.#buckets.set(key, new Set([item]));
      else bucket.add(item);
    }
  }

  remove(query: PodQuery, item: Item): void {
    for (const key of bucketKeys(query)) {
      const bucket = this.#buckets.get(key);
      bucket?.delete(item);
      if (bucket?.size === 0) this.#buckets.delete(key);
    }
  }

  /** Every item whose query could select a pod of this namespace with these labels, added to `found`; some that do not match too. */
  collectCandidates(namespace: string, labels: Labels, found: Set<Item>): void {
    for (const scope of [namespaceScope(namespace), ANY_NAMESPACE]) {
      this.#collect(scope, found);
      for (const key in labels) {
        this.#collect(`${scope}\0${key}`, found);
        this.#collect(`${scope}\0${key}\0${labels[key]}`, found);
      }
    }
  }

  #collect(key: string, found: Set<Item>): void {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined) for (const item of bucket) found.add(item);
  }
}

const ANY_NAMESPACE = "*";

function namespaceScope(name: string): string {
  return `=${name}`;
}

/** Under which keys a query is filed: by the values of its first In, else by the key of its first Exists, else by namespace alone. */
function bucketKeys(query: PodQuery): string[] {
  const scope = query.namespaces.kind === "name" ? namespaceScope(query.namespaces.name) : ANY_NAMESPACE;
  const demanded = query.pods.requirements.find((requirement) => requirement.operator === "In");
  if (demanded?.operator === "In") return demanded.values.map((value) => `${scope}\0${demanded.key}\0${value}`);
  const present = query.pods.requirements.find((requirement) => requirement.operator === "Exists");
  return [present === undefined ? scope : `${scope}\0${present.key}`];
}
