// What a sound ClusterNetworkPolicy becomes in the model.

import { describe, expect, it } from "vitest";
import { CLUSTER, decodeTier, type Fields, findingsOf, many, tierPolicy } from "../../test/support/tier-policies.ts";
import { ANY, type Rule } from "../model/policy.ts";

const ALL = { requirements: [] };
const WEB = { matchLabels: { app: "web" } };
const WEB_ONLY = { requirements: [{ operator: "In", key: "app", values: ["web"] }] };
const EVERY_NAMESPACE = { kind: "selector", selector: ALL };

function rulesOf(direction: "ingress" | "egress", ...rules: Fields[]): readonly Rule[] {
  const spec = { ...CLUSTER.spec, [direction]: rules };
  expect(decodeTier(CLUSTER, spec).diagnostics).toEqual([]);
  return tierPolicy(CLUSTER, spec).rules[direction];
}

function egressRule(fields: Fields): Rule {
  return rulesOf("egress", { action: "Accept", to: [{ namespaces: {} }], ...fields })[0] as Rule;
}

describe("a policy", () => {
  it("is cluster-scoped, of its tier and priority, for its subject, and has a say where it has rules only", () => {
    const rule = { name: "first", action: "Deny", from: [{ namespaces: {} }] };
    const policy = tierPolicy(CLUSTER, { tier: "Baseline", priority: 7, ingress: [rule] });
    expect(policy).toEqual({
      key: "ClusterNetworkPolicy/default",
      kind: "ClusterNetworkPolicy",
      name: "default",
      namespace: undefined,
      tier: "baseline",
      priority: 7,
      subject: { namespaces: EVERY_NAMESPACE, pods: ALL },
      rules: {
        ingress: [
          {
            action: "deny",
            name: "first",
            peers: [{ kind: "pods", query: { namespaces: EVERY_NAMESPACE, pods: ALL } }],
            ports: ANY,
            index: 0,
            position: { file: "test" },
          },
        ],
        egress: [],
      },
      position: { file: "test" },
    });
  });

  it.each([0, 1000])("may have priority %d", (priority) => {
    expect(decodeTier(CLUSTER, { ...CLUSTER.spec, priority }).diagnostics).toEqual([]);
    expect(tierPolicy(CLUSTER, { priority }).priority).toBe(priority);
  });

  it("without rules is nothing to complain about", () => {
    expect(decodeTier(CLUSTER, { ...CLUSTER.spec, ingress: null, egress: [] }).diagnostics).toEqual([]);
  });

  it("from a server has fields that nobody reads", () => {
    const metadata = { name: "a", uid: "u", generation: 1, managedFields: [{}], annotations: { a: "b" } };
    expect(decodeTier(CLUSTER, CLUSTER.spec, { metadata, status: { conditions: [] } }).diagnostics).toEqual([]);
  });

  it("with a namespace belongs to none, as for the API server, and that is said", () => {
    const fields = { metadata: { name: "a", namespace: "shop" } };
    expect(findingsOf(decodeTier(CLUSTER, CLUSTER.spec, fields))).toEqual([
      "warning namespace-ignored metadata.namespace: a ClusterNetworkPolicy belongs to the cluster, not to a namespace: this is ignored (remove it; its subject says which namespaces it applies to)",
    ]);
    expect(tierPolicy(CLUSTER, {}, fields)).toMatchObject({ key: "ClusterNetworkPolicy/a", namespace: undefined });
  });
});

