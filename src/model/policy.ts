// A policy of any dialect, in one shape: tier, subject, and per direction a list of rules.
// Dialects (`src/dialects/`) translate API objects into it; nothing below knows which API a policy came from.

import type { CidrBlock } from "../net/cidr.ts";
import type { PortProtocol } from "./cluster.ts";
import type { SourcePosition } from "./diagnostic.ts";
import type { LabelSelector } from "./labels.ts";

export type Direction = "ingress" | "egress";
export const DIRECTIONS: readonly Direction[] = ["egress", "ingress"];

/**
 * The tiers in the order of evaluation. `namespace` is NetworkPolicy's: its allows are united, isolation denies the rest. `admin` before
 * it and `baseline` after it have ordered rules that allow, deny or pass on to the next tier (network-policy-api, "Tier").
 */
export const TIERS = ["admin", "namespace", "baseline"] as const;
export type Tier = (typeof TIERS)[number];
export type OrderedTier = Exclude<Tier, "namespace">;

/** As the API calls them (network-policy-api, "Tier"), for people. */
export const TIER_NAMES: Readonly<Record<Tier, string>> = {
  admin: "Admin",
  namespace: "NetworkPolicy",
  baseline: "Baseline",
};

/** `Kind/namespace/name` (cluster-scoped: `Kind/name`); unique over all dialects. */
export type PolicyKey = string & { readonly __policyKey: unique symbol };

/** Which pods: those of the matching namespaces whose labels match. */
export interface PodQuery {
  readonly namespaces: NamespaceQuery;
  readonly pods: LabelSelector;
}

export type NamespaceQuery =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "selector"; readonly selector: LabelSelector };

export type Peer =
  | { readonly kind: "pods"; readonly query: PodQuery }
  /** Addresses in `cidr` and in none of `except`. */
  | { readonly kind: "ipBlock"; readonly cidr: CidrBlock; readonly except: readonly CidrBlock[] }
  /** Addresses in any of these blocks. */
  | { readonly kind: "networks"; readonly cidrs: readonly CidrBlock[] }
  /** The addresses in `status.addresses` of the nodes with matching labels. */
  | { readonly kind: "nodes"; readonly selector: LabelSelector }
  /** Not enforced: matches nothing. Only rules that allow have it, so they allow less than they say. */
  | { readonly kind: "domainNames"; readonly names: readonly string[] };

/** Which destination ports. A whole protocol is the range 0..65535. */
export type PortMatch =
  | { readonly kind: "range"; readonly protocol: PortProtocol; readonly first: number; readonly last: number }
  /** Resolved on the destination pod; name and protocol must both match (`any`: the port brings its own protocol). */
  | { readonly kind: "named"; readonly protocol: PortProtocol | typeof ANY; readonly name: string };

export const ANY = "any";

/** What a rule does to the flows that it matches; `pass`: the rest of its tier is skipped, the next tier is asked. */
export type RuleAction = "allow" | "deny" | "pass";

export interface Rule {
  readonly action: RuleAction;
  /** Given by its author to be shown; undefined where the API has no names for rules or none is given. */
  readonly name: string | undefined;
  /** `any`: every source or destination, addresses outside the cluster included. An empty list matches nothing. */
  readonly peers: typeof ANY | readonly Peer[];
  /** `any`: every port of every protocol, ICMP and unknown ones included. An empty list matches nothing. */
  readonly ports: typeof ANY | readonly PortMatch[];
  /** Position in the policy's own list of that direction, from 0. */
  readonly index: number;
  readonly position: SourcePosition;
}

/** A rule that a NetworkPolicy can have. */
export interface AllowRule extends Rule {
  readonly action: "allow";
}

interface PolicyOfAnyTier {
  readonly key: PolicyKey;
  /** The API kind, for people: `NetworkPolicy`. */
  readonly kind: string;
  readonly name: string;
  readonly subject: PodQuery;
  readonly position: SourcePosition;
}

/** Isolates its subjects: what no rule of any of these policies allows is denied. */
export interface NamespacePolicy extends PolicyOfAnyTier {
  readonly tier: "namespace";
  readonly namespace: string;
  /** The directions in which it isolates its subjects (policyTypes). Rules of other directions are not kept. */
  readonly isolates: { readonly [D in Direction]: boolean };
  readonly rules: { readonly [D in Direction]: readonly AllowRule[] };
}

/** Cluster-scoped; its rules are asked in their order, the first that matches decides. Without rules in a direction it has no say there. */
export interface OrderedPolicy extends PolicyOfAnyTier {
  readonly tier: OrderedTier;
  readonly namespace: undefined;
  /** Lower first; equal ones of a tier by name (our choice, the API leaves it open). */
  readonly priority: number;
  readonly rules: { readonly [D in Direction]: readonly Rule[] };
}

export type Policy = NamespacePolicy | OrderedPolicy;

export function policyKey(kind: string, namespace: string | undefined, name: string): PolicyKey {
  return (namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`) as PolicyKey;
}

/** `namespace/name`, or the bare name of a cluster-scoped policy. */
export function policyDisplayName(policy: Pick<Policy, "namespace" | "name">): string {
  return policy.namespace === undefined ? policy.name : `${policy.namespace}/${policy.name}`;
}

/** Unique over all kinds, as short as that allows: `namespace/name` of a NetworkPolicy, `Kind/name` of others. */
export function policyReference(policy: Pick<Policy, "kind" | "namespace" | "name">): string {
  return policy.namespace === undefined ? `${policy.kind}/${policy.name}` : `${policy.namespace}/${policy.name}`;
}

/** `egress[1]`, and the name that its author gave it: `egress[1] "no-internet"`. */
export function rulePath(direction: Direction, { index, name }: Pick<Rule, "index" | "name">): string {
  return `${direction}[${index}]${name === undefined ? "" : ` "${name}"`}`;
}

/** The order in which the policies of a tier are asked: by priority, then by name, then by kind. NetworkPolicies have no order: by key. */
export function comparePolicies(a: Policy, b: Policy): number {
  if (a.tier === "namespace" || b.tier === "namespace") return compareText(a.key, b.key);
  return a.priority - b.priority || compareText(a.name, b.name) || compareText(a.key, b.key);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Addresses in `cidr` and in none of `except`. */
export type AddressBlock = Pick<Extract<Peer, { kind: "ipBlock" }>, "cidr" | "except">;

/** The blocks of a peer that names addresses; none for other peers. */
export function addressBlocksOf(peer: Peer): readonly AddressBlock[] {
  if (peer.kind === "ipBlock") return [peer];
  return peer.kind === "networks" ? peer.cidrs.map((cidr) => ({ cidr, except: [] })) : [];
}

/** All that its rules name, in their order, repetitions included. */
export function ipBlocksOf(policy: Policy): AddressBlock[] {
  const rules = DIRECTIONS.flatMap((direction): readonly Rule[] => policy.rules[direction]);
  return rules.flatMap(({ peers }) => (peers === ANY ? [] : peers.flatMap(addressBlocksOf)));
}
