// policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy and BaselineAdminNetworkPolicy -> model policy, with the validation of their
// CRDs (both channels, as of v0.1.7).

import type { OrderedPolicy } from "../model/policy.ts";
import { readAdminPort } from "./admin-ports.ts";
import { NAMESPACES_IS_A_SELECTOR, type PodsGrammar } from "./cluster-pods.ts";
import type { DecodedPolicy } from "./decoded-policy.ts";
import type { ObjectSource } from "./object-source.ts";
import { decodeOrderedPolicy } from "./ordered-policy.ts";
import { EGRESS_ONLY_PEERS, type TierGrammar } from "./tier-grammar.ts";
import { readPriority } from "./tier-priority.ts";

const GONE = "the API had it up to v0.1.1: write a policy for each value of these labels";

const PODS: PodsGrammar = {
  namespacesAreOptional: false,
  formerFields: {
    sameLabels: GONE,
    notSameLabels: GONE,
    namespaceSelector: NAMESPACES_IS_A_SELECTOR,
    namespaces: "did you mean namespaceSelector?",
  },
};

const OTHER_RULE_FIELDS = { protocols: "v1alpha1 calls them ports: - portNumber: {protocol: TCP, port: 80}" };
const INGRESS_PEERS = { pods: PODS, fields: ["namespaces", "pods"], otherFields: EGRESS_ONLY_PEERS } as const;

const ADMIN: TierGrammar = {
  kind: "AdminNetworkPolicy",
  specFields: ["priority", "subject", "ingress", "egress"],
  pods: PODS,
  mostItems: 100,
  actions: { Allow: "allow", Deny: "deny", Pass: "pass" },
  otherActions: { Accept: "write Allow" },
  peers: {
    ingress: INGRESS_PEERS,
    egress: { pods: PODS, fields: ["namespaces", "pods", "networks", "nodes", "domainNames"], otherFields: {} },
  },
  ports: { field: "ports", what: "ports", read: readAdminPort },
  otherRuleFields: OTHER_RULE_FIELDS,
};

const BASELINE: TierGrammar = {
  ...ADMIN,
  kind: "BaselineAdminNetworkPolicy",
  onlyName: "default",
  specFields: ["subject", "ingress", "egress"],
  actions: { Allow: "allow", Deny: "deny" },
  otherActions: { Accept: "write Allow", Pass: "the Baseline tier is the last: there is nothing to pass to" },
  peers: {
    ingress: INGRESS_PEERS,
    egress: {
      pods: PODS,
      fields: ["namespaces", "pods", "networks", "nodes"],
      otherFields: { domainNames: "only AdminNetworkPolicy and ClusterNetworkPolicy have domainNames" },
    },
  },
};

/** After every Baseline ClusterNetworkPolicy, whose last priority is 1000. Our choice: the API does not say how they combine. */
const BASELINE_ADMIN_PRIORITY = 1001;

export function decodeAdminNetworkPolicy(value: unknown, source: ObjectSource): DecodedPolicy<OrderedPolicy> {
  return decodeOrderedPolicy(value, source, ADMIN, (spec) => ({ tier: "admin", priority: readPriority(spec) }));
}

/** It has no priority of its own: it is asked after every Baseline ClusterNetworkPolicy (our choice). */
export function decodeBaselineAdminNetworkPolicy(value: unknown, source: ObjectSource): DecodedPolicy<OrderedPolicy> {
  return decodeOrderedPolicy(value, source, BASELINE, () => ({ tier: "baseline", priority: BASELINE_ADMIN_PRIORITY }));
}
