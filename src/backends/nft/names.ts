// Names of the objects in our table that do not depend on policies.

import type { Direction, Tier } from "../../model/policy.ts";
import type { Family } from "../../net/address.ts";
import type { ClassId } from "../../program/program.ts";
import { HOOKS } from "../packet.ts";

/** Base chains are named by their hooks. */
export function isBaseChain(chain: string): boolean {
  return HOOKS.some((hook) => hook === chain);
}

/** Local isolated address -> its class chain. */
export function dispatchMap(direction: Direction, family: Family): string {
  return `${direction}${family}`;
}

/** Local address -> the class of what its pod sends to this node itself. */
export function ownNodeMap(family: Family): string {
  return `node${family}`;
}

/** Addresses of pods that some policy restricts in some direction. */
export function isolatedSet(family: Family): string {
  return `isolated${family}`;
}

/** (address, same address) of isolated pods: a pod that reaches itself through a service. */
export function selfSet(family: Family): string {
  return `self${family}`;
}

/** Addresses in this node's pod CIDRs that a pod is known to have (strict start). */
export function knownSet(family: Family): string {
  return `known${family}`;
}

/** Where the other addresses in the pod CIDRs go: as a source `egress`, as a destination `ingress`. */
export function unknownChain(direction: Direction, family: Family): string {
  return `${UNKNOWN_CHAIN}_${direction}${family}`;
}

/** Where packets go that only a link carries (link-scope.ts). */
export const LINK_SCOPE_CHAIN = "link_scope";
export const LINK_SCOPE_DROP_CHAIN = "link_scope_drop";
export const UNKNOWN_CHAIN = "unknown";
export const UNKNOWN_COUNTER = "drop_unknown";
export const MIDSTREAM_CHAIN = "midstream";
export const DISPATCH6_CHAIN = "dispatch6";
export const DISPATCH6_NODE_CHAIN = "dispatch6_node";
export const MIDSTREAM_COUNTER = "drop_midstream";

export function dropCounter(direction: Direction): string {
  return `drop_${direction}`;
}

/** A section behind the first one of its class. */
export function sectionChain(id: ClassId, tier: Tier): string {
  return `${id}_${tier}`;
}

/** What of a section follows the chain of that name. */
export function restChain(chain: string): string {
  return `${chain}_rest`;
}

export function denyChain(id: ClassId, tier: Tier): string {
  return `${logName(id, tier)}_deny`;
}

/** Who denies, for the drop log: the class, and the tier where it is not NetworkPolicy's. */
export function logName(id: ClassId, tier: Tier): string {
  return tier === "namespace" ? id : `${id}_${tier}`;
}

/** The peers of a group of ports that the chain looks up. */
export function portGroupChain(chain: string, index: number): string {
  return `${chain}_ports${index + 1}`;
}

/** Protocol and port -> chain of a port group, where ranges are among them. */
export function portMap(chain: string): string {
  return `${chain}_ports`;
}

/** Ports of one or more protocols, ranges among them; `hash` of all of them. */
export function portRangeSet(hash: string): string {
  return `portranges_${hash}`;
}

/** NFLOG group of the drop log. */
export const LOG_GROUP = 100;

/** Prefix of the drop log, which names class (or chain) and direction; nft allows 127 characters, 1.0.6 aborts beyond. */
export function logPrefix(name: string): string {
  return `nftpol ${name} `.slice(0, 127);
}