describe("a subject", () => {
  const cases: readonly [string, Fields, object][] = [
    ["of namespaces: all their pods", { namespaces: WEB }, { namespaces: { selector: WEB_ONLY }, pods: ALL }],
    [
      "of pods: those that both selectors match",
      { pods: { namespaceSelector: WEB, podSelector: WEB } },
      { namespaces: { selector: WEB_ONLY }, pods: WEB_ONLY },
    ],
    ["with empty selectors: all pods", { pods: { namespaceSelector: {}, podSelector: {} } }, { pods: ALL }],
    [
      "without namespaceSelector, which the CRD does not require: all namespaces",
      { pods: { podSelector: WEB } },
      { namespaces: EVERY_NAMESPACE, pods: WEB_ONLY },
    ],
    ["with nulls, which are absent", { namespaces: {}, pods: null }, { namespaces: EVERY_NAMESPACE, pods: ALL }],
  ];
  it.each(cases)("%s", (_, subject, query) => {
    expect(decodeTier(CLUSTER, { ...CLUSTER.spec, subject }).diagnostics).toEqual([]);
    expect(tierPolicy(CLUSTER, { subject }).subject).toMatchObject(query);
  });
});

describe("a label whose value is missing", () => {
  it("is dropped, as the API server prunes it, and that is said", () => {
    const subject = { namespaces: { matchLabels: { team: null, app: "web" } } };
    expect(tierPolicy(CLUSTER, { subject }).subject.namespaces).toEqual({ kind: "selector", selector: WEB_ONLY });
    expect(findingsOf(decodeTier(CLUSTER, { ...CLUSTER.spec, subject }))).toEqual([
      'warning null-label-value spec.subject.namespaces.matchLabels.team: the value of "team" is missing: the API server drops the condition, and so it selects more (write team: "" if the empty value is meant)',
    ]);
  });
});

describe("a rule", () => {
  it("has an action, a name where one is given, and its place", () => {
    const peers = { from: [{ namespaces: {} }] };
    const rules = rulesOf(
      "ingress",
      { action: "Accept", ...peers },
      { action: "Deny", name: "no", ...peers },
      { action: "Pass", name: "", ...peers },
    );
    expect(rules.map(({ action, name, index }) => [action, name, index])).toEqual([
      ["allow", undefined, 0],
      ["deny", "no", 1],
      ["pass", undefined, 2],
    ]);
  });

  it("may have a name of 100 characters, however many bytes", () => {
    expect(egressRule({ name: `${"ü".repeat(99)}\u{1f512}` }).name).toHaveLength(101);
  });
});

describe("a peer", () => {
  const cases: readonly [string, Fields, object][] = [
    ["of namespaces", { namespaces: WEB }, { kind: "pods", query: { namespaces: { selector: WEB_ONLY }, pods: ALL } }],
    [
      "of pods",
      { pods: { namespaceSelector: {}, podSelector: WEB } },
      { kind: "pods", query: { namespaces: EVERY_NAMESPACE, pods: WEB_ONLY } },
    ],
    [
      "of networks, of both families",
      { networks: ["10.0.0.0/8", "2001:db8::/32"] },
      { kind: "networks", cidrs: [{ text: "10.0.0.0/8" }, { text: "2001:db8::/32" }] },
    ],
    ["of nodes", { nodes: WEB }, { kind: "nodes", selector: WEB_ONLY }],
    ["of all nodes", { nodes: {} }, { kind: "nodes", selector: ALL }],
  ];
  it.each(cases)("%s", (_, peer, model) => {
    expect(egressRule({ to: [peer] }).peers).toMatchObject([model]);
  });

  it.each(["namespaces", "pods"] as const)("of %s may also be where traffic comes from", (key) => {
    const peer = cases.find(([name]) => name === `of ${key}`);
    const [rule] = rulesOf("ingress", { action: "Accept", from: [peer?.[1]] });
    expect(rule?.peers).toMatchObject([peer?.[2]]);
  });

  it("of domain names is kept and matches nothing, and that is said; its neighbours hold", () => {
    const domainNames = ["kubernetes.io", "*.example.com.", "_dmarc.example.com"];
    const spec = { egress: [{ action: "Accept", to: [{ domainNames }, { networks: ["10.0.0.0/8"] }] }] };
    expect(tierPolicy(CLUSTER, spec).rules.egress[0]?.peers).toMatchObject([
      { kind: "domainNames", names: domainNames },
      { kind: "networks" },
    ]);
    expect(findingsOf(decodeTier(CLUSTER, { ...CLUSTER.spec, ...spec }))).toEqual([
      "warning domain-names-not-enforced spec.egress[0].to[0].domainNames: domain names are not enforced yet: this peer allows nothing (name the addresses: networks)",
    ]);
  });

  it("may have bits behind a prefix, as in the released CRDs: it is the whole block, and that is said", () => {
    const spec = { egress: [{ action: "Deny", to: [{ networks: ["10.1.2.3/8"] }] }] };
    expect(tierPolicy(CLUSTER, spec).rules.egress[0]).toMatchObject({
      action: "deny",
      peers: [{ cidrs: [{ text: "10.0.0.0/8" }] }],
    });
    expect(findingsOf(decodeTier(CLUSTER, { ...CLUSTER.spec, ...spec }))).toEqual([
      'warning cidr-host-bits spec.egress[0].to[0].networks[0]: "10.1.2.3/8" has bits set behind the prefix; it means 10.0.0.0/8 (write 10.0.0.0/8)',
    ]);
  });
});

