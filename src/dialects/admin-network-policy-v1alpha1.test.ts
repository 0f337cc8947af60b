// What AdminNetworkPolicy and BaselineAdminNetworkPolicy become in the model, and what their CRDs refuse otherwise than
// ClusterNetworkPolicy's.

import { describe, expect, it } from "vitest";
import {
  ADMIN,
  BASELINE,
  CLUSTER,
  decodeTier,
  type Fields,
  findingsOf,
  many,
  type TierKind,
  tierPolicy,
} from "../../test/support/tier-policies.ts";
import { ANY } from "../model/policy.ts";

const to = [{ namespaces: {} }];

function egress(kind: TierKind, rule: Fields) {
  return { ...kind.spec, egress: [rule] };
}

function egressFindings(kind: TierKind, rule: Fields): string[] {
  return findingsOf(decodeTier(kind, egress(kind, rule)));
}

describe("AdminNetworkPolicy", () => {
  it("is of the admin tier, with its priority", () => {
    expect(tierPolicy(ADMIN, { priority: 70 })).toMatchObject({
      key: "AdminNetworkPolicy/default",
      kind: "AdminNetworkPolicy",
      namespace: undefined,
      tier: "admin",
      priority: 70,
    });
  });

  it("allows, denies and passes", () => {
    const rules = ["Allow", "Deny", "Pass"].map((action) => ({ action, from: [{ namespaces: {} }] }));
    const { ingress } = tierPolicy(ADMIN, { ingress: rules }).rules;
    expect(ingress.map(({ action }) => action)).toEqual(["allow", "deny", "pass"]);
  });

  it("has every kind of peer", () => {
    const peers = [
      { namespaces: {} },
      { pods: { namespaceSelector: {}, podSelector: {} } },
      { networks: ["::/0"] },
      { nodes: {} },
      { domainNames: ["a.b"] },
    ];
    const [rule] = tierPolicy(ADMIN, egress(ADMIN, { action: "Allow", to: peers })).rules.egress;
    expect(Array.isArray(rule?.peers) && rule.peers.map(({ kind }) => kind)).toEqual([
      ...["pods", "pods", "networks", "nodes", "domainNames"],
    ]);
  });

  it.each([
    ["0", 0, []],
    ["1000", 1000, []],
    ["1001", 1001, ["priority-out-of-range spec.priority: priority 1001 is not in 0..1000"]],
    [
      "none",
      undefined,
      ["missing-field spec.priority: a policy of a tier needs a priority (0..1000, lower ones are asked first)"],
    ],
  ] as const)("may have a priority from 0 to 1000: %s", (_, priority, findings) => {
    expect(findingsOf(decodeTier(ADMIN, { ...ADMIN.spec, priority }))).toEqual(findings);
  });

  it("has no tier to choose", () => {
    expect(findingsOf(decodeTier(ADMIN, { ...ADMIN.spec, tier: "Admin" }))).toEqual([
      'unknown-field spec.tier: unknown field "tier" (known fields here: priority, subject, ingress, egress)',
    ]);
  });
});

describe("BaselineAdminNetworkPolicy", () => {
  it("is of the baseline tier, after every ClusterNetworkPolicy", () => {
    const policy = tierPolicy(BASELINE, {});
    expect(policy).toMatchObject({ key: "BaselineAdminNetworkPolicy/default", tier: "baseline", namespace: undefined });
    expect(policy.priority).toBeGreaterThan(tierPolicy(CLUSTER, { tier: "Baseline", priority: 1000 }).priority);
  });

  it("must be called default", () => {
    expect(findingsOf(decodeTier(BASELINE, BASELINE.spec, { metadata: { name: "other" } }))).toEqual([
      'not-the-only-name metadata.name: a cluster has one BaselineAdminNetworkPolicy, and its name is "default" (name it default; for several write policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy)',
    ]);
  });

  const cases: readonly [string, Fields, ...string[]][] = [
    [
      "a rule that passes",
      { action: "Pass", to },
      'unknown-action spec.egress[0].action: action must be Allow or Deny, not the string "Pass" (the Baseline tier is the last: there is nothing to pass to)',
    ],
    [
      "domain names",
      { action: "Allow", to: [{ domainNames: ["a.b"] }] },
      'unknown-field spec.egress[0].to[0].domainNames: unknown field "domainNames" (only AdminNetworkPolicy and ClusterNetworkPolicy have domainNames)',
    ],
  ];
  it.each(cases)("knows no %s", (_, rule, ...findings) => {
    expect(egressFindings(BASELINE, rule)).toEqual(findings);
  });

  it("has no priority", () => {
    expect(findingsOf(decodeTier(BASELINE, { ...BASELINE.spec, priority: 1 }))).toEqual([
      'unknown-field spec.priority: unknown field "priority" (known fields here: subject, ingress, egress)',
    ]);
  });
});

