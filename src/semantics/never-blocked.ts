// Traffic that is never blocked (SEMANTICS "What is never blocked"): by no tier at all, or by NetworkPolicy only.

import { type Flow, isDhcpAnswer, isNeighbourDiscovery } from "../model/flow.ts";
import type { Direction } from "../model/policy.ts";
import { type Address, addressFamily } from "../net/address.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import type { EvaluateOptions } from "./evaluate.ts";
import type { NeverBlocked } from "./verdict.ts";

/** What no tier judges: a pod on its own address, its node's probes, and what keeps addresses working. */
export function neverBlocked(
  view: ClusterView,
  direction: Direction,
  subject: SelectablePod,
  flow: Flow,
): NeverBlocked | undefined {
  if (isOwnPod(view, direction, subject, flow) && !flow.throughService) return "own-pod";
  if (direction === "ingress" && isOwnNode(view, subject, flow.source)) return "own-node";
  return keepsAddressesWorking(direction, flow);
}

/** What NetworkPolicy lets pass where the other tiers judge: a pod that reaches itself through a service, and a pod to its own node. */
export function neverBlockedByNetworkPolicy(
  view: ClusterView,
  direction: Direction,
  subject: SelectablePod,
  flow: Flow,
  { podToOwnNode }: Pick<EvaluateOptions, "podToOwnNode">,
): NeverBlocked | undefined {
  if (isOwnPod(view, direction, subject, flow)) return "own-pod";
  if (direction === "ingress" || podToOwnNode === "enforce") return undefined;
  return flow.toOwnNode || isOwnNode(view, subject, flow.destination) ? "own-node" : undefined;
}

function isOwnPod(view: ClusterView, direction: Direction, subject: SelectablePod, flow: Flow): boolean {
  const other = direction === "egress" ? flow.destination : flow.source;
  return view.ownerOf(other)?.key === subject.key;
}

/** Whether the address is one of the node on which the pod runs, and no pod's. */
export function isOwnNode(view: ClusterView, subject: SelectablePod, address: Address): boolean {
  if (view.ownerOf(address) !== undefined) return false;
  if (subject.pod.hostAddresses.includes(address)) return true;
  return subject.pod.nodeName !== undefined && view.nodeAddresses(subject.pod.nodeName).includes(address);
}

/** Without this traffic an address does not work, or is lost. */
export function keepsAddressesWorking(direction: Direction, { destination, traffic }: Flow): NeverBlocked | undefined {
  if (isNeighbourDiscovery(traffic)) return "neighbour-discovery";
  if (direction === "ingress" && isDhcpAnswer(traffic, addressFamily(destination))) return "dhcp-answer";
  return undefined;
}
