// Names of the objects in our table that do not depend on policies.

import type { Direction } from "../../model/policy.ts";
import type { Family } from "../../net/address.ts";
import type { ClassId } from "../../program/program.ts";

/** Local isolated address -> its class chain. */
export function dispatchMap(direction: Direction, family: Family): string {
  return `${direction}${family}`;
}

/** Addresses of pods that some policy isolates in some direction. */
export function isolatedSet(family: Family): string {
  return `isolated${family}`;
}

/** (address, same address) of isolated pods: a pod that reaches itself through a service. */
export function selfSet(family: Family): string {
  return `self${family}`;
}

export const MIDSTREAM_CHAIN = "midstream";
export const DISPATCH6_CHAIN = "dispatch6";
export const MIDSTREAM_COUNTER = "drop_midstream";

export function dropCounter(direction: Direction): string {
  return `drop_${direction}`;
}

export function denyChain(id: ClassId): string {
  return `${id}_deny`;
}

export function portGroupChain(id: ClassId, index: number): string {
  return `${id}_ports${index + 1}`;
}

/** NFLOG group of the drop log. */
export const LOG_GROUP = 100;

/** Prefix of the drop log, which names class and direction; nft allows 127 characters, 1.0.6 aborts beyond. */
export function logPrefix(id: ClassId): string {
  return `nftpol ${id} `.slice(0, 127);
}
