// Addresses in classes that no peer of some rules tells apart: one of each class stands for all of them.

import { ANY, addressBlocksOf, type Direction, type Peer, type Policy, type Rule } from "../model/policy.ts";
import { type Address, addressFamily, FAMILIES, type Family, formatAddress } from "../net/address.ts";
import { cidrRange } from "../net/cidr.ts";
import { AddressCuts, type Atom } from "../prove/address-atoms.ts";
import { namedMeaning, peersOf, portsOf } from "../prove/address-sides.ts";
import { peerMatches } from "../semantics/matching.ts";
import type { ClusterView } from "../state/view.ts";

export interface PeerClass {
  readonly family: Family;
  /** Never empty: those of pods first, then nodes' and others, one for each run of them. */
  readonly addresses: readonly Address[];
  /** Of each policy those that match these peers, in order. */
  readonly rules: ReadonlyMap<Policy, readonly Rule[]>;
}

/**
 * Every address of both families is in one class: those of pods, of nodes, and what the blocks of the rules hold and leave out. Egress:
 * pods of a class also give the rules' port names the same meaning. Cost: known addresses times distinct peers.
 */
export function peerClasses(view: ClusterView, policies: readonly Policy[], direction: Direction): PeerClass[] {
  const peers = policies.flatMap((policy) => peersOf(policy, direction));
  const names = direction === "egress" ? policies.flatMap((policy) => portsOf(policy, direction)) : [];
  const distinct = new DistinctPeers(view, peers);
  const classes = new Map<string, PeerClass & { readonly addresses: Address[] }>();
  for (const family of FAMILIES) {
    for (const address of representatives(view, peers, family)) {
      const bits = distinct.bits(address);
      const key = `${family} ${bits} ${namedMeaning(names, view.ownerOf(address))}`;
      const known = classes.get(key);
      if (known !== undefined) known.addresses.push(address);
      else
        classes.set(key, {
          family,
          addresses: [address],
          rules: matchingRules(policies, direction, distinct.matching(bits)),
        });
    }
  }
  return [...classes.values()];
}

function matchingRules(
  policies: readonly Policy[],
  direction: Direction,
  matching: ReadonlySet<Peer>,
): Map<Policy, readonly Rule[]> {
  const matches = ({ peers }: Rule) => peers === ANY || peers.some((peer) => matching.has(peer));
  return new Map(policies.map((policy) => [policy, [...policy.rules[direction]].filter(matches)]));
}

/** One address of each atom; of a run that is nobody's not the first, which is often no host's. */
function representatives(view: ClusterView, peers: readonly Peer[], family: Family): Address[] {
  const cuts = new AddressCuts(family);
  const known: Address[] = [];
  for (const pod of view.selectablePods()) known.push(...pod.addresses);
  for (const node of view.nodes()) known.push(...node.addresses);
  for (const address of known) if (addressFamily(address) === family) cuts.addAddress(address);
  for (const { cidr, except } of peers.flatMap(addressBlocksOf)) {
    for (const block of [cidr, ...except]) {
      if (block.family !== family) continue;
      const { first, last } = cidrRange(block);
      cuts.addRange(first, last);
    }
  }
  const rank = (address: Address) =>
    view.ownerOf(address) !== undefined ? 0 : view.nodeAt(address) !== undefined ? 1 : 2;
  return cuts
    .atoms()
    .map(representative)
    .sort((a, b) => rank(a) - rank(b));
}

function representative({ family, first, last, address }: Atom): Address {
  return first < last ? formatAddress(family, first + 1n) : address;
}

/** Peers that are written alike are asked once; of pods with one namespace and equal labels, one is asked. */
class DistinctPeers {
  readonly #view: ClusterView;
  readonly #groups: readonly (readonly Peer[])[];
  readonly #podBits = new Map<string, string>();

  constructor(view: ClusterView, peers: readonly Peer[]) {
    this.#view = view;
    const groups = new Map<string, Peer[]>();
    for (const peer of peers) {
      const key = JSON.stringify(peer, (_, value) => (typeof value === "bigint" ? `${value}` : value));
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [peer]);
      else group.push(peer);
    }
    this.#groups = [...groups.values()];
  }

  /** `1` for each distinct peer that matches. */
  bits(address: Address): string {
    const ofPods = this.#bitsOfPods(address);
    return this.#groups
      .map(([peer], index) => (peer?.kind === "pods" ? ofPods[index] : this.#bit(peer as Peer, address)))
      .join("");
  }

  matching(bits: string): ReadonlySet<Peer> {
    return new Set(this.#groups.flatMap((group, index) => (bits[index] === "1" ? group : [])));
  }

  #bit(peer: Peer, address: Address): string {
    return peerMatches(this.#view, peer, address) ? "1" : "0";
  }

  #bitsOfPods(address: Address): string {
    const owner = this.#view.ownerOf(address);
    const identity =
      owner === undefined ? "" : JSON.stringify([owner.pod.namespace, Object.entries(owner.pod.labels).sort()]);
    const known = this.#podBits.get(identity);
    if (known !== undefined) return known;
    const bits = this.#groups.map(([peer]) => (peer?.kind === "pods" ? this.#bit(peer, address) : "0")).join("");
    this.#podBits.set(identity, bits);
    return bits;
  }
}
