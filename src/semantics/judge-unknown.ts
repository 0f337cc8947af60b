// Strict start (`unknownLocalPods: "drop"`): an address in a node's pod CIDRs that no known pod has is taken for a pod whose
// policies are not known yet, and that node closes it. Owns which addresses these are, and their half of a verdict.

import type { Node } from "../model/cluster.ts";
import type { Flow } from "../model/flow.ts";
import type { Direction } from "../model/policy.ts";
import { type Address, addressFamily, addressValue } from "../net/address.ts";
import { type CidrBlock, cidrContains } from "../net/cidr.ts";
import type { ClusterView } from "../state/view.ts";
import { keepsAddressesWorking } from "./never-blocked.ts";
import type { HalfVerdict, NeverBlocked } from "./verdict.ts";

export interface ClosingNode {
  readonly node: string;
  /** The pod CIDR that holds the address. */
  readonly cidr: CidrBlock;
}

/** The half of an address that no selectable pod owns. Not asked where no node closes it. */
export function judgeUnknown(view: ClusterView, direction: Direction, flow: Flow): HalfVerdict {
  const [own, other] = direction === "egress" ? [flow.source, flow.destination] : [flow.destination, flow.source];
  const closing = closingNodes(view, own);
  if (closing.length === 0) return { allow: true, subject: undefined, reason: { kind: "not-a-pod" }, passes: [] };
  // A node forwards nothing between the address and itself, and only what is forwarded is closed.
  const forwarding = closing.find(({ node }) => !hasAddress(view, node, other));
  if (forwarding === undefined) return neverBlocked("own-node");
  const because = keepsAddressesWorking(direction, flow);
  if (because !== undefined) return neverBlocked(because);
  return { allow: false, subject: undefined, reason: { kind: "unknown-pod", ...forwarding }, passes: [] };
}

function neverBlocked(because: NeverBlocked): HalfVerdict {
  return { allow: true, subject: undefined, reason: { kind: "never-blocked", because }, passes: [] };
}

/** The nodes, by name, that close the address: it is in their pod CIDRs, not their own, and no pod is known to have it. */
export function closingNodes(view: ClusterView, address: Address): ClosingNode[] {
  const closing: ClosingNode[] = [];
  if (view.ownerOf(address) !== undefined) return closing;
  for (const node of view.nodes()) {
    const cidr = closingCidr(view, node, address);
    if (cidr !== undefined) closing.push({ node: node.name, cidr });
  }
  return closing.sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** Whether this node closes the address. */
export function isClosedBy(view: ClusterView, nodeName: string, address: Address): boolean {
  if (view.ownerOf(address) !== undefined) return false;
  for (const node of view.nodes()) if (node.name === nodeName) return closingCidr(view, node, address) !== undefined;
  return false;
}

function closingCidr(view: ClusterView, { name, podCidrs }: Node, address: Address): CidrBlock | undefined {
  const candidates = podCidrs.filter((block) => block.family === addressFamily(address));
  if (candidates.length === 0) return undefined;
  const value = addressValue(address);
  const cidr = candidates.find((block) => cidrContains(block, block.family, value));
  return hasAddress(view, name, address) ? undefined : cidr;
}

function hasAddress(view: ClusterView, node: string, address: Address): boolean {
  return view.ownerOf(address) === undefined && view.nodeAddresses(node).includes(address);
}
