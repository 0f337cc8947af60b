// The rule graph of one node as plain data: policies, classes, sets, pods, and who uses what. Canonical order.

import { comparePolicies, policyReference, type RuleAction, TIER_NAMES, TIERS } from "../../model/policy.ts";
import { addressFamily, addressValue } from "../../net/address.ts";
import { cidrContains } from "../../net/cidr.ts";
import { formatNodeSelector, formatQuery } from "../../program/pod-query.ts";
import {
  type ClosedAddresses,
  type NodeProgram,
  type PolicyClass,
  type ProgramSet,
  type SetDefinition,
  setsOfRun,
} from "../../program/program.ts";
import type { ClusterView } from "../../state/view.ts";
import { ownPriority } from "../explain/rule-words.ts";

export interface GraphModel {
  readonly node: string;
  /** In the order in which their tiers are asked. */
  readonly policies: readonly GraphPolicy[];
  readonly classes: readonly GraphClass[];
  readonly sets: readonly GraphSet[];
  /** Each selection (namespace and pod selector, or node selector) that some set is made of. */
  readonly selections: readonly { readonly query: string; readonly sets: readonly string[] }[];
  readonly pods: readonly {
    readonly pod: string;
    readonly address: string;
    readonly egress: string | undefined;
    readonly ingress: string | undefined;
    /** The class that judges what it sends to this node itself. */
    readonly toOwnNode: string | undefined;
  }[];
  /** With `--unknown-local-pods=drop`: the pod CIDRs that are closed, but for so many known addresses each. */
  readonly closed?: readonly { readonly podCidr: string; readonly knownAddresses: number }[];
}

export interface GraphPolicy {
  readonly name: string;
  /** `Admin`, `NetworkPolicy`, `Baseline`. */
  readonly tier: string;
  /** undefined where it has none of its own. */
  readonly priority: number | undefined;
  readonly file: string;
  readonly line: number | undefined;
  readonly classes: readonly string[];
}

export interface GraphClass {
  readonly id: string;
  readonly direction: "ingress" | "egress";
  readonly family: "IPv4" | "IPv6";
  /** In the order in which they are asked. */
  readonly policies: readonly string[];
  /** What each tier says, in order; neighbouring rules of one action are one run. */
  readonly sections: readonly {
    readonly tier: string;
    readonly runs: readonly { readonly action: RuleAction; readonly rules: readonly string[] }[];
  }[];
  readonly sets: readonly string[];
  /** Addresses of local pods that it judges. */
  readonly addresses: number;
}

export interface GraphSet {
  readonly id: string;
  readonly kind: SetDefinition["kind"];
  readonly definition: readonly string[];
  readonly elements: number;
  readonly classes: readonly string[];
}

export function graphModel(view: ClusterView, node: string, program: NodeProgram): GraphModel {
  const classes = [...program.classes.values()].sort(byId).map((each) => describeClass(each, program));
  const users = (set: string) => classes.filter((each) => each.sets.includes(set)).map((each) => each.id);
  const sets = [...program.sets.values()].sort(byId).map((set) => describeSet(set, users(set.id)));
  const pods = [...program.dispatch].map(([address, { egress, ingress, toOwnNode }]) => ({
    pod: view.ownerOf(address)?.key ?? "",
    address,
    egress,
    ingress,
    toOwnNode,
  }));
  return {
    node,
    policies: activePolicies(view, classes),
    classes,
    sets,
    selections: selectionsOf(program),
    pods: pods.sort((a, b) => (`${a.pod} ${a.address}` < `${b.pod} ${b.address}` ? -1 : 1)),
    ...(program.closed === undefined ? {} : { closed: describeClosed(program.closed) }),
  };
}

function describeClosed({ blocks, known }: ClosedAddresses): NonNullable<GraphModel["closed"]> {
  return blocks.map((block) => {
    const inside = [...known].filter((address) => cidrContains(block, addressFamily(address), addressValue(address)));
    return { podCidr: block.text, knownAddresses: inside.length };
  });
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}

function describeClass(policyClass: PolicyClass, program: NodeProgram): GraphClass {
  const { id, direction, family, policies, sections } = policyClass;
  const sets = new Set<string>(sections.flatMap(({ runs }) => runs.flatMap(setsOfRun)));
  const dispatches = [...program.dispatch.values()];
  const addresses = dispatches.filter((each) => each[direction] === id || each.toOwnNode === id).length;
  return {
    id,
    direction,
    family: `IPv${family}`,
    policies,
    sections: sections.map(({ tier, runs }) => ({
      tier: TIER_NAMES[tier],
      runs: runs.map(({ action, origins }) => ({ action, rules: origins })),
    })),
    sets: [...sets].sort(),
    addresses,
  };
}

function describeSet(set: ProgramSet, classes: readonly string[]): GraphSet {
  return {
    id: set.id,
    kind: set.definition.kind,
    definition: definitionTexts(set.definition),
    elements: set.elements.size,
    classes,
  };
}

function definitionTexts(definition: SetDefinition): string[] {
  if (definition.kind === "addresses") return selectionTexts(definition);
  return definition.terms.map(
    ({ name, protocol, query, blocks }) =>
      `${name}/${protocol} of ${blocks?.map((block) => block.text).join(" ") ?? formatQuery(query)}`,
  );
}

function activePolicies(view: ClusterView, classes: readonly GraphClass[]): GraphPolicy[] {
  const policies = [...view.policies()].sort(
    (a, b) => TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier) || comparePolicies(a, b),
  );
  return policies.map((policy) => {
    const name = policyReference(policy);
    const { file, line } = policy.position;
    return {
      name,
      tier: TIER_NAMES[policy.tier],
      priority: ownPriority(policy),
      file,
      line,
      classes: classes.filter((each) => each.policies.includes(name)).map((each) => each.id),
    };
  });
}

function selectionsOf(program: NodeProgram): GraphModel["selections"] {
  const sets = new Map<string, Set<string>>();
  for (const { id, definition } of program.sets.values()) {
    for (const text of selectionTexts(definition)) sets.set(text, (sets.get(text) ?? new Set()).add(id));
  }
  return [...sets]
    .map(([query, ids]) => ({ query, sets: [...ids].sort() }))
    .sort((a, b) => (a.query < b.query ? -1 : 1));
}

function selectionTexts(definition: SetDefinition): string[] {
  if (definition.kind === "destination-ports") return definition.terms.map(({ query }) => formatQuery(query));
  return [...definition.queries.map(formatQuery), ...definition.nodes.map(formatNodeSelector)];
}
