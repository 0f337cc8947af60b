// policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy -> model policy, with the validation of its CRD (both channels).

import type { OrderedPolicy, OrderedTier } from "../model/policy.ts";
import { closestWord } from "./closest-word.ts";
import { NAMESPACES_IS_A_SELECTOR, type PodsGrammar } from "./cluster-pods.ts";
import { readProtocolEntry } from "./cluster-protocols.ts";
import type { DecodedPolicy } from "./decoded-policy.ts";
import { describeValue, type Field } from "./field-reader.ts";
import type { ObjectSource } from "./object-source.ts";
import { decodeOrderedPolicy } from "./ordered-policy.ts";
import { EGRESS_ONLY_PEERS, type TierGrammar } from "./tier-grammar.ts";
import { readPriority } from "./tier-priority.ts";

/** The CRD does not require namespaceSelector: an absent one is an empty one, as the API's own types read it. */
const PODS: PodsGrammar = {
  namespacesAreOptional: true,
  formerFields: { namespaceSelector: NAMESPACES_IS_A_SELECTOR },
};

const GRAMMAR: TierGrammar = {
  kind: "ClusterNetworkPolicy",
  specFields: ["tier", "priority", "subject", "ingress", "egress"],
  pods: PODS,
  mostItems: 25,
  actions: { Accept: "allow", Deny: "deny", Pass: "pass" },
  otherActions: { Allow: "write Accept" },
  peers: {
    ingress: { pods: PODS, fields: ["namespaces", "pods"], otherFields: EGRESS_ONLY_PEERS },
    egress: { pods: PODS, fields: ["namespaces", "pods", "networks", "nodes", "domainNames"], otherFields: {} },
  },
  ports: { field: "protocols", what: "protocols", read: readProtocolEntry },
  otherRuleFields: { ports: "ports are written in protocols: - tcp: {destinationPort: {number: 80}}" },
};

const TIERS: Readonly<Record<string, OrderedTier>> = { Admin: "admin", Baseline: "baseline" };

export function decodeClusterNetworkPolicy(value: unknown, source: ObjectSource): DecodedPolicy<OrderedPolicy> {
  return decodeOrderedPolicy(value, source, GRAMMAR, (spec) => ({
    tier: readTier(spec),
    priority: readPriority(spec),
  }));
}

/** One that cannot be read (reported) is the first, Admin. */
function readTier(spec: Field): OrderedTier {
  const field = spec.member("tier");
  const words = Object.keys(TIERS);
  if (!field.present) {
    if (spec.present) field.error({ code: "missing-field", message: "a policy needs a tier", hint: words.join(", ") });
    return "admin";
  }
  const word = field.asString();
  if (word === undefined) return "admin";
  const tier = Object.hasOwn(TIERS, word) ? TIERS[word] : undefined;
  if (tier !== undefined) return tier;
  const meant = closestWord(word, words);
  field.error({
    code: "unknown-tier",
    message: `tier must be ${words.join(" or ")}, not ${describeValue(word)}`,
    ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
  });
  return "admin";
}
