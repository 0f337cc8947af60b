// Whether the cluster knows the node that we are told to be. A wrong name would look like a node without pods: nothing to enforce,
// and every rule that is there to be removed. Owns that question only.

import type { ClusterChange } from "./cluster-change.ts";

/** So many names show what a right one looks like. */
const MOST_NAMES = 3;

export class OwnNode {
  readonly #name: string;
  #isKnown = false;
  /** Of Nodes that are there; empty once ours is known. */
  readonly #nodes = new Set<string>();
  /** Where pods are or were, the first ones. */
  readonly #nodesOfPods = new Set<string>();
  #othersAreKnown = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** Takes in what the cluster has; once known, a node stays known. */
  take(changes: readonly ClusterChange[]): void {
    if (this.#isKnown) return;
    for (const { event } of changes) {
      if (event.kind === "node" && event.node === undefined) this.#nodes.delete(event.name);
      const name = event.kind === "node" ? event.node?.name : event.kind === "pod" ? event.pod?.nodeName : undefined;
      if (name === undefined) continue;
      if (name === this.#name) this.#isKnown = true;
      else this.#othersAreKnown = true;
      if (event.kind === "node") this.#nodes.add(name);
      else if (this.#nodesOfPods.size < MOST_NAMES) this.#nodesOfPods.add(name);
    }
    if (this.#isKnown) this.#nodes.clear();
  }

  /** undefined while the name may be right: also where manifests speak of no node at all. */
  get problem(): string | undefined {
    if (this.#isKnown || !this.#othersAreKnown) return undefined;
    const others = [...(this.#nodes.size > 0 ? this.#nodes : this.#nodesOfPods)].sort();
    const there = others.length === 0 ? "" : ` (there are: ${firstOf(others)})`;
    return `neither a Node nor a pod of the cluster has the node name ${this.#name}${there}: nothing is written, rules of before stay; see --node-name, NODE_NAME`;
  }
}

function firstOf(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
