// What the peers' shapes are made of: the policies about one node's pods with their peers as addresses. Types only.

import type { Address } from "../../../src/net/address.ts";

export interface NodePolicies {
  /** Every pod of the node, restricted or not. */
  readonly localPods: readonly Address[];
  /** NetworkPolicies, in their order. Ingress only. */
  readonly networkPolicies: readonly ResolvedPolicy[];
  /** Admin rules in their order, about the same pods; empty: none. */
  readonly adminRules: readonly ResolvedAdminRules[];
}

export interface ResolvedPolicy {
  readonly name: string;
  /** Pods of the node that it selects. */
  readonly pods: readonly Address[];
  readonly rules: readonly ResolvedRule[];
}

export interface ResolvedRule {
  /** Of the pods that it names. */
  readonly addresses: readonly Address[];
  readonly blocks: readonly { readonly cidr: string; readonly excepts: readonly string[] }[];
  readonly ports: readonly PortNumber[];
}

export interface PortNumber {
  readonly protocol: "udp" | "tcp";
  readonly port: number;
}

export interface ResolvedAdminRules {
  readonly pods: readonly Address[];
  readonly rules: readonly (ResolvedRule & { readonly action: "Accept" | "Deny" | "Pass" })[];
}
