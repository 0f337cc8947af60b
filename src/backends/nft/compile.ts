// A whole node program -> the nft table. The incremental way from one program to the next is `tracker.ts`.

import { type Address, addressFamily, FAMILIES, type Family } from "../../net/address.ts";
import { formatNodeSelector, formatQuery } from "../../program/pod-query.ts";
import {
  type Dispatch,
  type NodeProgram,
  type ProgramOptions,
  type ProgramSet,
  parseDestinationPort,
} from "../../program/program.ts";
import { listComment } from "../comment.ts";
import { baseChains, type JudgedPods } from "./base-chains.ts";
import { jump } from "./build.ts";
import { compileClassChains } from "./compile-class.ts";
import {
  dispatchMap,
  dropCounter,
  isolatedSet,
  knownSet,
  MIDSTREAM_COUNTER,
  ownNodeMap,
  selfSet,
  UNKNOWN_COUNTER,
} from "./names.ts";
import {
  type Chain,
  type Field,
  type NamedSet,
  type Ruleset,
  type SetContents,
  TABLE,
  type Verdict,
  type VerdictMap,
} from "./ruleset.ts";

const COUNTERS: ReadonlySet<string> = new Set([dropCounter("egress"), dropCounter("ingress"), MIDSTREAM_COUNTER]);

function countersOf({ unknownLocalPods }: ProgramOptions): ReadonlySet<string> {
  return unknownLocalPods === "drop" ? new Set([...COUNTERS, UNKNOWN_COUNTER]) : COUNTERS;
}

/** The table that enforces the program. Deterministic; cost linear in the program. */
export function compileRuleset(program: NodeProgram): Ruleset {
  const sets = new Map<string, NamedSet | VerdictMap>();
  const chains = new Map<string, Chain>();
  for (const set of dispatchSets(program.dispatch)) sets.set(set.name, set);
  if (program.closed !== undefined) for (const set of knownSets(program.closed.known)) sets.set(set.name, set);
  for (const set of program.sets.values()) sets.set(set.id, compileSet(set));
  for (const chain of baseChains(program.options, program.closed, judgedOf(program))) chains.set(chain.name, chain);
  for (const policyClass of program.classes.values()) {
    const compiled = compileClassChains(policyClass, program.options);
    for (const chain of compiled.chains) chains.set(chain.name, chain);
    for (const set of compiled.sets) sets.set(set.name, set);
  }
  return { table: TABLE, counters: countersOf(program.options), sets, chains };
}

function judgedOf({ dispatch }: NodeProgram): JudgedPods {
  return {
    any: dispatch.size > 0,
    towardsNode: [...dispatch.values()].some(({ toOwnNode }) => toOwnNode !== undefined),
  };
}

/** Declared size of a set that has to hold so many elements: room to double, at least 64; a declared size makes look-ups faster. */
export function capacityFor(elements: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(64, 2 * elements)));
}

export function compileSet(set: ProgramSet): NamedSet {
  const { id, family, definition, elements } = set;
  const address = (side: "saddr" | "daddr"): Field => `${family === 4 ? "ip" : "ip6"} ${side}`;
  const common = { kind: "set" as const, name: id, interval: false, size: capacityFor(elements.size) };
  if (definition.kind === "addresses") {
    return {
      ...common,
      key: [address("saddr")],
      comment: listComment([...definition.queries.map(formatQuery), ...definition.nodes.map(formatNodeSelector)]),
      elements,
    };
  }
  const terms = definition.terms.map((term) => {
    const where =
      term.blocks === undefined ? formatQuery(term.query) : term.blocks.map((block) => block.text).join(" ");
    return `${term.name}/${term.protocol} of ${where}`;
  });
  const key: Field[] = [address("daddr"), "meta l4proto", "th dport"];
  return { ...common, key, comment: listComment(terms), elements: mappedContents(elements, destinationPortElement) };
}

/** An element of a program set as nft writes it. */
export function setElement(set: ProgramSet, element: string): string {
  return set.definition.kind === "addresses" ? element : destinationPortElement(element);
}

function destinationPortElement(element: string): string {
  const { address, protocol, port } = parseDestinationPort(element);
  return `${address} . ${protocol.toLowerCase()} . ${port}`;
}

