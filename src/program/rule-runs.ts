// Rules of one action whose order means nothing -> one run: peers of any port, port groups, named destinations.
// Owns how peers become sets of addresses; which rules make a run is the class's business.

import type { PortProtocol } from "../model/cluster.ts";
import type { LabelSelector } from "../model/labels.ts";
import {
  ANY,
  type Direction,
  type PodQuery,
  type Policy,
  type PortMatch,
  policyReference,
  type Rule,
  type RuleAction,
} from "../model/policy.ts";
import type { Family } from "../net/address.ts";
import { type AddressUnion, isEmptyUnion, mergeUnions, unionBlocks, unionOfRule } from "./address-union.ts";
import { ALL_PODS } from "./pod-query.ts";
import { groupPorts, type PortEntry } from "./port-groups.ts";
import type { AddressMatch, NamedPortTerm, PeerGroup, RuleRun, SetDefinition, SetId } from "./program.ts";
import { setId, termKey } from "./set-names.ts";

export interface RuleOfPolicy {
  readonly policy: Policy;
  readonly rule: Rule;
}

/** A port name with the protocol that it must have. */
export type NamedPort = Pick<NamedPortTerm, "name" | "protocol">;

/** A port name of an ingress rule -> the numbers it has on the subject. */
export type PortResolver = (port: NamedPort) => readonly number[];

export interface RunContext {
  readonly direction: Direction;
  readonly family: Family;
  readonly resolve: PortResolver;
  /** Gets every set that the run refers to. */
  readonly sets: Map<SetId, SetDefinition>;
}

const PROTOCOLS: readonly PortProtocol[] = ["TCP", "UDP", "SCTP"];

/** The names behind a port match, one for each protocol that it accepts. */
export function namedPorts({ name, protocol }: PortMatch & { kind: "named" }): readonly NamedPort[] {
  return (protocol === ANY ? PROTOCOLS : [protocol]).map((each) => ({ name, protocol: each }));
}

export function compileRun(action: RuleAction, rules: readonly RuleOfPolicy[], context: RunContext): RuleRun {
  const { family } = context;
  const collected = collect(rules, context);
  const anyPort = mergeUnions(family, collected.anyPort);
  const origins = collected.origins;
  if (anyPort.any) return { ...NOTHING, action, matchesEverything: true, origins: anyPort.origins };
  const { groups, disjoint } = groupPorts(family, collected.entries);
  return {
    action,
    matchesEverything: false,
    anyPort: isEmptyUnion(anyPort) ? undefined : peerGroup(anyPort, context),
    ports: groups.map(({ ports, union }) => ({ ports, ...peerGroup(union, context) })),
    disjoint,
    namedDestinations: namedDestinations(collected.named, context),
    origins,
  };
}

const NOTHING = { anyPort: undefined, ports: [], disjoint: false, namedDestinations: undefined };

/** Matches nothing: its rules name nobody of this family, or nothing that can be enforced. */
export function isEmptyRun(run: RuleRun): boolean {
  const groups = run.ports.length + Number(run.anyPort !== undefined) + Number(run.namedDestinations !== undefined);
  return !run.matchesEverything && groups === 0;
}

interface NamedEntry {
  readonly port: NamedPort;
  readonly union: AddressUnion;
}

interface Collected {
  readonly anyPort: readonly AddressUnion[];
  readonly entries: readonly PortEntry[];
  readonly named: readonly NamedEntry[];
  readonly origins: readonly string[];
}

function collect(rules: readonly RuleOfPolicy[], { direction, family, resolve }: RunContext): Collected {
  const anyPort: AddressUnion[] = [];
  const entries: PortEntry[] = [];
  const named: NamedEntry[] = [];
  const origins: string[] = [];
  for (const { policy, rule } of rules) {
    const origin = `${policyReference(policy)}[${rule.index}]`;
    const union = unionOfRule(rule, family, origin);
    if (isEmptyUnion(union)) continue;
    origins.push(origin);
    if (rule.ports === ANY) anyPort.push(union);
    else for (const match of rule.ports) addPorts(match, union);
  }
  return { anyPort, entries, named, origins };

  function addPorts(match: PortMatch, union: AddressUnion): void {
    if (match.kind === "range") {
      const { protocol, first, last } = match;
      entries.push({ range: { protocol, first, last }, union });
      return;
    }
    for (const port of namedPorts(match)) {
      if (direction === "egress") named.push({ port, union });
      else
        for (const number of resolve(port))
          entries.push({ range: { protocol: port.protocol, first: number, last: number }, union });
    }
  }
}

/** From so many queries on, a group gets one set with the union; below, one set a query, shared with other groups. */
const MATERIALISE_FROM = 3;

function peerGroup(union: AddressUnion, { family, sets }: RunContext): PeerGroup {
  const queries = sortedValues(union.queries);
  const nodes = sortedValues(union.nodes);
  const whole = { kind: "addresses", queries, nodes } as const;
  const parts: SetDefinition[] =
    queries.length + nodes.length >= MATERIALISE_FROM ? [whole] : [...queries.map(setOfPods), ...nodes.map(setOfNodes)];
  const peers: AddressMatch = {
    any: union.any,
    sets: parts.map((definition) => addSet(family, definition, sets)),
    blocks: unionBlocks(family, union),
  };
  return { peers, origins: union.origins };
}

function setOfPods(query: PodQuery): SetDefinition {
  return { kind: "addresses", queries: [query], nodes: [] };
}

function setOfNodes(selector: LabelSelector): SetDefinition {
  return { kind: "addresses", queries: [], nodes: [selector] };
}

function namedDestinations(named: readonly NamedEntry[], { family, sets }: RunContext): RuleRun["namedDestinations"] {
  if (named.length === 0) return undefined;
  const terms = new Map<string, NamedPortTerm>();
  for (const { port, union } of named) {
    const add = (term: NamedPortTerm) => terms.set(termKey(term), term);
    if (union.any) add({ query: ALL_PODS, blocks: undefined, ...port });
    for (const query of union.queries.values()) add({ query, blocks: undefined, ...port });
    const blocks = unionBlocks(family, union);
    if (blocks.length > 0) add({ query: ALL_PODS, blocks, ...port });
  }
  if (terms.size === 0) return undefined;
  const origins = [...new Set(named.flatMap(({ union }) => union.origins))].sort();
  return { set: addSet(family, { kind: "destination-ports", terms: sortedValues(terms) }, sets), origins };
}

function addSet(family: Family, definition: SetDefinition, sets: Map<SetId, SetDefinition>): SetId {
  const id = setId(family, definition);
  sets.set(id, definition);
  return id;
}

function sortedValues<T>(map: ReadonlyMap<string, T>): T[] {
  return [...map.keys()].sort().map((key) => map.get(key) as T);
}
