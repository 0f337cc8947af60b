// What a NetworkPolicy becomes in the model: defaults, peers, ports, and how far an invalid one stays closed.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSelector } from "../model/labels.ts";
import { ANY, type NamespacePolicy, type Rule } from "../model/policy.ts";
import { decodeNetworkPolicy } from "./network-policy-v1.ts";
import { textlessSource } from "./object-source.ts";
import { decodeObject } from "./registry.ts";

const source = textlessSource("test");

function decode(spec: unknown, metadata: unknown = { name: "web", namespace: "shop" }) {
  return decodeNetworkPolicy({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec }, source);
}

function policyOf(spec: unknown): NamespacePolicy {
  const { policy } = decode(spec);
  if (policy === undefined) throw new Error("no policy");
  return policy;
}

function ruleOf(rule: unknown): Rule {
  return policyOf({ podSelector: {}, ingress: [rule] }).rules.ingress[0] as Rule;
}

function codes(spec: unknown): string[] {
  return decode(spec).diagnostics.map((diagnostic) => diagnostic.code);
}

describe("policyTypes", () => {
  const cases: readonly [string, object, { ingress: boolean; egress: boolean }][] = [
    ["absent: ingress", {}, { ingress: true, egress: false }],
    ["empty: ingress", { policyTypes: [] }, { ingress: true, egress: false }],
    ["null: ingress", { policyTypes: null }, { ingress: true, egress: false }],
    ["absent with an egress rule: both", { egress: [{}] }, { ingress: true, egress: true }],
    ["absent with empty egress: ingress", { egress: [] }, { ingress: true, egress: false }],
    ["absent with null egress: ingress", { egress: null }, { ingress: true, egress: false }],
    ["Egress alone", { policyTypes: ["Egress"] }, { ingress: false, egress: true }],
    ["both", { policyTypes: ["Ingress", "Egress"] }, { ingress: true, egress: true }],
    ["the same one twice", { policyTypes: ["Ingress", "Ingress"] }, { ingress: true, egress: false }],
    ["broken: both", { policyTypes: ["ingress"] }, { ingress: true, egress: true }],
    ["of a wrong type: both", { policyTypes: "Ingress" }, { ingress: true, egress: true }],
    ["absent beside an unknown field: both", { egres: [{}] }, { ingress: true, egress: true }],
    ["absent beside egress of a wrong type: both", { egress: {} }, { ingress: true, egress: true }],
  ];
  it.each(cases)("%s", (_, spec, isolates) => {
    expect(policyOf({ podSelector: {}, ...spec }).isolates).toEqual(isolates);
  });

  it("drops rules of a direction that is not declared", () => {
    const policy = policyOf({ podSelector: {}, policyTypes: ["Egress"], ingress: [{}], egress: [{}] });
    expect(policy.rules.ingress).toEqual([]);
    expect(policy.rules.egress).toHaveLength(1);
  });
});

describe("subjects", () => {
  const cases: readonly [string, unknown, string][] = [
    ["empty selector: all pods", {}, "all"],
    ["null selector: all pods", null, "all"],
    [
      "matchLabels and matchExpressions AND together",
      { matchLabels: { a: "b" }, matchExpressions: [{ key: "c", operator: "Exists" }] },
      "a=b,c",
    ],
    ["null parts of a selector are absent", { matchLabels: null, matchExpressions: null }, "all"],
    ["a null label value is the empty string", { matchLabels: { a: null } }, "a="],
    ["an invalid requirement is dropped: more pods are closed", { matchLabels: { a: "b", c: 5 } }, "a=b"],
    ["a selector of a wrong type: all pods", "a=b", "all"],
    ["NotIn", { matchExpressions: [{ key: "a", operator: "NotIn", values: ["y", "x", "x"] }] }, "a notin (x,y)"],
  ];
  it.each(cases)("%s", (_, podSelector, text) => {
    const { subject } = policyOf({ podSelector });
    expect(formatSelector(subject.pods)).toBe(text);
    expect(subject.namespaces).toEqual({ kind: "name", name: "shop" });
  });

  it("a policy without namespace is in default", () => {
    expect(decode({}, { name: "a" }).policy?.key).toBe("NetworkPolicy/default/a");
  });

  it("a policy whose namespace is no text is in none: in default it would close other pods", () => {
    const { policy, diagnostics } = decode({}, { name: "a", namespace: ["shop"] });
    expect(policy).toBeUndefined();
    expect(diagnostics).toMatchObject([{ severity: "error", code: "wrong-type", field: "metadata.namespace" }]);
  });
});

