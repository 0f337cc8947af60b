// Whether the cluster knows the node that we are told to be. A wrong name would look like a node without pods: nothing to enforce,
// and every rule that is there to be removed. Owns that question only.

import type { ClusterChange } from "./cluster-change.ts";

export class OwnNode {
  readonly #name: string;
  #isKnown = false;
  #othersAreKnown = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** Takes in what the cluster has; once known, a node stays known. */
  take(changes: readonly ClusterChange[]): void {
    if (this.#isKnown) return;
    for (const { event } of changes) {
      const name = event.kind === "node" ? event.node?.name : event.kind === "pod" ? event.pod?.nodeName : undefined;
      if (name === this.#name) this.#isKnown = true;
      else if (name !== undefined) this.#othersAreKnown = true;
    }
  }

  /** undefined while the name may be right: also where manifests speak of no node at all. */
  get problem(): string | undefined {
    if (this.#isKnown || !this.#othersAreKnown) return undefined;
    return `neither a Node nor a pod of the cluster has the node name ${this.#name}: nothing is enforced here (see --node-name, NODE_NAME)`;
  }
}
