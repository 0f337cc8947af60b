// Enumerates the packets of one hook: classes of sources, classes of destinations, and for each pair the finer classes
// that this pair's rules and policies can tell apart. Two addresses in one class get equal answers from all of them.

import type { AddressTest, NodeRules, PortInterval, Side } from "../backends/node-rules.ts";
import type { Hook } from "../backends/packet.ts";
import { isLinkScopeAddress } from "../model/link-scope.ts";
import type { Direction, Policy, PortMatch } from "../model/policy.ts";
import type { Address } from "../net/address.ts";
import { type Atom, groupAtoms, otherAddressOf } from "./address-atoms.ts";
import { type AddressSides, namedMeaning, pairKey, peersOf, portsOf } from "./address-sides.ts";
import type { Counterexample } from "./prove.ts";
import { ReachedChains } from "./reached-chains.ts";
import { ConstantsBuilder, type TrafficClass, trafficClasses } from "./traffic-classes.ts";

export interface HookPath {
  readonly hook: Hook;
  readonly sourceIsLocal: boolean;
  readonly sources: readonly Atom[];
  readonly destinations: readonly Atom[];
  /** Whether rules of this policy are ever asked of the packets of this path. */
  readonly asks: (policy: Policy) => boolean;
}

/** Compares all traffic between two addresses; `policies` are all that can have a say. */
export type ComparePackets = (
  source: Atom,
  destination: Atom,
  policies: readonly Policy[],
  classes: readonly TrafficClass[],
) => Counterexample | undefined;

/** The first difference on this path, or undefined when there is none. */
export function provePath(
  sides: AddressSides,
  rules: NodeRules,
  path: HookPath,
  compare: ComparePackets,
): Counterexample | undefined {
  return new PathProof(sides, rules, path, compare).run();
}

/** Atoms that are alike by themselves: which chains they lead to and, for local pods, which policies judge them. */
interface Identity {
  readonly atoms: readonly Atom[];
  /** Chains that only packets of these addresses, or of addresses like these, can reach. */
  readonly chains: ReadonlySet<string>;
  /** Policies that judge the pod in the direction in which this side is asked. */
  readonly policies: readonly Policy[];
}

class PathProof {
  readonly #sides: AddressSides;
  readonly #rules: NodeRules;
  readonly #path: HookPath;
  readonly #compare: ComparePackets;
  readonly #reached: ReachedChains;
  readonly #traffic = new Map<string, readonly TrafficClass[]>();

  constructor(sides: AddressSides, rules: NodeRules, path: HookPath, compare: ComparePackets) {
    this.#sides = sides;
    this.#rules = rules;
    this.#path = path;
    this.#compare = compare;
    this.#reached = new ReachedChains(sides, rules.hookChains(path.hook, sides.family));
  }

  run(): Counterexample | undefined {
    const sources = this.#identities("source", this.#path.sources);
    const destinations = this.#identities("destination", this.#path.destinations);
    for (const source of sources) {
      for (const destination of destinations) {
        const counterexample = this.#provePairs(source, destination);
        if (counterexample !== undefined) return counterexample;
      }
    }
    return this.#proveNamedPairs(sources, destinations);
  }

  #identities(side: Side, atoms: readonly Atom[]): Identity[] {
    const tests = this.#sides.questions.testsOf(this.#reached.base, side);
    const direction = askedDirection(side);
    const groups = groupAtoms(atoms, (atom) => this.#identityKey(atom, direction, tests));
    return groups.flatMap((group) => {
      const pod = this.#sides.localOwner(group[0] as Atom);
      const policies = pod === undefined ? [] : this.#sides.judging(direction, pod);
      return this.#reached.beyondBase(side, group).map((beyond) => ({ ...beyond, policies }));
    });
  }

