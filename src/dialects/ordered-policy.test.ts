// What an invalid policy of a tier still means: it never allows more than a sound one, and never denies less.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ADMIN,
  BASELINE,
  CLUSTER,
  decodeTier,
  type Fields,
  TIER_KINDS,
  type TierKind,
  tierPolicy,
} from "../../test/support/tier-policies.ts";
import { ANY, type Rule } from "../model/policy.ts";

const EVERY_POD = { namespaces: { kind: "selector", selector: { requirements: [] } }, pods: { requirements: [] } };
const NOTHING = { action: "allow", peers: [], ports: [] };
const DENY_ALL = { action: "deny", peers: ANY, ports: ANY };
const SHOP = { namespaces: { matchLabels: { team: "shop" } } };
const SHOP_PEER = { kind: "pods", query: { pods: { requirements: [] } } };

const from = [SHOP];
const allow = ({ allow: action }: TierKind) => ({ action, from });
const deny = { action: "Deny", from };
const pass = { action: "Pass", from };

describe.each(TIER_KINDS)("an invalid rule of $kind", (kind) => {
  const faults: readonly [string, Fields][] = [
    ["an unknown field", { form: [] }],
    ["a peer that nobody knows", { from: [{ services: {} }, ...from] }],
    ["an empty peer", { from: [{}] }],
    ["no peers", { from: [] }],
    ["peers that are missing", { from: undefined }],
    ["peers that are no list", { from: SHOP }],
    ["too many peers", { from: Array.from({ length: kind.most + 1 }, () => SHOP) }],
    ["a selector with a fault", { from: [{ namespaces: { matchLabels: { a: 1 } } }] }],
    ["no ports", { [kind.ports]: [] }],
    ["a port that nobody knows", { [kind.ports]: [kind.port, { icmp: {} }] }],
    ["too many ports", { [kind.ports]: Array.from({ length: kind.most + 1 }, () => kind.port) }],
    ["a name that is too long", { name: "n".repeat(101) }],
    ["a name that is no text", { name: 1 }],
  ];

  it.each(faults)("that allows matches nothing: %s", (_, fault) => {
    const rules = [{ ...allow(kind), ...fault }, allow(kind)];
    const [bad, good] = tierPolicy(kind, { ingress: rules }).rules.ingress;
    expect(bad).toMatchObject({ ...NOTHING, index: 0 });
    expect(good).toMatchObject({ action: "allow", peers: [SHOP_PEER], ports: ANY, index: 1 });
  });

  it.each(faults)("that denies denies everything: %s", (_, fault) => {
    const [bad, good] = tierPolicy(kind, { ingress: [{ ...deny, ...fault }, allow(kind)] }).rules.ingress;
    expect(bad).toMatchObject(DENY_ALL);
    expect(good).toMatchObject({ action: "allow", peers: [SHOP_PEER] });
  });

  it.each(faults)("that passes denies everything: %s", (_, fault) => {
    const [bad] = tierPolicy(kind, { ingress: [{ ...pass, ...fault }] }).rules.ingress;
    expect(bad).toMatchObject(DENY_ALL);
  });

  it.each([
    ["that is missing", undefined],
    ["that nobody knows", "allow"],
    ["that is no text", []],
  ])("with an action %s denies everything", (_, action) => {
    expect(tierPolicy(kind, { ingress: [{ from, action }] }).rules.ingress).toMatchObject([DENY_ALL]);
  });

  it.each([[null], ["deny"], [[]], [5]])("that is %j denies everything", (rule) => {
    expect(tierPolicy(kind, { ingress: [rule] }).rules.ingress).toMatchObject([DENY_ALL]);
  });

  it("leaves the other direction as it is", () => {
    const { rules } = tierPolicy(kind, { ingress: [{}], egress: [{ action: kind.allow, to: from }] });
    expect(rules.egress).toMatchObject([{ action: "allow", peers: [SHOP_PEER] }]);
  });
});