describe.each([ADMIN, BASELINE])("in a rule of $kind", (kind) => {
  const range = (protocol: string, first: number, last: number) => ({ kind: "range", protocol, first, last });
  const good: readonly [string, Fields, object][] = [
    ["a number is of TCP", { portNumber: { port: 80 } }, range("TCP", 80, 80)],
    ["a number has its protocol", { portNumber: { protocol: "SCTP", port: 65535 } }, range("SCTP", 65535, 65535)],
    ["a range is of TCP", { portRange: { start: 1, end: 65535 } }, range("TCP", 1, 65535)],
    ["a range has its protocol", { portRange: { protocol: "UDP", start: 53, end: 54 } }, range("UDP", 53, 54)],
    ["a name is of whatever protocol", { namedPort: "dns" }, { kind: "named", protocol: ANY, name: "dns" }],
  ];
  it.each(good)("%s", (_, port, match) => {
    const spec = egress(kind, { action: "Deny", to, ports: [port] });
    expect(decodeTier(kind, spec).diagnostics).toEqual([]);
    expect(tierPolicy(kind, spec).rules.egress[0]?.ports).toEqual([match]);
  });

  it("without ports: any port of any protocol", () => {
    expect(tierPolicy(kind, egress(kind, { action: "Deny", to })).rules.egress[0]?.ports).toBe(ANY);
  });

  const bad: readonly [string, Fields, ...string[]][] = [
    ["no port", {}, "none-of-one : an entry of ports needs one of portNumber, portRange, namedPort"],
    [
      "two ports",
      { portNumber: { port: 1 }, namedPort: "a" },
      "several-of-one .namedPort: portNumber and namedPort cannot stand in one: an entry of ports has exactly one of portNumber, portRange, namedPort (make each an entry of its own: start it with '-')",
    ],
    ["a number that is missing", { portNumber: {} }, "missing-field .portNumber.port: port is missing"],
    ["port 0", { portNumber: { port: 0 } }, "port-out-of-range .portNumber.port: port 0 is not in 1..65535"],
    [
      "a protocol that the CRD takes and nobody knows",
      { portNumber: { protocol: "tcp", port: 1 } },
      'unknown-protocol .portNumber.protocol: protocol must be TCP, UDP or SCTP, not the string "tcp" (did you mean TCP?)',
    ],
    ["a range without end", { portRange: { start: 1 } }, "missing-field .portRange.end: end is missing"],
    [
      "a range beyond the last port",
      { portRange: { start: 1, end: 65536 } },
      "port-out-of-range .portRange.end: port 65536 is not in 1..65535",
    ],
    [
      "the endPort of NetworkPolicy",
      { portNumber: { port: 1, endPort: 2 } },
      'unknown-field .portNumber.endPort: unknown field "endPort" (known fields here: protocol, port)',
    ],
    ["an empty port name", { namedPort: "" }, "invalid-port-name .namedPort: the name of the port is empty"],
  ];
  it.each(bad)("%s", (_, port, ...findings) => {
    expect(egressFindings(kind, { action: "Deny", to, ports: [port] })).toEqual(
      findings.map((finding) => finding.replace(" ", " spec.egress[0].ports[0]")),
    );
  });

  it("a range of one port, which the CRD does not refuse, is that port", () => {
    const rule = { action: "Deny", to, ports: [{ portRange: { start: 80, end: 80 } }] };
    expect(tierPolicy(kind, egress(kind, rule)).rules.egress[0]?.ports).toEqual([range("TCP", 80, 80)]);
    expect(egressFindings(kind, rule)).toEqual([
      "warning range-of-one spec.egress[0].ports[0].portRange: the range from 80 to 80 is one port (write portNumber: {protocol: TCP, port: 80})",
    ]);
  });

  it("a range that ends before it starts, which the CRD does not refuse, matches nothing; its neighbours hold", () => {
    const backwards = { portRange: { start: 90, end: 80 } };
    const rule = (...ports: Fields[]) => ({ action: "Deny", to, ports });
    expect(tierPolicy(kind, egress(kind, rule(backwards))).rules.egress[0]).toMatchObject({
      action: "deny",
      ports: [],
    });
    const beside = tierPolicy(kind, egress(kind, rule(backwards, kind.port))).rules.egress[0];
    expect(beside?.ports).toEqual([range("TCP", 80, 80)]);
    expect(egressFindings(kind, rule(backwards))).toEqual([
      "warning range-without-ports spec.egress[0].ports[0].portRange: the range ends at 80, before it starts at 90: it matches nothing (for these ports write start: 80 and end: 90)",
    ]);
  });

  it("the words of ClusterNetworkPolicy are translated", () => {
    expect(egressFindings(kind, { action: "Accept", to, protocols: [] })).toEqual([
      'unknown-field spec.egress[0].protocols: unknown field "protocols" (v1alpha1 calls them ports: - portNumber: {protocol: TCP, port: 80})',
      expect.stringMatching(/^unknown-action .*"Accept" \(write Allow\)$/),
    ]);
  });

  it("a named port cannot stand beside networks", () => {
    const rule = { action: "Deny", to: [{ networks: ["10.0.0.0/8"] }], ports: [{ namedPort: "http" }] };
    expect(egressFindings(kind, rule)).toEqual([
      "named-port-without-pods spec.egress[0].ports: a named port cannot stand in one rule with networks: only pods have named ports (write a rule of its own for each, or the number of the port)",
    ]);
  });

  it("pods need both selectors", () => {
    expect(egressFindings(kind, { action: "Deny", to: [{ pods: { podSelector: {} } }] })).toEqual([
      "missing-field spec.egress[0].to[0].pods.namespaceSelector: pods needs a namespaceSelector (for all namespaces write namespaceSelector: {})",
    ]);
  });

  const gone = "(the API had it up to v0.1.1: write a policy for each value of these labels)";
  it.each(["sameLabels", "notSameLabels"])("%s is not known any more, and that is said", (field) => {
    expect(egressFindings(kind, { action: "Deny", to: [{ namespaces: { [field]: ["team"] } }] })).toEqual([
      `unknown-field spec.egress[0].to[0].namespaces.${field}: unknown field "${field}" ${gone}`,
    ]);
  });

  it("the selectors of its first versions are translated", () => {
    const peers = [{ namespaces: { namespaceSelector: {} } }, { pods: { namespaces: {}, podSelector: {} } }];
    expect(egressFindings(kind, { action: "Deny", to: peers })).toEqual([
      'unknown-field spec.egress[0].to[0].namespaces.namespaceSelector: unknown field "namespaceSelector" (namespaces is the selector itself: write its matchLabels one level up)',
      'unknown-field spec.egress[0].to[1].pods.namespaces: unknown field "namespaces" (did you mean namespaceSelector?)',
      expect.stringMatching(/^missing-field .*namespaceSelector/),
    ]);
  });
});

