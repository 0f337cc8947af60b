// Where a flow's first packet meets our rules: on which nodes, at which hook.
//
//   pod --forward--> other pod, other node, internet     on the source's node
//   anything from elsewhere --forward--> pod             on the destination's node
//   pod --input--> its own node;   node --output--> its own pods

import type { Hook } from "../../backends/nft/ruleset.ts";
import type { Flow } from "../../model/flow.ts";
import type { Address } from "../../net/address.ts";
import type { ClusterView } from "../../state/view.ts";

export interface PacketPath {
  readonly node: string;
  readonly hook: Hook;
  /** The node itself sends. */
  readonly sourceIsLocal: boolean;
}

export type PacketPaths =
  | { readonly kind: "paths"; readonly paths: readonly PacketPath[]; readonly notes: readonly string[] }
  /** A pod and itself: no node sees the packet. */
  | { readonly kind: "inside-the-pod" };

/** The source's node first. */
export function packetPaths(view: ClusterView, { source, destination }: Flow): PacketPaths {
  const from = view.ownerOf(source);
  const to = view.ownerOf(destination);
  if (from !== undefined && from === to) return { kind: "inside-the-pod" };
  const sourceNode = nodeOf(view, source);
  const destinationNode = nodeOf(view, destination);
  const paths: PacketPath[] = [];
  if (from !== undefined && sourceNode !== undefined) {
    const hook = to === undefined && sourceNode === destinationNode ? "input" : "forward";
    paths.push({ node: sourceNode, hook, sourceIsLocal: false });
  }
  if (to !== undefined && destinationNode !== undefined) {
    if (sourceNode !== destinationNode) paths.push({ node: destinationNode, hook: "forward", sourceIsLocal: false });
    else if (from === undefined) paths.push({ node: destinationNode, hook: "output", sourceIsLocal: true });
  }
  const placeless = [from, to].filter((pod) => pod !== undefined && pod.pod.nodeName === undefined);
  const notes = placeless.map((pod) => `the node of ${pod?.key} is not known, so no rules can be shown for it`);
  return { kind: "paths", paths, notes };
}

function nodeOf(view: ClusterView, address: Address): string | undefined {
  const owner = view.ownerOf(address);
  return owner === undefined ? view.nodeAt(address) : owner.pod.nodeName;
}