/** A view of another set with its elements rewritten; `has` is rare and walks. */
function mappedContents(elements: SetContents, rewrite: (element: string) => string): SetContents {
  return {
    get size() {
      return elements.size;
    },
    has(wanted) {
      for (const element of elements) if (rewrite(element) === wanted) return true;
      return false;
    },
    *[Symbol.iterator]() {
      for (const element of elements) yield rewrite(element);
    },
  };
}

/** What one dispatch entry puts into which set or map. */
export interface DispatchElements {
  readonly verdicts: readonly { readonly map: string; readonly address: Address; readonly verdict: Verdict }[];
  readonly members: readonly { readonly set: string; readonly element: string }[];
}

export function dispatchElements(address: Address, dispatch: Dispatch | undefined): DispatchElements {
  if (dispatch === undefined) return { verdicts: [], members: [] };
  const family = addressFamily(address);
  const verdicts = [
    { map: dispatchMap("egress", family), id: dispatch.egress },
    { map: dispatchMap("ingress", family), id: dispatch.ingress },
    { map: ownNodeMap(family), id: dispatch.toOwnNode },
  ].flatMap(({ map, id }) => (id === undefined ? [] : [{ map, address, verdict: jump(id) }]));
  const members = [
    { set: isolatedSet(family), element: address },
    { set: selfSet(family), element: `${address} . ${address}` },
  ];
  return { verdicts, members };
}

function dispatchSets(dispatch: ReadonlyMap<Address, Dispatch>): (NamedSet | VerdictMap)[] {
  const verdicts = new Map<string, Map<string, Verdict>>();
  const members = new Map<string, Set<string>>();
  for (const [address, entry] of dispatch) {
    const elements = dispatchElements(address, entry);
    for (const { map, verdict } of elements.verdicts) getOrMake(verdicts, map, () => new Map()).set(address, verdict);
    for (const { set, element } of elements.members) getOrMake(members, set, () => new Set()).add(element);
  }
  return FAMILIES.flatMap((family) => dispatchSetsOf(family, verdicts, members));
}

/** Room for the pods of one node from the start: growing these touches the base chains. */
const MIN_DISPATCH_CAPACITY = 1024;

function localCapacityFor(elements: number): number {
  return Math.max(MIN_DISPATCH_CAPACITY, capacityFor(elements));
}

function knownSets(known: ReadonlySet<Address>): NamedSet[] {
  return FAMILIES.map((family) => {
    const elements = new Set([...known].filter((address) => addressFamily(address) === family));
    return {
      kind: "set",
      name: knownSet(family),
      key: [family === 4 ? "ip saddr" : "ip6 saddr"],
      interval: false,
      size: localCapacityFor(elements.size),
      comment: "pods that are known, with addresses in this node's pod CIDRs",
      elements,
    };
  });
}

function dispatchSetsOf(
  family: Family,
  verdicts: ReadonlyMap<string, ReadonlyMap<string, Verdict>>,
  members: ReadonlyMap<string, ReadonlySet<string>>,
): (NamedSet | VerdictMap)[] {
  const source: Field = family === 4 ? "ip saddr" : "ip6 saddr";
  const destination: Field = family === 4 ? "ip daddr" : "ip6 daddr";
  const common = (size: number) => ({ interval: false, size: localCapacityFor(size) });
  const map = (name: string, key: Field, comment: string): VerdictMap => {
    const elements = verdicts.get(name) ?? new Map<string, Verdict>();
    return {
      kind: "map",
      name,
      key: [key],
      ...common(elements.size),
      comment,
      elements,
    };
  };
  const set = (name: string, key: readonly Field[], comment: string): NamedSet => {
    const elements = members.get(name) ?? new Set<string>();
    return { kind: "set", name, key, ...common(elements.size), comment, elements };
  };
  return [
    map(dispatchMap("egress", family), source, "local pods whose sending is restricted"),
    map(dispatchMap("ingress", family), destination, "local pods whose receiving is restricted"),
    map(ownNodeMap(family), source, "local pods whose sending to this node is restricted"),
    set(isolatedSet(family), [source], "local pods that any policy restricts"),
    set(selfSet(family), [source, destination], "each of them and itself"),
  ];
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const made = make();
  map.set(key, made);
  return made;
}
