// Who wants to know of nodes that come, go or change. Few sets name nodes, and nodes change rarely: each listener looks for itself.

import type { Node } from "../model/cluster.ts";
import type { StateChange } from "../state/change.ts";

export type NodeListener = (before: Node | undefined, after: Node | undefined) => void;

export class NodeListeners {
  readonly #listeners = new Set<NodeListener>();

  add(listener: NodeListener): void {
    this.#listeners.add(listener);
  }

  remove(listener: NodeListener): void {
    this.#listeners.delete(listener);
  }

  apply(change: StateChange): void {
    if (change.kind !== "node") return;
    for (const listener of this.#listeners) listener(change.before, change.after);
  }
}
