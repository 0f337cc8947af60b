import { expect, it } from "vitest";
import { makePod, makePolicy, setPod, setPolicy } from "../../test/support/model-objects.ts";
import { ADMIN, BASELINE, CLUSTER, type Fields, type TierKind, tierPolicy } from "../../test/support/tier-policies.ts";
import type { Flow } from "../model/flow.ts";
import { type Direction, type Policy, policyReference } from "../model/policy.ts";
import type { Address } from "../net/address.ts";
import { ClusterStore } from "../state/store.ts";
import { DEFAULT_EVALUATE_OPTIONS, evaluate } from "./evaluate.ts";
import { reviewTiers } from "./tier-review.ts";
import type { RuleMatch, RuleMiss } from "./verdict.ts";

const EVERYBODY = [{ namespaces: {} }];
const NET = [{ networks: ["10.0.0.0/8"] }];
const rule = (action: string, fields: Fields = {}) => ({ action, to: NET, ...fields });
const udp53 = { protocols: [{ udp: { destinationPort: { number: 53 } } }] };

function tier(kind: TierKind, name: string, spec: Fields): Policy {
  return tierPolicy(kind, spec, { metadata: { name } });
}

function nameOf({ policy, rule: { index } }: RuleMatch | RuleMiss): string {
  return `${policyReference(policy)}[${index}]`;
}

/** From web to api on the port, unless the flow says otherwise; what was reviewed, in short. */
function review(policies: readonly Policy[], flow: Partial<Flow> = {}, direction: Direction = "egress") {
  const store = new ClusterStore();
  for (const pod of [makePod("web", "10.0.0.1"), makePod("api", "10.0.0.2")]) store.apply(setPod(pod));
  for (const policy of policies) store.apply(setPolicy(policy));
  const asked: Flow = {
    source: "10.0.0.1" as Address,
    destination: "10.0.0.2" as Address,
    traffic: { kind: "ports", protocol: "TCP", port: 80 },
    ...flow,
  };
  const half = evaluate(store, asked, DEFAULT_EVALUATE_OPTIONS)[direction];
  return reviewTiers(store, direction, half, asked).map(({ tier: name, misses, match, later, ties }) => ({
    tier: name,
    misses: misses.map((miss) => `${nameOf(miss)} ${miss.peerMatches ? "peer" : ""}${miss.portMatches ? "port" : ""}`),
    match: match === undefined ? undefined : nameOf(match),
    later: later.map(nameOf),
    ties: ties.map(nameOf),
  }));
}

it("rules before the one that decides are asked by priority, those behind it that match come later", () => {
  const policies = [
    tier(CLUSTER, "b", { priority: 20, egress: [rule("Deny"), rule("Accept"), rule("Accept", udp53)] }),
    tier(CLUSTER, "a", { priority: 30, egress: [rule("Accept", udp53), rule("Accept")] }),
    tier(ADMIN, "first", { priority: 5, egress: [rule("Allow", { to: [{ networks: ["192.0.2.0/24"] }] })] }),
    tier(CLUSTER, "second", { priority: 6, egress: [rule("Accept", udp53)] }),
  ];
  expect(review(policies)).toEqual([
    {
      tier: "admin",
      misses: ["AdminNetworkPolicy/first[0] port", "ClusterNetworkPolicy/second[0] peer"],
      match: "ClusterNetworkPolicy/b[0]",
      later: ["ClusterNetworkPolicy/b[1]", "ClusterNetworkPolicy/a[1]"],
      ties: [],
    },
  ]);
});

it("a Pass leads to the Baseline tier; what it skips stays in its own tier", () => {
  const policies = [
    tier(CLUSTER, "pass", { priority: 1, egress: [rule("Pass")] }),
    tier(CLUSTER, "skipped", { priority: 2, egress: [rule("Deny")] }),
    tier(BASELINE, "default", { egress: [rule("Deny")] }),
  ];
  expect(review(policies)).toMatchObject([
    { tier: "admin", match: "ClusterNetworkPolicy/pass[0]", later: ["ClusterNetworkPolicy/skipped[0]"] },
    { tier: "baseline", match: "BaselineAdminNetworkPolicy/default[0]", later: [] },
  ]);
});

