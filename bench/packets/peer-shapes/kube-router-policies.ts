// What kube-router's two shapes have in common: the node's pods with the policies about them, and the sets of a policy.

import { type Address, addressFamily, type Family } from "../../../src/net/address.ts";
import type { NodePolicies, ResolvedPolicy, ResolvedRule } from "./node-policies.ts";
import type { PeerSet } from "./peer-ruleset.ts";

/** Some policy's rule matched. */
export const ALLOWED_MARK = 0x10000;
/** One of the packet's pods is done with it. */
export const JUDGED_MARK = 0x20000;

/** A pod of the node with the policies about it. */
export interface JudgedPod {
  readonly address: Address;
  readonly chain: string;
  /** Chains of the policies that select it, in their order. */
  readonly policyChains: readonly string[];
}

/** In the order of `localPods`; the engine takes its pods from a hash table, that is in any order. */
export function judgedPods({ localPods, networkPolicies }: NodePolicies, family: Family): JudgedPod[] {
  const policies = networkPolicies.map(({ pods }, index) => ({ pods: new Set(pods), chain: policyChain(index) }));
  return localPods
    .filter((address) => addressFamily(address) === family)
    .map((address, index) => ({
      address,
      chain: `KUBE-POD-FW-${index}`,
      policyChains: policies.flatMap(({ pods, chain }) => (pods.has(address) ? [chain] : [])),
    }));
}

export function policyChain(index: number): string {
  return `KUBE-NWPLCY-${index}`;
}

export function subjectSet(policy: ResolvedPolicy, index: number, family: Family): PeerSet {
  return addressSet(`KUBE-DST-${index}`, policy.pods, family);
}

/** undefined: the rule names no pods, or none that there are. */
export function peerSet({ addresses }: ResolvedRule, policy: number, index: number, family: Family) {
  return addresses.length === 0 ? undefined : addressSet(`KUBE-SRC-${policy}-${index}`, addresses, family);
}

function addressSet(name: string, addresses: readonly Address[], family: Family): PeerSet {
  const elements = addresses.filter((address) => addressFamily(address) === family);
  return { name, kind: "addresses", elements, excepts: [] };
}

/** undefined: the rule has no blocks of this family. */
export function blockSet({ blocks }: ResolvedRule, policy: number, index: number, family: Family): PeerSet | undefined {
  const own = blocks.filter(({ cidr }) => cidr.includes(":") === (family === 6));
  if (own.length === 0) return undefined;
  return {
    name: `KUBE-SRC-${policy}-${index}-NET`,
    kind: "blocks",
    elements: own.flatMap(({ cidr }) => halvesOfAll(cidr)),
    excepts: own.flatMap(({ excepts }) => excepts.flatMap(halvesOfAll)),
  };
}

/** A set of networks cannot hold the one with all addresses. */
function halvesOfAll(cidr: string): readonly string[] {
  if (!cidr.endsWith("/0")) return [cidr];
  return cidr.includes(":") ? ["::/1", "8000::/1"] : ["0.0.0.0/1", "128.0.0.0/1"];
}

/** Message types that are always accepted, in the words of both tools or of one. */
export const ICMP_TYPES: Readonly<Record<Family, readonly { readonly iptables: string; readonly nft: string }[]>> = {
  4: ["echo-request", "destination-unreachable", "time-exceeded"].map(sameWord),
  6: [
    ...["echo-request", "destination-unreachable", "time-exceeded"].map(sameWord),
    { iptables: "neighbour-solicitation", nft: "nd-neighbor-solicit" },
    { iptables: "neighbour-advertisement", nft: "nd-neighbor-advert" },
    sameWord("echo-reply"),
  ],
};

function sameWord(word: string) {
  return { iptables: word, nft: word };
}