describe("a rule that denies domain names, which no CRD refuses", () => {
  it.each([CLUSTER, ADMIN])("of $kind denies everything", (kind) => {
    const egress = [{ action: "Deny", to: [{ domainNames: ["a.b"] }] }];
    expect(tierPolicy(kind, { egress }).rules.egress).toMatchObject([DENY_ALL]);
  });
});

describe.each(TIER_KINDS)("a fault beside the rules of $kind", (kind) => {
  const subject = SHOP;
  const faults: readonly [string, Fields, Fields?][] = [
    ["no subject", { subject: undefined }],
    ["a subject that nobody knows", { subject: { services: {} } }],
    ["a bad name", {}, { metadata: { name: "A" } }],
    ["an unknown field of the metadata", {}, { metadata: { name: "default", lables: {} } }],
    ["a bad label of its own", {}, { metadata: { name: "default", labels: { a: 1 } } }],
    ["too many rules", { egress: Array.from({ length: kind.most + 1 }, () => ({ action: "Deny", to: from })) }],
  ];

  it.each(faults)("makes it allow nothing and deny what it passes: %s", (_, fault, fields) => {
    const { rules } = tierPolicy(kind, { subject, ingress: [allow(kind), deny], ...fault }, fields);
    expect(rules.ingress).toMatchObject([NOTHING, { action: "deny", peers: [SHOP_PEER], ports: ANY }]);
    expect(rules.ingress).toHaveLength(2);
    if (kind === BASELINE) return;
    const passing = tierPolicy(kind, { subject, ingress: [pass], ...fault }, fields).rules.ingress;
    expect(passing).toMatchObject([{ action: "deny", peers: [SHOP_PEER], ports: ANY }]);
  });

  it("keeps the rules beyond the limit: they may deny", () => {
    const ingress = [...Array.from({ length: kind.most }, () => allow(kind)), deny];
    expect(tierPolicy(kind, { ingress }).rules.ingress.at(-1)).toMatchObject({ action: "deny", peers: [SHOP_PEER] });
  });

  const unknown: readonly [string, Fields, Fields?][] = [
    ["an unknown field of the spec", { ingres: [deny] }],
    ["an unknown field at the top", {}, { egress: [deny] }],
  ];
  it.each(unknown)("may stand for rules, so everything is denied both ways: %s", (_, fault, fields) => {
    const policy = tierPolicy(kind, { subject, ingress: [allow(kind)], ...fault }, fields);
    expect(policy.rules.ingress).toMatchObject([NOTHING, { ...DENY_ALL, index: 1 }]);
    expect(policy.rules.egress).toMatchObject([{ ...DENY_ALL, index: 0 }]);
    expect(policy.subject).toMatchObject({ namespaces: { selector: { requirements: [{ key: "team" }] } } });
  });

  it("rules that are no list deny everything in their direction, and only there", () => {
    const { rules } = tierPolicy(kind, { ingress: {}, egress: [] });
    expect(rules).toMatchObject({ ingress: [DENY_ALL], egress: [] });
  });

  it.each([[[]], ["a"], [7]])("a spec that is %j denies every pod everything", (spec) => {
    const { policy } = decodeTier(kind, spec);
    expect(policy).toMatchObject({ subject: EVERY_POD, rules: { ingress: [DENY_ALL], egress: [DENY_ALL] } });
  });

  it.each([[undefined], [null]])("a spec that is %j says nothing at all", (spec) => {
    const { policy, diagnostics } = decodeTier(kind, spec);
    expect(policy).toMatchObject({ rules: { ingress: [], egress: [] } });
    expect(diagnostics).toMatchObject([{ severity: "error", code: "missing-field", field: "spec" }]);
  });

  it("no name: there is no policy", () => {
    expect(decodeTier(kind, kind.spec, { metadata: {} }).policy).toBeUndefined();
  });
});

