import { describe, expect, it } from "vitest";
import type { Address } from "../../src/net/address.ts";
import { BASE, type GridShape, gridPolicies } from "./grid-shapes.ts";
import { nodePolicies } from "./resolved-policies.ts";
import type { Ends, Outcome } from "./variant.ts";

const ENDS: Ends = { client: "10.244.1.10" as Address, server: "10.244.1.11" as Address };
const resolved = (shape: Partial<GridShape>, outcome: Outcome) =>
  nodePolicies(gridPolicies({ ...BASE, ...shape }, outcome, ENDS), ENDS);

describe("a point of the grid", () => {
  it("has so many policies about the server, each for so many pods and ports", () => {
    const { networkPolicies } = resolved({ policies: 3, peersPerPolicy: 7, ports: 5 }, "denied");
    const ofServer = networkPolicies.filter(({ pods }) => pods.includes(ENDS.server));
    expect(ofServer.map(({ rules: [first] }) => [first?.addresses.length, first?.ports.length])).toEqual([
      [7, 5],
      [7, 5],
      [7, 5],
    ]);
  });

  it.each([
    { outcome: "allowed", selecting: ["server-2"] },
    { outcome: "connected", selecting: ["server-2"] },
    { outcome: "denied", selecting: [] },
  ] as const)("has the client in the last policy alone, or in none where it is $outcome", ({ outcome, selecting }) => {
    const { networkPolicies } = resolved({ policies: 3 }, outcome);
    const ofServer = networkPolicies.filter(({ pods }) => pods.includes(ENDS.server));
    const found = ofServer.filter(({ rules }) => rules.some(({ addresses }) => addresses.includes(ENDS.client)));
    expect(found.map(({ name }) => name)).toEqual(selecting);
  });

  it("has so many pods on the node, each but the client with a policy of its own", () => {
    const { localPods, networkPolicies } = resolved({ localPods: 50, policies: 1 }, "allowed");
    expect(localPods).toHaveLength(50);
    const judged = networkPolicies.flatMap(({ pods }) => pods);
    expect(new Set(judged)).toEqual(new Set(localPods.filter((address) => address !== ENDS.client)));
  });

  it("has blocks in place of the last policy's pods, the client's among them unless it is denied", () => {
    const blocksOf = (shape: Partial<GridShape>, outcome: Outcome) =>
      resolved({ policies: 1, cidrs: 4, ...shape }, outcome).networkPolicies[0]?.rules[0]?.blocks ?? [];
    expect(blocksOf({}, "allowed").at(-1)).toEqual({ cidr: "10.244.1.0/24", excepts: [] });
    expect(blocksOf({}, "denied").filter(({ cidr }) => cidr.startsWith("10."))).toEqual([]);
    const except = { cidr: "10.244.1.0/24", excepts: ["10.244.1.10/32"] };
    expect(blocksOf({ withExcepts: true }, "denied").at(-1)).toEqual(except);
    expect(blocksOf({}, "denied")).toHaveLength(4);
  });

  it("has Admin rules in turn, of which the last passes the client on", () => {
    const rules = resolved({ adminRules: 3 }, "denied").adminRules.flatMap((each) => each.rules);
    expect(rules.map(({ action }) => action)).toEqual(["Accept", "Deny", "Pass"]);
    expect(rules.map(({ addresses }) => addresses.includes(ENDS.client))).toEqual([false, false, true]);
  });

  it("is about TCP where connections are measured", () => {
    const protocols = resolved({}, "connected").networkPolicies.flatMap(({ rules }) =>
      rules.flatMap(({ ports }) => ports.map(({ protocol }) => protocol)),
    );
    expect(new Set(protocols)).toEqual(new Set(["tcp"]));
  });
});
