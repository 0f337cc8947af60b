// The node program: what one node has to enforce, said without any backend's words. Data only.
//
//   packet of a local pod --dispatch by address--> class: its sections, tier by tier, until one decides
//
// Everything is content-addressed: equal names mean equal content, on every node and after every restart, so two
// programs differ in whole classes, in set elements and in dispatch entries, never inside a class.

import type { PortProtocol } from "../model/cluster.ts";
import type { LabelSelector } from "../model/labels.ts";
import type { Direction, PodQuery, RuleAction, Tier } from "../model/policy.ts";
import type { Address, Family } from "../net/address.ts";
import type { CidrBlock } from "../net/cidr.ts";

export interface ProgramOptions {
  /** `enforce`: NetworkPolicy's egress rules also judge traffic from a pod to its own node. */
  readonly podToOwnNode: "allow" | "enforce";
  /** `ipvs`: translated packets of other nodes and pods leave through the output hook; they are judged there. */
  readonly serviceProxy: "netfilter" | "ipvs";
  /** `drop`: forwarded traffic of addresses in this node's pod CIDRs is dropped until a pod is known to have them. */
  readonly unknownLocalPods: "allow" | "drop";
}

export const DEFAULT_PROGRAM_OPTIONS: ProgramOptions = {
  podToOwnNode: "allow",
  serviceProxy: "netfilter",
  unknownLocalPods: "allow",
};

export type ClassId = string & { readonly __classId: unique symbol };
export type SetId = string & { readonly __setId: unique symbol };

export interface NodeProgram {
  readonly options: ProgramOptions;
  readonly classes: ReadonlyMap<ClassId, PolicyClass>;
  readonly sets: ReadonlyMap<SetId, ProgramSet>;
  /** Addresses of isolated local pods. */
  readonly dispatch: ReadonlyMap<Address, Dispatch>;
  /** There exactly with `unknownLocalPods: "drop"`. */
  readonly closed: ClosedAddresses | undefined;
}

/** What is closed in both directions because nobody knows yet which pod it is: the blocks without the known addresses. */
export interface ClosedAddresses {
  /** This node's pod CIDRs, as few disjoint blocks, IPv4 first, in address order. Empty: nothing is closed. */
  readonly blocks: readonly CidrBlock[];
  /** The addresses in the blocks that a pod of any node owns, isolated or not. */
  readonly known: ReadonlySet<Address>;
}

/** Which class judges an address; egress or ingress is there. */
export interface Dispatch {
  readonly egress: ClassId | undefined;
  readonly ingress: ClassId | undefined;
  /** What the pod sends to this node itself; also an egress class. undefined: everything may pass there. */
  readonly toOwnNode: ClassId | undefined;
}

/** What local pods with the same judging policies (and the same meaning of their port names) share, per direction and family. */
export interface PolicyClass {
  readonly id: ClassId;
  readonly direction: Direction;
  readonly family: Family;
  /** The judging policies (`policyReference`), in the order in which they are asked. */
  readonly policies: readonly string[];
  /** In the order of the tiers; what the last of them leaves undecided is allowed. */
  readonly sections: readonly Section[];
}

/** What one tier says in a class. */
export interface Section {
  readonly tier: Tier;
  /**
   * In order: the first run that matches decides. The namespace tier has one, of what is allowed, and denies everything else; the
   * other tiers leave it to the next section.
   */
  readonly runs: readonly RuleRun[];
}

/** Every set that the run looks up; some perhaps twice. */
export function setsOfRun({ anyPort, ports, namedDestinations }: RuleRun): readonly SetId[] {
  const groups = anyPort === undefined ? ports : [anyPort, ...ports];
  const named = namedDestinations === undefined ? [] : [namedDestinations.set];
  return [...groups.flatMap(({ peers }) => peers.sets), ...named];
}

/** Neighbouring rules of one action, united: the order among them changes nothing. */
export interface RuleRun {
  readonly action: RuleAction;
  /** Every peer on every port. Then the rest is empty. */
  readonly matchesEverything: boolean;
  /** Peers matched on every port of every protocol. */
  readonly anyPort: PeerGroup | undefined;
  readonly ports: readonly PortGroup[];
  /** The groups' ports do not overlap: the first that matches decides, so one look-up by port finds it. */
  readonly disjoint: boolean;
  /** Egress only: (destination, protocol, port) triples that named ports resolve to. */
  readonly namedDestinations: NamedDestinations | undefined;
  /** The policy rules that it comes from, `policyReference[rule]`. */
  readonly origins: readonly string[];
}

