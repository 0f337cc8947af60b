// Strict start (`unknownLocalPods: "drop"`): this node's pod CIDRs, and which of their addresses some pod is known to have.
// Keeps only addresses in the blocks, so it stays small in any cluster. Owns nothing of what policies allow.

import { type Address, FAMILIES } from "../net/address.ts";
import { blockMembership } from "../net/block-membership.ts";
import { type CidrBlock, cidrRange } from "../net/cidr.ts";
import { rangesToBlocks } from "../net/range.ts";
import type { ClosedAddresses, ClosedDelta } from "../program/program.ts";
import type { StateChange } from "../state/change.ts";
import type { ClusterView } from "../state/view.ts";

export class ClosedTracker {
  readonly #view: ClusterView;
  readonly #nodeName: string;
  readonly #known = new Set<Address>();
  #blocks: readonly CidrBlock[] = [];
  #isInBlocks: (address: Address) => boolean = blockMembership([]);
  #flushedBlocks: readonly CidrBlock[] = [];
  /** Address -> whether it was known at the last flush. */
  readonly #flushedKnown = new Map<Address, boolean>();

  /** Takes in what `view` has; the first flush tells it. */
  constructor(view: ClusterView, nodeName: string) {
    this.#view = view;
    this.#nodeName = nodeName;
    for (const node of view.nodes()) if (node.name === nodeName) this.#setBlocks(node.podCidrs);
  }

  /** `change` is in the view already. Cost: the addresses of one pod; all pods when this node's pod CIDRs change. */
  apply(change: StateChange): void {
    if (change.kind === "pod") {
      for (const pod of [change.before, change.after])
        for (const address of pod?.addresses ?? []) this.#refresh(address);
    } else if (change.kind === "node" && (change.before ?? change.after)?.name === this.#nodeName) {
      const blocks = change.after?.podCidrs ?? [];
      if (!sameBlocks(change.before?.podCidrs ?? [], blocks)) this.#setBlocks(blocks);
    }
  }

  #setBlocks(podCidrs: readonly CidrBlock[]): void {
    this.#blocks = FAMILIES.flatMap((family) =>
      rangesToBlocks(family, podCidrs.filter((block) => block.family === family).map(cidrRange)),
    );
    this.#isInBlocks = blockMembership(this.#blocks);
    for (const address of [...this.#known]) this.#refresh(address);
    for (const pod of this.#view.selectablePods()) for (const address of pod.addresses) this.#refresh(address);
  }

  #refresh(address: Address): void {
    const isKnown = this.#isInBlocks(address) && this.#view.ownerOf(address) !== undefined;
    const wasKnown = this.#known.has(address);
    if (isKnown === wasKnown) return;
    if (!this.#flushedKnown.has(address)) this.#flushedKnown.set(address, wasKnown);
    if (isKnown) this.#known.add(address);
    else this.#known.delete(address);
  }

  /** As it stands; not changed by later events. */
  closed(): ClosedAddresses {
    return { blocks: this.#blocks, known: new Set(this.#known) };
  }

  /** What has changed since the last flush (the first: since nothing was closed), without what cancelled out. */
  flush(): ClosedDelta | undefined {
    const known: Address[] = [];
    const unknown: Address[] = [];
    for (const [address, before] of this.#flushedKnown) {
      const now = this.#known.has(address);
      if (now !== before) (now ? known : unknown).push(address);
    }
    this.#flushedKnown.clear();
    const blocks = sameBlocks(this.#flushedBlocks, this.#blocks) ? undefined : this.#blocks;
    this.#flushedBlocks = this.#blocks;
    return blocks === undefined && known.length + unknown.length === 0 ? undefined : { blocks, known, unknown };
  }
}

function sameBlocks(a: readonly CidrBlock[], b: readonly CidrBlock[]): boolean {
  return a.length === b.length && a.every((block, index) => block.text === b[index]?.text);
}
