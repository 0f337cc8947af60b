// A policy of any dialect, in one shape: tier, subject, and per direction a list of rules.
// Dialects (`src/dialects/`) translate API objects into it; nothing below knows which API a policy came from.

import type { CidrBlock } from "../net/cidr.ts";
import type { PortProtocol } from "./cluster.ts";
import type { SourcePosition } from "./diagnostic.ts";
import type { LabelSelector } from "./labels.ts";

export type Direction = "ingress" | "egress";
export const DIRECTIONS: readonly Direction[] = ["egress", "ingress"];

/**
 * Where a policy stands in the order of evaluation. NetworkPolicy is the namespace tier: no order, allows are united,
 * isolation denies the rest. Admin and Baseline tiers (ordered rules, Accept/Deny/Pass) will be added here.
 */
export type Tier = "namespace";

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
  | { readonly kind: "ipBlock"; readonly cidr: CidrBlock; readonly except: readonly CidrBlock[] };

/** Which destination ports. A whole protocol is the range 0..65535. */
export type PortMatch =
  | { readonly kind: "range"; readonly protocol: PortProtocol; readonly first: number; readonly last: number }
  /** Resolved on the destination pod; name and protocol must both match. */
  | { readonly kind: "named"; readonly protocol: PortProtocol; readonly name: string };

export const ANY = "any";

export interface Rule {
  readonly action: "allow";
  /** `any`: every source or destination, addresses outside the cluster included. An empty list matches nothing. */
  readonly peers: typeof ANY | readonly Peer[];
  /** `any`: every port of every protocol, ICMP and unknown ones included. An empty list matches nothing. */
  readonly ports: typeof ANY | readonly PortMatch[];
  /** Position in the policy's own list of that direction, from 0. */
  readonly index: number;
  readonly position: SourcePosition;
}

export interface Policy {
  readonly key: PolicyKey;
  /** The API kind, for people: `NetworkPolicy`. */
  readonly kind: string;
  /** undefined for cluster-scoped policies. */
  readonly namespace: string | undefined;
  readonly name: string;
  readonly tier: Tier;
  readonly subject: PodQuery;
  /** The directions in which it isolates its subjects (policyTypes). Rules of other directions are not kept. */
  readonly isolates: { readonly [D in Direction]: boolean };
  readonly rules: { readonly [D in Direction]: readonly Rule[] };
  readonly position: SourcePosition;
}

export function policyKey(kind: string, namespace: string | undefined, name: string): PolicyKey {
  return (namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`) as PolicyKey;
}

/** `namespace/name`, or the bare name of a cluster-scoped policy. */
export function policyDisplayName(policy: Pick<Policy, "namespace" | "name">): string {
  return policy.namespace === undefined ? policy.name : `${policy.namespace}/${policy.name}`;
}

export type IpBlock = Extract<Peer, { kind: "ipBlock" }>;

/** All that its rules name, in their order, repetitions included. */
export function ipBlocksOf(policy: Policy): IpBlock[] {
  const rules = DIRECTIONS.flatMap((direction) => policy.rules[direction]);
  return rules.flatMap(({ peers }) => (peers === ANY ? [] : peers.filter((peer) => peer.kind === "ipBlock")));
}