describe("protocols", () => {
  const range = (protocol: string, first: number, last: number) => ({ kind: "range", protocol, first, last });
  const cases: readonly [string, Fields, object][] = [
    ["tcp by number", { tcp: { destinationPort: { number: 80 } } }, range("TCP", 80, 80)],
    ["udp by number", { udp: { destinationPort: { number: 1 } } }, range("UDP", 1, 1)],
    ["sctp by number", { sctp: { destinationPort: { number: 65535 } } }, range("SCTP", 65535, 65535)],
    ["a range", { tcp: { destinationPort: { range: { start: 80, end: 81 } } } }, range("TCP", 80, 81)],
    ["all ports", { udp: { destinationPort: { range: { start: 1, end: 65535 } } } }, range("UDP", 1, 65535)],
    ["a name, of whatever protocol", { destinationNamedPort: "dns" }, { kind: "named", protocol: ANY, name: "dns" }],
    ["nulls are absent", { tcp: null, destinationNamedPort: "dns" }, { kind: "named", name: "dns" }],
  ];
  it.each(cases)("%s", (_, protocol, match) => {
    expect(egressRule({ protocols: [protocol] }).ports).toMatchObject([match]);
  });

  it.each([[{}], [{ protocols: null }]])("absent (%j): any port of any protocol", (fields) => {
    expect(egressRule(fields).ports).toBe(ANY);
  });

  it("with a name that no container port can have match nothing, and that is said", () => {
    const rule = { action: "Deny", to: [{ namespaces: {} }], protocols: [{ destinationNamedPort: "80" }] };
    expect(tierPolicy(CLUSTER, { egress: [rule] }).rules.egress[0]?.ports).toMatchObject([{ name: "80" }]);
    expect(findingsOf(decodeTier(CLUSTER, { ...CLUSTER.spec, egress: [rule] }))).toEqual([
      'warning port-name-without-port spec.egress[0].protocols[0].destinationNamedPort: no container port can be named "80", so this matches nothing: a name must have at least one letter',
    ]);
  });
});

describe("as many as the CRD allows", () => {
  const cases: readonly [string, Fields][] = [
    ["peers", { to: many(25, () => ({ namespaces: {} })) }],
    ["protocols", { protocols: many(25, (index) => ({ tcp: { destinationPort: { number: index + 1 } } })) }],
    ["networks", { to: [{ networks: many(25, (index) => `10.${index}.0.0/16`) }] }],
  ];
  it.each(cases)("%s", (_, fields) => {
    expect(egressRule(fields).action).toBe("allow");
  });

  it("rules", () => {
    const rules = many(25, () => ({ action: "Accept", to: [{ namespaces: {} }] }));
    expect(rulesOf("egress", ...rules)).toHaveLength(25);
  });
});
