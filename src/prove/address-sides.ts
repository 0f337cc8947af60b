// The addresses of one family as both sides see them: atoms, with the answers that rules give to them (by test) and the
// features that policies ask of them (by peer). Groups of equal answers are what the prover enumerates.

import type { AddressPair, AddressTest, NodeRules, TestEntry } from "../backends/node-rules.ts";
import { LINK_SCOPE_BLOCKS } from "../model/link-scope.ts";
import {
  ANY,
  addressBlocksOf,
  DIRECTIONS,
  type Direction,
  type Peer,
  type Policy,
  type PortMatch,
  type Rule,
} from "../model/policy.ts";
import { type Address, addressValue, type Family } from "../net/address.ts";
import { type CidrBlock, cidrRange } from "../net/cidr.ts";
import type { EvaluateOptions } from "../semantics/evaluate.ts";
import { isClosedBy } from "../semantics/judge-unknown.ts";
import { canDeny, judgingPolicies } from "../semantics/judging-policies.ts";
import { peerMatches, resolveNamedPort } from "../semantics/matching.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import { AddressCuts, type Atom, atomOf, atomsIn } from "./address-atoms.ts";
import { RuleQuestions } from "./rule-questions.ts";

export class AddressSides {
  readonly family: Family;
  readonly atoms: readonly Atom[];
  /** What the rules ask. */
  readonly questions: RuleQuestions;
  /** Address pairs that some rule names, by `pairKey`. */
  readonly pairs: ReadonlyMap<string, AddressPair>;
  readonly #view: ClusterView;
  readonly #nodeName: string;
  readonly #closed: ReadonlySet<number>;
  readonly #entries = new Map<string, ReadonlyMap<number, readonly TestEntry[]>>();
  readonly #peerBits = new Map<Peer, Set<number>>();
  readonly #judging = new Map<string, readonly Policy[]>();