describe("peers", () => {
  it("absent, null and empty lists mean any", () => {
    for (const rule of [{}, { from: null, ports: null }, { from: [], ports: [] }]) {
      expect(ruleOf(rule)).toMatchObject({ peers: ANY, ports: ANY });
    }
  });

  it("podSelector alone: pods of the policy's namespace", () => {
    const { peers } = ruleOf({ from: [{ podSelector: { matchLabels: { a: "b" } } }] });
    expect(peers).toMatchObject([{ kind: "pods", query: { namespaces: { kind: "name", name: "shop" } } }]);
  });

  it("namespaceSelector with podSelector null: all pods of those namespaces", () => {
    const { peers } = ruleOf({ from: [{ namespaceSelector: {}, podSelector: null }] });
    const empty = { requirements: [] };
    expect(peers).toEqual([
      { kind: "pods", query: { namespaces: { kind: "selector", selector: empty }, pods: empty } },
    ]);
  });

  it("ipBlock with excepts, masked", () => {
    const { peers } = ruleOf({ from: [{ ipBlock: { cidr: "10.1.2.3/8", except: ["10.2.3.4/16"] } }] });
    expect(peers).toMatchObject([{ kind: "ipBlock", cidr: { text: "10.0.0.0/8" }, except: [{ text: "10.2.0.0/16" }] }]);
  });
});

describe("ports", () => {
  const cases: readonly [string, object, object][] = [
    ["a number is TCP", { port: 80 }, { kind: "range", protocol: "TCP", first: 80, last: 80 }],
    ["a range", { port: 80, endPort: 90, protocol: "UDP" }, { kind: "range", protocol: "UDP", first: 80, last: 90 }],
    ["endPort equal to port", { port: 80, endPort: 80 }, { kind: "range", protocol: "TCP", first: 80, last: 80 }],
    ["a protocol alone", { protocol: "SCTP" }, { kind: "range", protocol: "SCTP", first: 0, last: 65535 }],
    ["a name", { port: "http" }, { kind: "named", protocol: "TCP", name: "http" }],
    [
      "nulls are absent",
      { port: null, endPort: null, protocol: null },
      { kind: "range", protocol: "TCP", first: 0, last: 65535 },
    ],
  ];
  it.each(cases)("%s", (_, port, match) => {
    expect(ruleOf({ ports: [port] }).ports).toEqual([match]);
    expect(codes({ podSelector: {}, ingress: [{ ports: [port] }] })).toEqual([]);
  });
});

describe("an invalid rule allows nothing and does not touch its neighbours", () => {
  const broken: readonly [string, unknown][] = [
    ["a bad port", { ports: [{ port: 0 }, { port: 80 }] }],
    ["a bad peer beside a good one", { from: [{}, { podSelector: {} }] }],
    ["a bad except", { from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/8"] } }] }],
    ["an unknown field", { form: [] }],
    ["peers that are no list", { from: {} }],
    ["no mapping at all", "allow"],
    ["a bad selector value", { from: [{ podSelector: { matchLabels: { a: "b b" } } }] }],
  ];
  it.each(broken)("%s", (_, rule) => {
    const [bad, good] = policyOf({ podSelector: {}, ingress: [rule, {}] }).rules.ingress;
    expect(bad).toMatchObject({ peers: [], ports: [], index: 0 });
    expect(good).toMatchObject({ peers: ANY, ports: ANY, index: 1 });
  });

  it("gives no policy without a name", () => {
    expect(decode({}, {}).policy).toBeUndefined();
  });
});

describe("any input", () => {
  const json = fc.jsonValue({ maxDepth: 6 });
  const key = fc.constantFrom(
    ...[
      "metadata",
      "name",
      "namespace",
      "spec",
      "podSelector",
      "ingress",
      "egress",
      "from",
      "to",
      "ports",
      "port",
      "endPort",
    ],
    ...[
      "policyTypes",
      "ipBlock",
      "cidr",
      "except",
      "matchLabels",
      "matchExpressions",
      "operator",
      "values",
      "key",
      "status",
    ],
    ...["containers", "podIPs", "ip", "addresses", "template", "replicas", "labels", "__proto__", "ownerReferences"],
  );
  const { object } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 7 },
      json,
      fc.constantFrom("10.0.0.0/8", 80, "In", "http"),
      tie("object"),
      fc.array(tie("value"), { maxLength: 3 }),
    ),
    object: fc.dictionary(key, tie("value"), { maxKeys: 8 }),
  }));
  const types: readonly [string, string][] = [
    ["v1", "Pod"],
    ["v1", "Namespace"],
    ["v1", "Node"],
    ["networking.k8s.io/v1", "NetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"],
    ["apps/v1", "Deployment"],
    ["apps/v1", "DaemonSet"],
    ["batch/v1", "CronJob"],
    ["batch/v1", "Job"],
  ];

  it("never makes a decoder throw", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.constantFrom(...types), object, ([apiVersion, kind], value) => {
        decodeObject({ ...(value as object), apiVersion, kind }, source);
      }),
      { numRuns: 4000 },
    );
    fc.assert(fc.property(json, (value) => void decodeObject(value, source)));
  });

  it("a policy with errors never allows more by a rule than its valid rules say", () => {
    fc.assert(
      fc.property(object, (spec) => {
        const { policy, diagnostics } = decode({ podSelector: {}, ingress: [spec] });
        const hasRuleError = diagnostics.some(
          ({ severity, field }) => severity === "error" && field?.startsWith("spec.ingress[0]"),
        );
        if (hasRuleError) expect(policy?.rules.ingress[0]).toMatchObject({ peers: [], ports: [] });
      }),
      { numRuns: 1000 },
    );
  });
});
