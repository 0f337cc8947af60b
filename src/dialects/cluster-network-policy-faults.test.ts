// What the CRD of ClusterNetworkPolicy refuses down to its rules, and what is said about it: field, message, hint.

import { describe, expect, it } from "vitest";
import {
  CLUSTER,
  decodeTier,
  egressFindings,
  type Fields,
  findingsOf,
  many,
} from "../../test/support/tier-policies.ts";

type Case = readonly [sentence: string, fields: Fields, ...findings: string[]];

describe("beside the rules", () => {
  const { tier: _, ...noTier } = CLUSTER.spec;
  const cases: readonly Case[] = [
    ["no spec", { spec: undefined }, "missing-field spec: this ClusterNetworkPolicy has no spec"],
    ["a spec that is null", { spec: null }, "missing-field spec: this ClusterNetworkPolicy has no spec"],
    ["a spec that is a list", { spec: [] }, "wrong-type spec: must be a mapping, not a list"],
    [
      "an empty spec",
      { spec: {} },
      "missing-field spec.tier: a policy needs a tier (Admin, Baseline)",
      "missing-field spec.priority: a policy of a tier needs a priority (0..1000, lower ones are asked first)",
      "missing-field spec.subject: a policy needs a subject (for the pods of all namespaces write namespaces: {})",
    ],
    [
      "an unknown field in the spec",
      { spec: { ...CLUSTER.spec, ingres: [] } },
      'unknown-field spec.ingres: unknown field "ingres" (did you mean ingress?)',
    ],
    [
      "an unknown field at the top",
      { ingress: [] },
      'unknown-field ingress: unknown field "ingress" (known fields here: apiVersion, kind, metadata, spec, status)',
    ],
    [
      "a bad name",
      { metadata: { name: "A" } },
      `invalid-name metadata.name: policy name "A" must be lower-case letters, digits, '-' and '.', and each part must start and end with a letter or digit`,
    ],
    ["no name", { metadata: {} }, "missing-field metadata.name: this ClusterNetworkPolicy has no metadata.name"],
    ["no tier", { spec: noTier }, "missing-field spec.tier: a policy needs a tier (Admin, Baseline)"],
    [
      "a tier in lower case",
      { spec: { ...CLUSTER.spec, tier: "admin" } },
      'unknown-tier spec.tier: tier must be Admin or Baseline, not the string "admin" (did you mean Admin?)',
    ],
    [
      "a tier that is none of ours",
      { spec: { ...CLUSTER.spec, tier: "NetworkPolicy" } },
      'unknown-tier spec.tier: tier must be Admin or Baseline, not the string "NetworkPolicy"',
    ],
    [
      "a tier that every object has",
      { spec: { ...CLUSTER.spec, tier: "toString" } },
      'unknown-tier spec.tier: tier must be Admin or Baseline, not the string "toString"',
    ],
    [
      "a tier that is no text",
      { spec: { ...CLUSTER.spec, tier: 1 } },
      "wrong-type spec.tier: must be a string, not the number 1 (quote the value)",
    ],
    [
      "a priority below 0",
      { spec: { ...CLUSTER.spec, priority: -1 } },
      "priority-out-of-range spec.priority: priority -1 is not in 0..1000",
    ],
    [
      "a priority above 1000",
      { spec: { ...CLUSTER.spec, priority: 1001 } },
      "priority-out-of-range spec.priority: priority 1001 is not in 0..1000",
    ],
    [
      "a quoted priority",
      { spec: { ...CLUSTER.spec, priority: "5" } },
      'wrong-type spec.priority: must be a whole number, not the string "5" (unquote it: 5)',
    ],
    [
      "a broken priority",
      { spec: { ...CLUSTER.spec, priority: 1.5 } },
      "wrong-type spec.priority: must be a whole number, not the number 1.5",
    ],
    [
      "rules that are no list",
      { spec: { ...CLUSTER.spec, ingress: {} } },
      "wrong-type spec.ingress: must be a list, not a mapping",
    ],
    [
      "one rule too many",
      { spec: { ...CLUSTER.spec, egress: many(26, () => ({ action: "Deny", to: [{ namespaces: {} }] })) } },
      "too-many-items spec.egress: at most 25 egress rules are allowed, not 26",
    ],
  ];
  it.each(cases)("%s", (_, fields, ...findings) => {
    expect(findingsOf(decodeTier(CLUSTER, CLUSTER.spec, fields as Fields))).toEqual(findings);
  });
});