export interface PeerGroup {
  readonly peers: AddressMatch;
  /** The policy rules that it comes from, `policyReference[rule]`. */
  readonly origins: readonly string[];
}

export interface PortGroup extends PeerGroup {
  readonly ports: readonly PortRange[];
}

export interface NamedDestinations {
  readonly set: SetId;
  readonly origins: readonly string[];
}

/** Inclusive; a whole protocol is 0..65535. */
export interface PortRange {
  readonly protocol: PortProtocol;
  readonly first: number;
  readonly last: number;
}

/** Addresses of one family: any, or the union of sets and CIDR blocks. */
export interface AddressMatch {
  readonly any: boolean;
  readonly sets: readonly SetId[];
  /** Disjoint, in address order, excepts subtracted. */
  readonly blocks: readonly CidrBlock[];
}

/** A set of addresses or of destination ports. Its definition is fixed by its id; its elements follow the cluster. */
export interface ProgramSet {
  readonly id: SetId;
  readonly family: Family;
  readonly definition: SetDefinition;
  readonly elements: SetElements;
}

export type SetDefinition =
  /** Addresses of the pods that any of the queries selects, and of the nodes that any of the selectors does. Elements are addresses. */
  | { readonly kind: "addresses"; readonly queries: readonly PodQuery[]; readonly nodes: readonly LabelSelector[] }
  /** What port names mean on the pods that a term selects. Elements are `formatDestinationPort` texts. */
  | { readonly kind: "destination-ports"; readonly terms: readonly NamedPortTerm[] };

export interface NamedPortTerm {
  readonly query: PodQuery;
  /** Only pods with an address in these; undefined: all that the query selects. */
  readonly blocks: readonly CidrBlock[] | undefined;
  readonly name: string;
  readonly protocol: PortProtocol;
}

/** A read-only view of elements; iteration order is not defined. */
export interface SetElements extends Iterable<string> {
  readonly size: number;
  has(element: string): boolean;
}

export interface DestinationPort {
  readonly address: Address;
  readonly protocol: PortProtocol;
  readonly port: number;
}

export function formatDestinationPort(destination: DestinationPort): string {
  return `${destination.address} ${destination.protocol} ${destination.port}`;
}

export function parseDestinationPort(element: string): DestinationPort {
  const [address, protocol, port] = element.split(" ");
  return { address: address as Address, protocol: protocol as PortProtocol, port: Number(port) };
}

/** The difference between two programs of one node: whole classes and sets, elements of sets that stay, dispatch entries. */
export interface ProgramDelta {
  readonly addedClasses: readonly PolicyClass[];
  readonly removedClasses: readonly PolicyClass[];
  /** With their elements as they are now. */
  readonly addedSets: readonly ProgramSet[];
  readonly removedSets: readonly ProgramSet[];
  readonly elements: readonly ElementsDelta[];
  readonly dispatch: readonly DispatchDelta[];
  /** undefined: as before; always so with `unknownLocalPods: "allow"`. */
  readonly closed: ClosedDelta | undefined;
}

export interface ElementsDelta {
  readonly set: ProgramSet;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** What the rules that look the set up do now with what they find. */
  readonly actions: ReadonlySet<RuleAction>;
}

export interface DispatchDelta {
  readonly address: Address;
  readonly before: Dispatch | undefined;
  readonly after: Dispatch | undefined;
}

export interface ClosedDelta {
  /** All blocks as they are now; undefined: as before. */
  readonly blocks: readonly CidrBlock[] | undefined;
  /** Addresses that became known, or came into a block. */
  readonly known: readonly Address[];
  /** Addresses that are not known any more, or in no block any more. */
  readonly unknown: readonly Address[];
}

export function isEmptyDelta(delta: ProgramDelta): boolean {
  return (
    delta.closed === undefined &&
    delta.addedClasses.length +
      delta.removedClasses.length +
      delta.addedSets.length +
      delta.removedSets.length +
      delta.elements.length +
      delta.dispatch.length ===
      0
  );
}
