// Traffic that is never blocked for the sake of nodes and of addresses themselves (SEMANTICS "What is never blocked").

import { type Flow, isDhcpAnswer, isNeighbourDiscovery } from "../model/flow.ts";
import type { Direction } from "../model/policy.ts";
import { type Address, addressFamily } from "../net/address.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import type { NeverBlocked } from "./verdict.ts";

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