describe("in the subject", () => {
  const apart = "(write a policy of its own for each)";
  const cases: readonly Case[] = [
    ["nothing", {}, "none-of-one spec.subject: a subject needs one of namespaces, pods"],
    [
      "both",
      { namespaces: {}, pods: { namespaceSelector: {}, podSelector: {} } },
      `several-of-one spec.subject.pods: namespaces and pods cannot stand in one: a subject has exactly one of namespaces, pods ${apart}`,
    ],
    [
      "a misspelt field",
      { namespace: {} },
      'unknown-field spec.subject.namespace: unknown field "namespace" (did you mean namespaces?)',
    ],
    [
      "pods without podSelector",
      { pods: { namespaceSelector: {} } },
      "missing-field spec.subject.pods.podSelector: pods needs a podSelector (for all pods write podSelector: {})",
    ],
    ["pods that are no mapping", { pods: [] }, "wrong-type spec.subject.pods: must be a mapping, not a list"],
    [
      "a bad label value",
      { namespaces: { matchLabels: { a: "b b" } } },
      `invalid-label-value spec.subject.namespaces.matchLabels.a: label value "b b" must be letters, digits, '-', '_' and '.', and start and end with a letter or digit`,
    ],
    [
      "an operator that the CRD takes and nobody knows",
      { namespaces: { matchExpressions: [{ key: "a", operator: "in", values: ["b"] }] } },
      'unknown-operator spec.subject.namespaces.matchExpressions[0].operator: operator must be one of In, NotIn, Exists, DoesNotExist, not the string "in" (did you mean In?)',
    ],
  ];
  it.each(cases)("%s", (_, subject, ...findings) => {
    expect(findingsOf(decodeTier(CLUSTER, { ...CLUSTER.spec, subject }))).toEqual(findings);
  });
});

describe("in a rule", () => {
  const to = [{ namespaces: {} }];
  const cases: readonly [sentence: string, rule: unknown, ...findings: string[]][] = [
    ["nothing", null, "null-item spec.egress[0]: the rule is empty"],
    ["a word", "Deny", 'wrong-type spec.egress[0]: must be a mapping, not the string "Deny"'],
    [
      "no field",
      {},
      "missing-field spec.egress[0].action: a rule needs an action (Accept, Deny, Pass)",
      "missing-field spec.egress[0].to: a rule needs a list of peers in to (for the pods of all namespaces write - namespaces: {})",
    ],
    [
      "an action of v1alpha1",
      { action: "Allow", to },
      'unknown-action spec.egress[0].action: action must be Accept, Deny or Pass, not the string "Allow" (write Accept)',
    ],
    [
      "an action in lower case",
      { action: "deny", to },
      'unknown-action spec.egress[0].action: action must be Accept, Deny or Pass, not the string "deny" (did you mean Deny?)',
    ],
    [
      "an action that is no text",
      { action: true, to },
      "wrong-type spec.egress[0].action: must be a string, not the boolean true (YAML reads y, n, yes, no, on, off as true and false: quote the value)",
    ],
    [
      "a name of 101 characters",
      { name: "n".repeat(101), action: "Deny", to },
      "rule-name-too-long spec.egress[0].name: the name of a rule must have at most 100 characters, not 101",
    ],
    ["no peers", { action: "Deny", to: [] }, "empty-list spec.egress[0].to: the list of peers must not be empty"],
    [
      "peers that are no list",
      { action: "Deny", to: {} },
      "wrong-type spec.egress[0].to: must be a list, not a mapping",
    ],
    [
      "one peer too many",
      { action: "Deny", to: many(26, () => ({ namespaces: {} })) },
      "too-many-items spec.egress[0].to: at most 25 peers are allowed, not 26",
    ],
    [
      "the peers of the other direction",
      { action: "Deny", to, from: [] },
      'unknown-field spec.egress[0].from: unknown field "from" (known fields here: name, action, to, protocols)',
    ],
    [
      "the ports of v1alpha1",
      { action: "Deny", to, ports: [] },
      'unknown-field spec.egress[0].ports: unknown field "ports" (ports are written in protocols: - tcp: {destinationPort: {number: 80}})',
    ],
    [
      "protocols that are empty",
      { action: "Deny", to, protocols: [] },
      "empty-list spec.egress[0].protocols: the list of protocols must not be empty",
    ],
    [
      "one protocol too many",
      { action: "Deny", to, protocols: many(26, (index) => ({ tcp: { destinationPort: { number: index + 1 } } })) },
      "too-many-items spec.egress[0].protocols: at most 25 protocols are allowed, not 26",
    ],
    ...[{ networks: ["10.0.0.0/8"] }, { nodes: {} }].map((peer): [string, unknown, string] => [
      `a named port to ${Object.keys(peer)[0]}`,
      { action: "Deny", to: [...to, peer], protocols: [{ destinationNamedPort: "http" }] },
      `named-port-without-pods spec.egress[0].protocols: a named port cannot stand in one rule with ${Object.keys(peer)[0]}: only pods have named ports (write a rule of its own for each, or the number of the port)`,
    ]),
  ];
  it.each(cases)("%s", (_, rule, ...findings) => {
    expect(egressFindings(rule)).toEqual(findings);
  });

  it("a named port to domain names", () => {
    const rule = { action: "Accept", to: [{ domainNames: ["a.b"] }], protocols: [{ destinationNamedPort: "http" }] };
    expect(egressFindings(rule).at(-1)).toMatch(/^named-port-without-pods spec.egress\[0\].protocols: /);
  });
});