describe.each([ADMIN, BASELINE])("limits of $kind", (kind) => {
  const rule = { action: "Deny", to };
  const cases: readonly [string, (count: number) => Fields, number, string][] = [
    ["rules", (count) => ({ egress: many(count, () => rule) }), 100, "spec.egress: at most 100 egress rules"],
    [
      "peers",
      (count) => ({ egress: [{ ...rule, to: many(count, () => ({ namespaces: {} })) }] }),
      100,
      "spec.egress[0].to: at most 100 peers",
    ],
    [
      "ports",
      (count) => ({ egress: [{ ...rule, ports: many(count, (index) => ({ portNumber: { port: index + 1 } })) }] }),
      100,
      "spec.egress[0].ports: at most 100 ports",
    ],
    [
      "networks",
      (count) => ({ egress: [{ ...rule, to: [{ networks: many(count, (index) => `10.${index}.0.0/16`) }] }] }),
      25,
      "spec.egress[0].to[0].networks: at most 25 networks",
    ],
  ];
  it.each(cases)("%s", (_, fields, most, message) => {
    expect(findingsOf(decodeTier(kind, { ...kind.spec, ...fields(most) }))).toEqual([]);
    expect(findingsOf(decodeTier(kind, { ...kind.spec, ...fields(most + 1) }))).toEqual([
      `too-many-items ${message} are allowed, not ${most + 1}`,
    ]);
  });
});
