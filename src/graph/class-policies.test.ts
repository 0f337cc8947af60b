// Which policies make a pod's classes: no class where nothing can be denied, no Baseline behind NetworkPolicy, no node where only pods
// can be denied.

import { describe, expect, it } from "vitest";
import { makeClusterPolicy, makePolicy } from "../../test/support/model-objects.ts";
import type { Policy } from "../model/policy.ts";
import { judgingIn, judgingTowardsOwnNode, orderPolicies } from "./class-policies.ts";

const EVERYBODY = { namespaces: {} };
const admin = (name: string, priority: number, rules: object) =>
  makeClusterPolicy(name, { tier: "Admin", priority, subject: EVERYBODY, ...rules });
const baseline = (rules: object) =>
  makeClusterPolicy("base", { tier: "Baseline", priority: 0, subject: EVERYBODY, ...rules });
const to = (action: string, peer: object) => ({ egress: [{ action, to: [peer] }] });

const isolating = makePolicy("np", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
const accepting = admin("accept", 1, to("Accept", EVERYBODY));
const denyingPods = admin("pods", 5, to("Deny", EVERYBODY));
const denyingNodes = admin("nodes", 3, to("Deny", { nodes: {} }));
const denyingNetworks = admin("networks", 3, to("Deny", { networks: ["10.0.0.0/8"] }));
const denyingByDefault = baseline(to("Deny", { nodes: {} }));

const tracked = (policies: readonly Policy[]) => orderPolicies(policies.map((policy) => ({ policy })));
const names = (policies: readonly { readonly policy: Policy }[]) => policies.map(({ policy }) => policy.name);

describe("judgingIn", () => {
  it.each<[string, readonly Policy[], readonly string[]]>([
    ["nothing selects the pod: no class", [], []],
    ["rules that only accept: no class", [accepting], []],
    ["one that denies brings those that accept before it", [denyingPods, accepting], ["accept", "pods"]],
    ["tier by tier, by priority", [denyingByDefault, denyingPods, denyingNodes], ["nodes", "pods", "base"]],
    [
      "where NetworkPolicy isolates, the Baseline tier is not asked",
      [denyingByDefault, isolating, accepting],
      ["accept", "np"],
    ],
  ])("%s", (_, policies, expected) => {
    expect(names(judgingIn(tracked(policies), "egress"))).toEqual(expected);
  });

  it("a policy has no say in a direction without rules", () => {
    expect(names(judgingIn(tracked([denyingPods]), "ingress"))).toEqual([]);
    expect(names(judgingIn(tracked([denyingPods, isolating]), "ingress"))).toEqual(["np"]);
  });
});

describe("judgingTowardsOwnNode", () => {
  it.each<[string, readonly Policy[], "allow" | "enforce", readonly string[]]>([
    ["only pods are denied: a node is none", [denyingPods], "allow", []],
    ["nodes are denied", [denyingPods, denyingNodes], "allow", ["nodes", "pods"]],
    ["networks are denied, which may hold the node", [denyingNetworks], "allow", ["networks"]],
    ["NetworkPolicy never blocks the own node", [isolating], "allow", []],
    ["NetworkPolicy blocks it where that is asked for", [isolating], "enforce", ["np"]],
    ["NetworkPolicy's word is final: Baseline is not asked", [isolating, denyingByDefault], "allow", []],
    ["nor where NetworkPolicy blocks it itself", [isolating, denyingByDefault], "enforce", ["np"]],
    ["without NetworkPolicy Baseline is", [denyingByDefault], "allow", ["base"]],
  ])("%s", (_, policies, podToOwnNode, expected) => {
    expect(names(judgingTowardsOwnNode(tracked(policies), { podToOwnNode }))).toEqual(expected);
  });
});
