// Cluster-wide policies as API objects that tests fill in, and what the decoders make of them.

import {
  decodeAdminNetworkPolicy,
  decodeBaselineAdminNetworkPolicy,
} from "../../src/dialects/admin-network-policy-v1alpha1.ts";
import { decodeClusterNetworkPolicy } from "../../src/dialects/cluster-network-policy-v1alpha2.ts";
import type { DecodedPolicy } from "../../src/dialects/decoded-policy.ts";
import { type ObjectSource, textlessSource } from "../../src/dialects/object-source.ts";
import type { OrderedPolicy } from "../../src/model/policy.ts";

export type Fields = Readonly<Record<string, unknown>>;
type Decoder = (value: unknown, source: ObjectSource) => DecodedPolicy<OrderedPolicy>;

export interface TierKind {
  readonly kind: string;
  readonly decode: Decoder;
  readonly allow: string;
  readonly ports: string;
  /** A whole spec without rules. */
  readonly spec: Fields;
  /** An entry of `ports`. */
  readonly port: Fields;
  readonly most: number;
}

export const CLUSTER: TierKind = {
  kind: "ClusterNetworkPolicy",
  decode: decodeClusterNetworkPolicy,
  allow: "Accept",
  ports: "protocols",
  spec: { tier: "Admin", priority: 10, subject: { namespaces: {} } },
  port: { tcp: { destinationPort: { number: 80 } } },
  most: 25,
};

export const ADMIN: TierKind = {
  kind: "AdminNetworkPolicy",
  decode: decodeAdminNetworkPolicy,
  allow: "Allow",
  ports: "ports",
  spec: { priority: 10, subject: { namespaces: {} } },
  port: { portNumber: { protocol: "TCP", port: 80 } },
  most: 100,
};

export const BASELINE: TierKind = {
  ...ADMIN,
  kind: "BaselineAdminNetworkPolicy",
  decode: decodeBaselineAdminNetworkPolicy,
  spec: { subject: { namespaces: {} } },
};

export const TIER_KINDS = [CLUSTER, ADMIN, BASELINE];

/** `fields` beside or in place of those of a sound object. */
export function decodeTier(
  { kind, decode }: TierKind,
  spec: unknown,
  fields: Fields = {},
): DecodedPolicy<OrderedPolicy> {
  const apiVersion = `policy.networking.k8s.io/${kind === CLUSTER.kind ? "v1alpha2" : "v1alpha1"}`;
  const object = { apiVersion, kind, metadata: { name: "default" }, spec, ...fields };
  return decode(object, textlessSource("test"));
}

/** The policy of a spec with these fields beside or in place of those of a sound one. */
export function tierPolicy(kind: TierKind, spec: Fields, fields: Fields = {}): OrderedPolicy {
  const { policy } = decodeTier(kind, { ...kind.spec, ...spec }, fields);
  if (policy === undefined) throw new Error("no policy");
  return policy;
}

/** `error code field: message (hint)` of each finding, without the severity for errors. */
export function findingsOf({ diagnostics }: DecodedPolicy): string[] {
  return diagnostics.map(({ severity, code, field, message, hint }) => {
    const level = severity === "error" ? "" : `${severity} `;
    return `${level}${code} ${field}: ${message}${hint === undefined ? "" : ` (${hint})`}`;
  });
}

/** Of a sound ClusterNetworkPolicy with this rule. */
export function egressFindings(rule: unknown): string[] {
  return findingsOf(decodeTier(CLUSTER, { ...CLUSTER.spec, egress: [rule] }));
}

export function many<T>(count: number, of: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => of(index));
}