  /** Throws UnprovableRule when a rule asks something of addresses that cannot be taken apart. */
  constructor(view: ClusterView, nodeName: string, rules: NodeRules, family: Family, options: EvaluateOptions) {
    this.#view = view;
    this.#nodeName = nodeName;
    this.family = family;
    const cuts = new AddressCuts(family);
    addPolicyCuts(view, nodeName, family, cuts);
    for (const block of LINK_SCOPE_BLOCKS) addBlock(block, cuts);
    const podCidrs = options.unknownLocalPods === "drop" ? podCidrsOf(view, nodeName, family) : [];
    for (const block of podCidrs) addBlock(block, cuts);
    this.questions = new RuleQuestions(rules, family);
    this.questions.addCuts(cuts);
    this.pairs = new Map(this.questions.pairs().map((pair) => [pairKey(pair.source, pair.destination), pair]));
    this.atoms = cuts.atoms();
    const inBlocks = podCidrs.map(cidrRange).flatMap(({ first, last }) => atomsIn(this.atoms, first, last));
    this.#closed = new Set(
      inBlocks.filter(({ address }) => isClosedBy(view, nodeName, address)).map(({ index }) => index),
    );
    for (const test of this.questions.tests()) this.#entries.set(test.id, entriesByAtom(test, this.atoms));
  }

  /** The elements that cover the atom. */
  entries(test: AddressTest, atom: Atom): readonly TestEntry[] {
    return this.#entries.get(test.id)?.get(atom.index) ?? [];
  }

  /** Equal for atoms that the tests cannot tell apart. */
  answers(tests: readonly AddressTest[], atom: Atom): string {
    return tests
      .map((test) =>
        this.entries(test, atom)
          .map((entry) => entry.answer)
          .sort()
          .join(","),
      )
      .join("|");
  }

  owner(atom: Atom): SelectablePod | undefined {
    return this.#view.ownerOf(atom.address);
  }

  /** The pod of this node that owns the address. */
  localOwner(atom: Atom): SelectablePod | undefined {
    const owner = this.owner(atom);
    return owner?.pod.nodeName === this.#nodeName ? owner : undefined;
  }

  /** Whether this node closes the address because no known pod has it. */
  isClosed(atom: Atom): boolean {
    return this.#closed.has(atom.index);
  }

  /** The policies that have a say in what the pod sends or receives, in the order in which they are asked. */
  judging(direction: Direction, pod: SelectablePod): readonly Policy[] {
    const key = `${direction} ${pod.key}`;
    let policies = this.#judging.get(key);
    if (policies === undefined) {
      policies = judgingPolicies(this.#view, direction, pod);
      this.#judging.set(key, policies);
    }
    return policies;
  }

  isRestricted(pod: SelectablePod): boolean {
    return DIRECTIONS.some((direction) => this.judging(direction, pod).some((policy) => canDeny(policy, direction)));
  }

  /** Whether the evaluator's peer matches the atom; asked once per peer for all atoms. */
  peerMatches(peer: Peer, atom: Atom): boolean {
    let matching = this.#peerBits.get(peer);
    if (matching === undefined) {
      matching = new Set(
        this.atoms.filter((each) => peerMatches(this.#view, peer, each.address)).map((each) => each.index),
      );
      this.#peerBits.set(peer, matching);
    }
    return matching.has(atom.index);
  }

  /** The atoms of known addresses of this node that no pod owns; when none is known, an address that nothing names. */
  ownNodeAtoms(): Atom[] {
    const known = this.#view
      .nodeAddresses(this.#nodeName)
      .filter((address) => address.includes(":") === (this.family === 6) && this.#view.ownerOf(address) === undefined)
      .map((address) => atomOf(this.atoms, addressValue(address)));
    if (known.length > 0) return known;
    const anonymous = this.atoms.find(
      (atom) => atom.first < atom.last && this.owner(atom) === undefined && !this.isClosed(atom),
    );
    return anonymous === undefined ? [] : [anonymous];
  }
}

export function pairKey(source: Address, destination: Address): string {
  return `${source} ${destination}`;
}

/** Atom index -> the entries that cover the atom. Cost: entries times the atoms they cover. */
function entriesByAtom(test: AddressTest, atoms: readonly Atom[]): Map<number, TestEntry[]> {
  const covering = new Map<number, TestEntry[]>();
  for (const entry of test.entries) {
    for (const atom of atomsIn(atoms, entry.range.first, entry.range.last)) {
      const list = covering.get(atom.index);
      if (list === undefined) covering.set(atom.index, [entry]);
      else list.push(entry);
    }
  }
  return covering;
}

function addPolicyCuts(view: ClusterView, nodeName: string, family: Family, cuts: AddressCuts): void {
  const addresses = [...view.nodeAddresses(nodeName)];
  for (const node of view.nodes()) addresses.push(...node.addresses);
  for (const pod of view.selectablePods()) addresses.push(...pod.addresses);
  for (const address of addresses) if (address.includes(":") === (family === 6)) cuts.addAddress(address);
  for (const policy of view.policies()) {
    for (const peer of [...peersOf(policy, "ingress"), ...peersOf(policy, "egress")]) {
      for (const { cidr, except } of addressBlocksOf(peer))
        for (const block of [cidr, ...except]) addBlock(block, cuts);
    }
  }
}

function podCidrsOf(view: ClusterView, nodeName: string, family: Family): CidrBlock[] {
  const [node] = [...view.nodes()].filter(({ name }) => name === nodeName);
  return (node?.podCidrs ?? []).filter((block) => block.family === family);
}

function addBlock(block: CidrBlock, cuts: AddressCuts): void {
  if (block.family !== cuts.family) return;
  const { first, last } = cidrRange(block);
  cuts.addRange(first, last);
}

/** Every peer of a policy's rules in one direction. */
export function peersOf(policy: Policy, direction: Direction): Peer[] {
  return policy.rules[direction].flatMap((rule: Rule) => (rule.peers === ANY ? [] : rule.peers));
}

/** Every port match of a policy's rules in one direction. */
export function portsOf(policy: Policy, direction: Direction): PortMatch[] {
  return policy.rules[direction].flatMap((rule: Rule) => (rule.ports === ANY ? [] : rule.ports));
}

/** The numbers that the port names of these matches have on a pod, as text. */
export function namedMeaning(matches: readonly PortMatch[], pod: SelectablePod | undefined): string {
  if (pod === undefined) return "";
  return matches
    .flatMap((match) => (match.kind === "named" ? [`${match.name}/${match.protocol}=${meaningOf(match, pod)}`] : []))
    .sort()
    .join(",");
}

function meaningOf(match: PortMatch & { kind: "named" }, pod: SelectablePod): string {
  return resolveNamedPort(pod, match)
    .map(({ protocol, port }) => `${protocol} ${port}`)
    .join("+");
}
