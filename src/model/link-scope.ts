// Flows that never leave a link: no router forwards them (RFC 4291, 2.5.6 and 2.7; RFC 5771, 4; RFC 919), so only a bridge carries them from
// pod to pod. Addresses of pods say nothing about them.

import { type Address, addressFamily, addressValue } from "../net/address.ts";
import { type CidrBlock, cidrContains, parseCidr } from "../net/cidr.ts";
import { type Flow, isNeighbourDiscovery } from "./flow.ts";

export const LINK_LOCAL = "fe80::/10";
export const LINK_MULTICAST = { 4: "224.0.0.0/24", 6: "ff02::/16" } as const;
export const LIMITED_BROADCAST = "255.255.255.255";

/** Destination ports of DHCP and DHCPv6, servers' and clients'. */
export const DHCP_PORTS: readonly number[] = [67, 68, 546, 547];

const blockOf = (text: string) => (parseCidr(text) as { block: CidrBlock }).block;
const UNICAST = blockOf(LINK_LOCAL);
/** Where a destination, and of the first one also a source, does not leave its link. */
export const LINK_SCOPE_BLOCKS: readonly CidrBlock[] = [
  UNICAST,
  ...Object.values(LINK_MULTICAST).map(blockOf),
  blockOf(`${LIMITED_BROADCAST}/32`),
];

export function isLinkScope({ source, destination }: Pick<Flow, "source" | "destination">): boolean {
  return isLinkScopeAddress("source", source) || isLinkScopeAddress("destination", destination);
}

export function isLinkScopeAddress(side: "source" | "destination", address: Address): boolean {
  return side === "source" ? isIn(UNICAST, address) : LINK_SCOPE_BLOCKS.some((block) => isIn(block, address));
}

/** Without it addresses do not work, or are lost: it passes also on a link. */
export function keepsLinkWorking({ traffic }: Flow): boolean {
  if (isNeighbourDiscovery(traffic)) return true;
  return traffic.kind === "ports" && traffic.protocol === "UDP" && DHCP_PORTS.includes(traffic.port);
}

function isIn(block: CidrBlock, address: Address): boolean {
  return cidrContains(block, addressFamily(address), addressValue(address));
}
