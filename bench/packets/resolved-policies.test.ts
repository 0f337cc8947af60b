import { describe, expect, it } from "vitest";
import type { Address } from "../../src/net/address.ts";
import type { BenchPolicies } from "./bench-cluster.ts";
import { crowdAddresses, neighbourAddresses } from "./cluster-addresses.ts";
import { nodePolicies } from "./resolved-policies.ts";
import type { Ends } from "./variant.ts";

const ENDS = { client: "10.244.1.10", server: "10.244.1.11" } as Ends;
const IPV6_ENDS = { client: "fd00:10:244:1::10", server: "fd00:10:244:1::11" } as Ends;
const BLOCK = { cidr: "192.0.2.0/24", excepts: ["192.0.2.7/32"] };

const POLICIES: BenchPolicies = {
  crowdsOfClient: [1],
  podsOfCrowd: 2,
  neighbours: ["a", "b", "a", "b"],
  adminRules: Array.from({ length: 26 }, () => ({ action: "Deny", crowd: 3, port: 9 })),
  networkPolicies: [
    { name: "of-a", subject: "a", rules: [{ from: 0, ports: [80, 81] }] },
    {
      name: "of-server",
      subject: "server",
      rules: [
        { from: 1, ports: [80] },
        { from: [BLOCK], ports: [80] },
        { from: "client", ports: [] },
      ],
    },
  ],
};

describe("policies with their peers as addresses", () => {
  const resolved = nodePolicies(POLICIES, ENDS);

  it("have the node's pods, client and server in the middle", () => {
    const pods = ["10.244.1.2", "10.244.1.3", ENDS.client, ENDS.server, "10.244.1.4", "10.244.1.5"];
    expect(resolved.localPods).toEqual(pods);
  });

  it("select the pods of their group", () => {
    expect(resolved.networkPolicies.map(({ pods }) => pods)).toEqual([["10.244.1.2", "10.244.1.4"], [ENDS.server]]);
  });

  it("name the pods of a crowd, the client among them where it is a member, blocks and ports", () => {
    const udp = (port: number) => ({ protocol: "udp", port });
    expect(resolved.networkPolicies.map(({ rules }) => rules)).toEqual([
      [{ addresses: ["100.64.0.2", "100.64.0.3"], blocks: [], ports: [udp(80), udp(81)] }],
      [
        { addresses: [ENDS.client, "100.64.0.4", "100.64.0.5"], blocks: [], ports: [udp(80)] },
        { addresses: [], blocks: [BLOCK], ports: [udp(80)] },
        { addresses: [ENDS.client], blocks: [], ports: [] },
      ],
    ]);
  });

  it("have Admin rules in policies of the CRD's size, about the server", () => {
    expect(resolved.adminRules.map(({ pods, rules }) => [pods, rules.length])).toEqual([
      [[ENDS.server], 25],
      [[ENDS.server], 1],
    ]);
    expect(resolved.adminRules[1]?.rules).toEqual([
      { action: "Deny", addresses: ["100.64.0.0", "100.64.0.1"], blocks: [], ports: [{ protocol: "udp", port: 9 }] },
    ]);
  });
});

describe.each([ENDS, IPV6_ENDS])("the addresses beside $client", (ends) => {
  it("are all different: 250 neighbours, and the pods of the crowds", () => {
    const neighbours: readonly Address[] = neighbourAddresses(ends).slice(0, 250);
    const crowds = [...crowdAddresses({ ...POLICIES, podsOfCrowd: 300 }, ends).values()].flat();
    expect(new Set([ends.client, ends.server, ...neighbours, ...crowds]).size).toBe(2 + 250 + 3 * 300);
  });
});