  #identityKey(atom: Atom, direction: Direction, tests: readonly AddressTest[]): string {
    const answers = this.#sides.answers(tests, atom);
    const pod = this.#sides.localOwner(atom);
    if (pod === undefined) {
      const isLink = isLinkScopeAddress(direction === "egress" ? "source" : "destination", atom.address);
      return `${this.#sides.isClosed(atom) ? "closed " : ""}${isLink ? "link " : ""}${answers}`;
    }
    const policies = this.#sides.judging(direction, pod);
    const names =
      direction === "ingress"
        ? namedMeaning(
            policies.flatMap((policy) => portsOf(policy, "ingress")),
            pod,
          )
        : "";
    return JSON.stringify([answers, policies.map((policy) => policy.key), this.#sides.isRestricted(pod), names]);
  }

  #provePairs(source: Identity, destination: Identity): Counterexample | undefined {
    const destinations = this.#split("destination", destination, source);
    const chains = [...this.#reached.base, ...source.chains, ...destination.chains];
    for (const sourceAtoms of this.#split("source", source, destination)) {
      for (const destinationAtoms of destinations) {
        const pair = this.#representatives(sourceAtoms, destinationAtoms);
        const same = this.#sameAddress(sourceAtoms, destinationAtoms, chains);
        const pairs = [
          ...(pair === undefined ? [] : [pair]),
          ...(same === undefined ? [] : [{ source: same, destination: same }]),
        ];
        for (const { source: from, destination: to } of pairs) {
          const counterexample = this.#provePair(from, to, source, destination);
          if (counterexample !== undefined) return counterexample;
        }
      }
    }
    return undefined;
  }

  /** An address with itself, where rules can tell that from a pair of two; pods with themselves are compared one by one. */
  #sameAddress(sources: readonly Atom[], destinations: readonly Atom[], chains: Iterable<string>): Atom | undefined {
    if (!this.#sides.questions.compareEnds(chains)) return undefined;
    const both = new Set(destinations);
    return sources.find((atom) => both.has(atom) && this.#sides.owner(atom) === undefined);
  }

  /** Splits an identity by what its own and the other side's chains, and the other side's policies, ask of its addresses. */
  #split(side: Side, own: Identity, other: Identity): readonly (readonly Atom[])[] {
    const tests = this.#sides.questions.testsOf([...own.chains, ...other.chains], side);
    const direction = askedDirection(side === "source" ? "destination" : "source");
    const asked = other.policies.filter(this.#path.asks);
    const peers = asked.flatMap((policy) => peersOf(policy, direction));
    const names: PortMatch[] = direction === "egress" ? asked.flatMap((policy) => portsOf(policy, "egress")) : [];
    if (tests.length + peers.length + names.length === 0) return [own.atoms];
    return groupAtoms(own.atoms, (atom) => {
      const bits = peers.map((peer) => (this.#sides.peerMatches(peer, atom) ? "1" : "0")).join("");
      return `${this.#sides.answers(tests, atom)} ${bits} ${namedMeaning(names, this.#sides.owner(atom))}`;
    });
  }

  /** Two addresses that stand for the groups: of different pods, and no pair that some rule names (those are proven one by one). */
  #representatives(
    sources: readonly Atom[],
    destinations: readonly Atom[],
  ): { source: Atom; destination: Atom } | undefined {
    for (const source of sources) {
      for (const destination of destinations) {
        if (this.#isSpecial(source, destination)) continue;
        return { source, destination: source === destination ? otherAddressOf(destination) : destination };
      }
    }
    return undefined;
  }

  #isSpecial(source: Atom, destination: Atom): boolean {
    // One address to itself: only pods do that, and a run of several addresses has a second one to take.
    if (source === destination && source.first === source.last) return true;
    const pod = this.#sides.owner(source);
    if (pod !== undefined && pod === this.#sides.owner(destination)) return true;
    return this.#sides.pairs.has(pairKey(source.address, destination.address));
  }

  /** Every local pod and itself, and every pair that some rule names. */
  #proveNamedPairs(sources: readonly Identity[], destinations: readonly Identity[]): Counterexample | undefined {
    const sourceOf = byAddress(sources);
    const destinationOf = byAddress(destinations);
    const pairs = new Map(this.#sides.pairs);
    for (const atom of this.#path.sources) {
      if (this.#sides.localOwner(atom) === undefined) continue;
      pairs.set(pairKey(atom.address, atom.address), { source: atom.address, destination: atom.address });
    }
    for (const pair of pairs.values()) {
      const source = sourceOf.get(pair.source);
      const destination = destinationOf.get(pair.destination);
      if (source === undefined || destination === undefined) continue;
      const counterexample = this.#provePair(source.atom, destination.atom, source.identity, destination.identity);
      if (counterexample !== undefined) return counterexample;
    }
    return undefined;
  }

  #provePair(source: Atom, destination: Atom, from: Identity, to: Identity): Counterexample | undefined {
    // What restricts a pod in the direction that is not asked still matters: it decides about packets in mid-connection.
    const opposite = [...this.#judging("ingress", source), ...this.#judging("egress", destination)];
    const policies = [...from.policies, ...to.policies, ...opposite];
    return this.#compare(source, destination, policies, this.#trafficFor(source, destination, from, to));
  }

  #judging(direction: Direction, atom: Atom): readonly Policy[] {
    const pod = this.#sides.localOwner(atom);
    return pod === undefined ? [] : this.#sides.judging(direction, pod);
  }

  /** Traffic classes by the constants that this pair can meet. */
  #trafficFor(source: Atom, destination: Atom, from: Identity, to: Identity): readonly TrafficClass[] {
    const chains = new Set([...this.#reached.base, ...from.chains, ...to.chains]);
    const ports = this.#portsBesideAddresses(chains, source, destination);
    const policies = [from.policies.map((policy) => policy.key), to.policies.map((policy) => policy.key)];
    const key = JSON.stringify([[...chains], policies, [...ports.keys()]]);
    let classes = this.#traffic.get(key);
    if (classes === undefined) {
      const constants = new ConstantsBuilder();
      for (const chain of chains) this.#rules.addConstants(chain, source.family, constants);
      for (const policy of from.policies.filter(this.#path.asks)) addRanges(constants, portsOf(policy, "egress"));
      for (const policy of to.policies.filter(this.#path.asks)) addRanges(constants, portsOf(policy, "ingress"));
      for (const { first, last } of ports.values()) constants.addPorts(first, last);
      classes = trafficClasses(constants, source.family);
      this.#traffic.set(key, classes);
    }
    return classes;
  }

  /** Ports in elements that name one of the two addresses too, and the ports that the destination pod declares; by text, sorted. */
  #portsBesideAddresses(chains: Iterable<string>, source: Atom, destination: Atom): Map<string, PortInterval> {
    const ports = new Map<string, PortInterval>();
    const add = (port: PortInterval) => ports.set(`${port.first}-${port.last}`, port);
    for (const { port } of this.#sides.owner(destination)?.pod.ports ?? []) add({ first: port, last: port });
    for (const [side, atom] of [
      ["source", source],
      ["destination", destination],
    ] as const) {
      for (const test of this.#sides.questions.testsOf(chains, side)) {
        for (const { ports: named } of this.#sides.entries(test, atom)) named.forEach(add);
      }
    }
    return new Map([...ports].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** A source is asked whether it may send, a destination whether it may receive. */
function askedDirection(side: Side): Direction {
  return side === "source" ? "egress" : "ingress";
}

function addRanges(constants: ConstantsBuilder, matches: readonly PortMatch[]): void {
  for (const match of matches) if (match.kind === "range") constants.addPorts(match.first, match.last);
}

function byAddress(
  identities: readonly Identity[],
): Map<Address, { readonly atom: Atom; readonly identity: Identity }> {
  return new Map(
    identities.flatMap((identity) => identity.atoms.map((atom) => [atom.address, { atom, identity }] as const)),
  );
}