const ISOLATES = makePolicy("isolates", { podSelector: {}, policyTypes: ["Egress"] });
const NO_MATCH = tier(CLUSTER, "none", { egress: [rule("Accept", udp53)] });
const BASE = tier(CLUSTER, "base", { tier: "Baseline", egress: [rule("Deny")] });

it.each([
  ["behind NetworkPolicies that isolate the pod, Baseline is not asked", [NO_MATCH, ISOLATES, BASE], ["admin"]],
  ["without them it is", [NO_MATCH, BASE], ["admin", "baseline"]],
  ["behind an Admin rule that decides nothing is", [tier(ADMIN, "all", { egress: [rule("Allow")] }), BASE], ["admin"]],
  ["a tier without rules for the direction is left out", [tier(CLUSTER, "in", { ingress: [] }), BASE], ["baseline"]],
  ["a policy that does not select the pod is left out", [tier(CLUSTER, "other", otherSubject()), BASE], ["baseline"]],
  ["without tiers there is nothing", [ISOLATES], []],
])("%s", (_, policies, tiers) => {
  expect(review(policies).map((each) => each.tier)).toEqual(tiers);
});

function otherSubject(): Fields {
  return {
    subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: "api" } } } },
    egress: [rule("Deny")],
  };
}

it("a pod and itself: asked only where the way leads through a service", () => {
  const deny = tier(CLUSTER, "deny", { egress: [rule("Deny")] });
  const self = { destination: "10.0.0.1" as Address };
  expect(review([deny], self)).toEqual([]);
  expect(review([deny], { ...self, throughService: true })).toMatchObject([{ match: "ClusterNetworkPolicy/deny[0]" }]);
});

it("an address that is no pod's has no tiers", () => {
  const from = [{ action: "Deny", from: EVERYBODY }];
  const policies = [tier(CLUSTER, "in", { ingress: from })];
  expect(review(policies, { destination: "192.0.2.1" as Address }, "ingress")).toEqual([]);
  expect(review(policies, {}, "ingress")).toMatchObject([{ match: "ClusterNetworkPolicy/in[0]" }]);
});

it.each([
  ["another action at the same priority", { priority: 10, egress: [rule("Accept")] }, ["ClusterNetworkPolicy/z[0]"]],
  ["its first match counts", { priority: 10, egress: [rule("Deny"), rule("Accept")] }, []],
  ["one that does not match is not told", { priority: 10, egress: [rule("Accept", udp53)] }, []],
  ["nor the same action", { priority: 10, egress: [rule("Deny")] }, []],
  ["nor another priority", { priority: 11, egress: [rule("Accept")] }, []],
  ["nor another tier", { priority: 10, tier: "Baseline", egress: [rule("Accept")] }, []],
  ["nor one without rules in the direction", { priority: 10, ingress: [{ action: "Accept", from: EVERYBODY }] }, []],
])("equal priorities: %s", (_, other, ties) => {
  const policies = [tier(CLUSTER, "m", { priority: 10, egress: [rule("Deny")] }), tier(CLUSTER, "z", other)];
  expect(review(policies)).toMatchObject([{ match: "ClusterNetworkPolicy/m[0]", ties }]);
});

it("equal priorities: kinds of one tier are compared, and a Pass is an action, too", () => {
  const policies = [
    tier(ADMIN, "z", { priority: 10, egress: [rule("Pass")] }),
    tier(CLUSTER, "a", { priority: 10, egress: [rule("Deny")] }),
  ];
  expect(review(policies)).toMatchObject([{ match: "ClusterNetworkPolicy/a[0]", ties: ["AdminNetworkPolicy/z[0]"] }]);
});
