// Policies -> class: what a class allows, in canonical order, with content-addressed names. Pure; knows no pods,
// only which sets of pods are needed. The rule graph keeps those sets filled.

import { ANY, type Direction, type Policy, type PortMatch, policyDisplayName } from "../model/policy.ts";
import type { Family } from "../net/address.ts";
import { type AddressUnion, isEmptyUnion, mergeUnions, unionBlocks, unionOfRule } from "./address-union.ts";
import { contentHash, nameHint } from "./hash.ts";
import { ALL_PODS, formatQuery, queryKey } from "./pod-query.ts";
import { groupPorts, type PortEntry } from "./port-groups.ts";
import type {
  AddressMatch,
  ClassId,
  NamedPortTerm,
  NamespaceSection,
  PeerGroup,
  PolicyClass,
  SetDefinition,
  SetId,
} from "./program.ts";

export interface CompiledClass {
  readonly policyClass: PolicyClass;
  /** Every set that the class refers to, by id. */
  readonly sets: ReadonlyMap<SetId, SetDefinition>;
}

/** A port name of an ingress rule -> the numbers it has on the subject. */
export type PortResolver = (match: PortMatch & { kind: "named" }) => readonly number[];

/** From so many queries on, a group gets one set with the union; below, one set a query, shared with other groups. */
const MATERIALISE_FROM = 3;

/**
 * The class of pods that exactly these policies isolate. `policies` in order of their keys.
 * `resolve` is asked for ingress only: there the port names are the subject's own.
 */
export function compileClass(
  direction: Direction,
  family: Family,
  policies: readonly Policy[],
  resolve: PortResolver,
): CompiledClass {
  const collected = collect(direction, family, policies, resolve);
  const sets = new Map<SetId, SetDefinition>();
  const section = buildSection(family, collected, sets);
  const names = policies.map(policyDisplayName);
  const identity = JSON.stringify([direction, family, policies.map((policy) => policy.key), section], (_, value) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  const id = `${direction}${family}_${classHint(names)}_${contentHash(identity)}` as ClassId;
  return { policyClass: { id, direction, family, policies: names, section }, sets };
}

function classHint(names: readonly string[]): string {
  const first = nameHint(names[0] ?? "");
  return names.length > 1 ? `${first}_and${names.length - 1}` : first;
}

interface Collected {
  readonly anyPort: readonly AddressUnion[];
  readonly entries: readonly PortEntry[];
  readonly named: readonly { readonly match: PortMatch & { kind: "named" }; readonly union: AddressUnion }[];
}

function collect(direction: Direction, family: Family, policies: readonly Policy[], resolve: PortResolver): Collected {
  const anyPort: AddressUnion[] = [];
  const entries: PortEntry[] = [];
  const named: { match: PortMatch & { kind: "named" }; union: AddressUnion }[] = [];
  for (const policy of policies) {
    for (const rule of policy.rules[direction]) {
      const union = unionOfRule(rule, family, `${policyDisplayName(policy)}[${rule.index}]`);
      if (isEmptyUnion(union)) continue;
      if (rule.ports === ANY) anyPort.push(union);
      else {
        for (const match of rule.ports) {
          if (match.kind === "range")
            entries.push({ range: { protocol: match.protocol, first: match.first, last: match.last }, union });
          else if (direction === "egress") named.push({ match, union });
          else
            for (const port of resolve(match))
              entries.push({ range: { protocol: match.protocol, first: port, last: port }, union });
        }
      }
    }
  }
  return { anyPort, entries, named };
}

function buildSection(family: Family, collected: Collected, sets: Map<SetId, SetDefinition>): NamespaceSection {
  const anyPort = mergeUnions(family, collected.anyPort);
  const nothingElse = { anyPort: undefined, ports: [], disjoint: false, namedDestinations: undefined };
  if (anyPort.any) return { tier: "namespace", allowsEverything: true, ...nothingElse };
  const { groups, disjoint } = groupPorts(family, collected.entries);
  return {
    tier: "namespace",
    allowsEverything: false,
    anyPort: isEmptyUnion(anyPort) ? undefined : peerGroup(family, anyPort, sets),
    ports: groups.map(({ ports, union }) => ({ ports, ...peerGroup(family, union, sets) })),
    disjoint,
    namedDestinations: namedDestinations(family, collected, sets),
  };
}

function peerGroup(family: Family, union: AddressUnion, sets: Map<SetId, SetDefinition>): PeerGroup {
  const queries = [...union.queries.keys()]
    .sort()
    .map((key) => union.queries.get(key) as NonNullable<ReturnType<typeof union.queries.get>>);
  const parts = queries.length >= MATERIALISE_FROM ? [queries] : queries.map((query) => [query]);
  const podSets = parts.map((part) => addSet(family, { kind: "addresses", queries: part }, sets));
  const peers: AddressMatch = { any: union.any, podSets, blocks: unionBlocks(family, union) };
  return { peers, origins: union.origins };
}

function namedDestinations(
  family: Family,
  collected: Collected,
  sets: Map<SetId, SetDefinition>,
): NamespaceSection["namedDestinations"] {
  if (collected.named.length === 0) return undefined;
  const terms = new Map<string, NamedPortTerm>();
  for (const { match, union } of collected.named) {
    const { name, protocol } = match;
    const add = (term: NamedPortTerm) => terms.set(termKey(term), term);
    if (union.any) add({ query: ALL_PODS, blocks: undefined, name, protocol });
    for (const query of union.queries.values()) add({ query, blocks: undefined, name, protocol });
    const blocks = unionBlocks(family, union);
    if (blocks.length > 0) add({ query: ALL_PODS, blocks, name, protocol });
  }
  const sorted = [...terms.keys()].sort().map((key) => terms.get(key) as NamedPortTerm);
  const origins = [...new Set(collected.named.flatMap(({ union }) => union.origins))].sort();
  return { set: addSet(family, { kind: "destination-ports", terms: sorted }, sets), origins };
}

function addSet(family: Family, definition: SetDefinition, sets: Map<SetId, SetDefinition>): SetId {
  const id = setId(family, definition);
  sets.set(id, definition);
  return id;
}

/** The name of the set with this definition. */
export function setId(family: Family, definition: SetDefinition): SetId {
  if (definition.kind === "addresses") {
    const [first] = definition.queries;
    const more = definition.queries.length > 1 ? `_and${definition.queries.length - 1}` : "";
    const hint = nameHint(first === undefined ? "" : formatQuery(first));
    return `pods${family}_${hint}${more}_${contentHash(JSON.stringify(definition.queries.map(queryKey)))}` as SetId;
  }
  const hint = nameHint(definition.terms[0]?.name ?? "");
  return `ports${family}_${hint}_${contentHash(JSON.stringify(definition.terms.map(termKey)))}` as SetId;
}

function termKey(term: NamedPortTerm): string {
  return JSON.stringify([
    queryKey(term.query),
    term.blocks?.map((block) => block.text) ?? null,
    term.name,
    term.protocol,
  ]);
}
