// Where a flow's first packet meets our rules: on which nodes, at which hook.
//
//   pod --forward--> other pod, other node, internet     on the source's node
//   anything from elsewhere --forward--> pod             on the destination's node
//   pod --input--> its own node;   node --output--> its own pods

import type { Hook } from "../../backends/packet.ts";
import type { Flow } from "../../model/flow.ts";
import type { Address } from "../../net/address.ts";
import type { EvaluateOptions } from "../../semantics/evaluate.ts";
import { closingNodes } from "../../semantics/judge-unknown.ts";
import { isOwnNode } from "../../semantics/never-blocked.ts";
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

/** The source's node first. With strict start, an address that some node closes is a pod there. */
export function packetPaths(view: ClusterView, { source, destination }: Flow, options: EvaluateOptions): PacketPaths {
  const owner = view.ownerOf(source);
  if (owner !== undefined && owner === view.ownerOf(destination)) return { kind: "inside-the-pod" };
  const from = placeOf(view, source, destination, options);
  const to = placeOf(view, destination, source, options);
  const paths: PacketPath[] = [];
  if (from.isPod && from.node !== undefined) {
    const hook = !to.isPod && from.node === to.node ? "input" : "forward";
    paths.push({ node: from.node, hook, sourceIsLocal: false });
  }
  if (to.isPod && to.node !== undefined) {
    if (from.node !== to.node) paths.push({ node: to.node, hook: "forward", sourceIsLocal: false });
    else if (!from.isPod) paths.push({ node: to.node, hook: "output", sourceIsLocal: true });
  }
  const pods = [source, destination].map((address) => view.ownerOf(address)).filter((pod) => pod !== undefined);
  const notes = pods
    .filter((pod) => pod.pod.nodeName === undefined)
    .map((pod) => `the node of ${pod.key} is not known, so no rules can be shown for it`);
  return { kind: "paths", paths, notes };
}

interface Place {
  readonly node: string | undefined;
  readonly isPod: boolean;
}

function placeOf(view: ClusterView, address: Address, other: Address, options: EvaluateOptions): Place {
  const owner = view.ownerOf(address);
  if (owner !== undefined) return { node: owner.pod.nodeName, isPod: true };
  const closing = options.unknownLocalPods === "drop" ? closingNodes(view, address) : [];
  // Where pod CIDRs overlap, a node that forwards the packet comes before one that is its end.
  const forwarding = closing.find(({ node }) => !view.nodeAddresses(node).includes(other));
  if (forwarding !== undefined) return { node: forwarding.node, isPod: true };
  // An address that several nodes have (a virtual one) is that of the other end's node.
  const pod = view.ownerOf(other);
  const isOwn = pod !== undefined && isOwnNode(view, pod, address);
  const node = isOwn ? pod.pod.nodeName : view.nodeAt(address);
  const [end] = closing;
  return node === undefined && end !== undefined ? { node: end.node, isPod: true } : { node, isPod: false };
}
