// Names of our chains and sets. The kernel takes 28 characters for a chain and 31 for a set: what depends on policies is
// named by a hash of its content, and comments say what it is.

import type { Direction, Tier } from "../../model/policy.ts";
import type { Family } from "../../net/address.ts";
import { contentHash } from "../../program/hash.ts";
import type { ClassId, SetId } from "../../program/program.ts";

/** All that we make begins so; nothing else may be called so. */
export const PREFIX = "NFTPOL-";
/** XT_EXTENSION_MAXNAMELEN less the final zero. */
export const MAX_CHAIN_NAME = 28;
/** IPSET_MAXNAMELEN less the final zero. */
export const MAX_SET_NAME = 31;

/** Reached from the built-in chain of that name. */
export const FORWARD_CHAIN = `${PREFIX}FORWARD`;
export const INPUT_CHAIN = `${PREFIX}INPUT`;
export const OUTPUT_CHAIN = `${PREFIX}OUTPUT`;
export const MIDSTREAM_CHAIN = `${PREFIX}MIDSTREAM`;
export const LINK_SCOPE_CHAIN = `${PREFIX}LINK`;
export const LINK_SCOPE_DROP_CHAIN = `${PREFIX}LINK-DROP`;
export const UNKNOWN_CHAIN = `${PREFIX}UNKNOWN`;

export function unknownChain(direction: Direction): string {
  return `${UNKNOWN_CHAIN}-${direction.toUpperCase()}`;
}

/** Who judges what: what pods send, what they receive, what they send to this node itself. */
export type DispatchKind = "egress" | "ingress" | "node";
export const DISPATCH_KINDS: readonly DispatchKind[] = ["egress", "ingress", "node"];

/** Leads to the classes; `way`: the digits from the root of the tree, none for the root itself. */
export function dispatchChain(kind: DispatchKind, way = ""): string {
  const root = `${PREFIX}${kind.toUpperCase()}`;
  return way === "" ? root : `${root}-${way}`;
}

export type DropReason = Direction | "midstream" | "unknown";
export const DROP_REASONS: readonly DropReason[] = ["ingress", "egress", "midstream", "unknown"];

/** Its one rule counts and drops. */
export function dropChain(reason: DropReason): string {
  return `${PREFIX}DROP-${reason.toUpperCase()}`;
}

/** The class itself; direction, and the hash of what the class is. */
export function classChain(id: ClassId): string {
  return `${PREFIX}${letterOf(id)}-${hashOf(id)}`;
}

/** A further chain of a class; `role` says which. */
export function partChain(id: ClassId, role: string): string {
  return `${PREFIX}${letterOf(id)}-${contentHash(`${id} ${role}`)}`;
}

/** Who denies, for the drop log: class and tier. The prefix of NFLOG has 63 characters (NF_LOG_PREFIXLEN): the hint in the middle gives way. */
export function logPrefix(name: string): string {
  const text = (middle: string) => `nftpol ${middle} `;
  const room = 63 - text("").length;
  if (name.length <= room) return text(name);
  const tail = name.slice(-HASHED_TAIL);
  return text(`${name.slice(0, room - tail.length - 1)}~${tail}`);
}

/** A hash of 16, and the longest name of a tier behind it. */
const HASHED_TAIL = 16 + "_baseline".length;

/** Who denies: the class, and the tier where it is not NetworkPolicy's. */
export function logName(id: ClassId, tier: Tier): string {
  return tier === "namespace" ? id : `${id}_${tier}`;
}

/** Addresses that some class of that kind judges. */
export function judgedSet(kind: DispatchKind, family: Family): string {
  return `${PREFIX}${kind}${family}`;
}

/** Addresses of pods that some policy restricts in some direction. */
export function isolatedSet(family: Family): string {
  return `${PREFIX}isolated${family}`;
}

/** Addresses in this node's pod CIDRs that a pod is known to have (strict start). */
export function knownSet(family: Family): string {
  return `${PREFIX}known${family}`;
}

/** The pods that one class judges. */
export function membersSet(kind: DispatchKind, family: Family, id: ClassId): string {
  return `${PREFIX}${kind[0]}${family}-${hashOf(id)}`;
}

/** The pods of all classes that lie behind a chain of the tree. */
export function branchSet(kind: DispatchKind, family: Family, way: string): string {
  return `${PREFIX}t${kind[0]}${family}-${way}`;
}

/** 0..3: two bits of the hash of what the class is; `position` from 0 to 15. */
export function hashDigit(id: ClassId, position: number): number {
  const letter = hashOf(id).charCodeAt(position);
  // contentHash: a..z are 0 to 25, 2..7 are 26 to 31.
  const value = letter >= 97 ? letter - 97 : letter - 50 + 26;
  return value >> 3;
}

/** A set of the program: addresses of pods or nodes, or destination ports. */
export function programSet(id: SetId): string {
  const kind = { p: id.startsWith("ports") ? "d" : "p", n: "m" }[id[0] as "p" | "n"];
  return `${PREFIX}${kind}${id.charAt(id.indexOf("_") - 1)}-${hashOf(id)}`;
}

export function blocksSet(family: Family, blocks: readonly string[]): string {
  return `${PREFIX}c${family}-${contentHash(blocks.join(","))}`;
}

const HASH_LENGTH = 16;

function hashOf(id: ClassId | SetId): string {
  return id.slice(-HASH_LENGTH);
}

function letterOf(id: ClassId): string {
  return id.startsWith("egress") ? "e" : "i";
}