describe("a subject with a fault selects all that its readable part selects", () => {
  const cases: readonly [string, unknown, object][] = [
    ["none", undefined, EVERY_POD],
    ["of a wrong type", "all", EVERY_POD],
    ["empty", {}, EVERY_POD],
    ["unknown", { service: {} }, EVERY_POD],
    ["two, of which either may be meant", { ...SHOP, pods: { podSelector: {} } }, EVERY_POD],
    ["selectors of a wrong type", { namespaces: [] }, EVERY_POD],
    [
      "a condition that cannot be read is left out",
      { namespaces: { matchLabels: { team: "shop", v: 1 } } },
      { namespaces: { selector: { requirements: [{ key: "team" }] } } },
    ],
    [
      "a podSelector that is missing",
      { pods: { namespaceSelector: { matchLabels: { team: "shop" } } } },
      { namespaces: { selector: { requirements: [{ key: "team" }] } }, pods: { requirements: [] } },
    ],
    [
      "an unknown field beside it",
      { ...SHOP, ports: [] },
      { namespaces: { selector: { requirements: [{ key: "team" }] } } },
    ],
  ];
  it.each(cases)("%s", (_, subject, query) => {
    const policy = tierPolicy(CLUSTER, { subject, ingress: [allow(CLUSTER)] });
    expect(policy.subject).toMatchObject(query);
    expect(policy.rules.ingress).toMatchObject([NOTHING]);
  });
});

describe("a place that cannot be read is the first", () => {
  it.each([[undefined], ["baseline"], ["Admn"], [1]])("tier %j: admin", (tier) => {
    expect(tierPolicy(CLUSTER, { tier, ingress: [pass] })).toMatchObject({
      tier: "admin",
      rules: { ingress: [{ action: "deny" }] },
    });
  });

  it.each([[undefined], [-1], [1001], ["5"], [0.5], [{}]])("priority %j: 0", (priority) => {
    for (const kind of [CLUSTER, ADMIN]) {
      const policy = tierPolicy(kind, { priority, ingress: [allow(kind)] });
      expect(policy).toMatchObject({ priority: 0, rules: { ingress: [NOTHING] } });
    }
  });

  it("a BaselineAdminNetworkPolicy of another name is one of the baseline all the same", () => {
    const policy = tierPolicy(BASELINE, { ingress: [allow(BASELINE), deny] }, { metadata: { name: "other" } });
    expect(policy).toMatchObject({
      key: "BaselineAdminNetworkPolicy/other",
      tier: "baseline",
      rules: { ingress: [NOTHING, { action: "deny", peers: [SHOP_PEER] }] },
    });
  });
});

describe("any input", () => {
  const words = [
    ...["namespaces", "pods", "networks", "nodes", "domainNames", "namespaceSelector", "podSelector", "matchLabels"],
    ...["action", "name", "to", "from", "protocols", "ports", "tcp", "destinationPort", "number", "range", "start"],
    ...["end", "destinationNamedPort", "portNumber", "portRange", "namedPort", "port", "protocol", "__proto__"],
    ...["tier", "priority", "subject", "ingress", "egress"],
  ];
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom("Deny", "Accept", "Allow", "Pass", "10.0.0.0/8", "a.b", "TCP", 80, {}, null),
      fc.dictionary(fc.constantFrom(...words), tie("value"), { maxKeys: 5 }),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.jsonValue({ maxDepth: 2 }),
    ),
  }));
  const isOpen = ({ action, peers }: Rule) => action !== "deny" && (peers === ANY || peers.length > 0);

  it("allows and passes nothing by rules with an error, nor by a policy with one beside its rules", () => {
    fc.assert(
      fc.property(fc.constantFrom(...TIER_KINDS), value, value, fc.boolean(), (kind, spec, rule, isWhole) => {
        const sound = { ...kind.spec, ingress: [rule] };
        const { policy, diagnostics } = decodeTier(kind, isWhole ? sound : spec);
        const fields = diagnostics.flatMap(({ severity, field }) => (severity === "error" ? [field ?? ""] : []));
        for (const direction of ["ingress", "egress"] as const) {
          const isClosed = fields.some((field) => !/^spec\.(ingress|egress)\[/.test(field));
          for (const each of policy?.rules[direction] ?? []) {
            const isBad = fields.some((field) => field.startsWith(`spec.${direction}[${each.index}]`));
            if (isClosed || isBad) expect(isOpen(each)).toBe(false);
          }
        }
      }),
      { numRuns: 5000 },
    );
  });
});
