import { describe, expect, it } from "vitest";
import { type Address, addressFamily } from "../../../src/net/address.ts";
import type { Ends } from "../variant.ts";
import { calicoIptables, calicoNft } from "./calico.ts";
import { kubeRouterIptables } from "./kube-router-iptables.ts";
import { kubeRouterNft } from "./kube-router-nft.ts";
import type { NodePolicies, ResolvedRule } from "./node-policies.ts";
import type { PeerRuleset } from "./peer-ruleset.ts";
import { addresses, ENDS, ENDS6, packet, peers, ports, samplePods, samplePolicies } from "./shape-samples.ts";
import { tracePeerRules } from "./trace-peer.ts";

const LINKS = { client: "pod6", server: "pod7" };
const SHAPES: Readonly<Record<string, (policies: NodePolicies, ends: Ends) => PeerRuleset>> = {
  "kube-router-iptables": kubeRouterIptables,
  "kube-router-nft": kubeRouterNft,
  "calico-iptables": (policies, ends) => calicoIptables(policies, ends, LINKS),
  "calico-nft": (policies, ends) => calicoNft(policies, ends, LINKS),
};
const CALICO = Object.entries(SHAPES).filter(([name]) => name.startsWith("calico"));

describe.each(Object.entries(SHAPES))("verdicts of the shape %s", (_, shape) => {
  it.each([ENDS, ENDS6])("are what NetworkPolicies mean, between $client and $server", (ends) => {
    const { client, server } = ends;
    const [restricted, free] = samplePods(ends);
    const ruleset = shape(samplePolicies(ends), ends);
    const verdict = (...of: Parameters<typeof packet>) => tracePeerRules(ruleset, packet(...of)).verdict;
    expect(verdict(client, server, 8000)).toBe("accept");
    expect(verdict(client, server, 8001)).toBe("drop");
    expect(verdict(client, server, 8000, { protocol: "tcp" })).toBe("drop");
    expect(verdict(free, server, 8000)).toBe("drop");
    expect(verdict(client, restricted, 8000)).toBe("accept");
    expect(verdict(server, restricted, 8000)).toBe("drop");
    expect(verdict(client, free, 9999)).toBe("accept");
    expect(verdict(server, client, 9999)).toBe("accept");
    expect(verdict(client, server, 8001, { state: "established" })).toBe("accept");
    expect(verdict(client, server, 8000, { state: "invalid" })).toBe("drop");
  });

  it("respect blocks, and their exceptions", () => {
    const { client, server } = ENDS;
    const blocks = [
      { cidr: "10.244.1.8/29", excepts: ["10.244.1.12/30"] },
      { cidr: "192.0.2.0/24", excepts: [] },
      { cidr: "2001:db8::/32", excepts: [] },
    ];
    const rules = [{ addresses: [], blocks, ports: ports(8000) }];
    const policies = {
      localPods: [client, server, ...addresses("10.244.1.9", "10.244.1.13")],
      networkPolicies: [{ name: "blocks", pods: [server], rules }],
      adminRules: [],
    };
    const ruleset = shape(policies, ENDS);
    const verdict = (source: string) => tracePeerRules(ruleset, packet(source as Address, server, 8000)).verdict;
    expect(["10.244.1.10", "10.244.1.9", "192.0.2.77"].map(verdict)).toEqual(["accept", "accept", "accept"]);
    expect(["10.244.1.13", "192.0.3.1"].map(verdict)).toEqual(["drop", "drop"]);
  });

  it("are those of ports far apart, and of all ports", () => {
    const { client, server } = ENDS;
    const [other] = samplePods(ENDS);
    const many = Array.from({ length: 40 }, (_, index) => 8000 + 2 * index);
    const policies = {
      localPods: [client, server, other],
      networkPolicies: [
        { name: "many", pods: [server], rules: [peers([client], many)] },
        { name: "all", pods: [other], rules: [peers([client], [])] },
      ],
      adminRules: [],
    };
    const ruleset = shape(policies, ENDS);
    const verdict = (...of: Parameters<typeof packet>) => tracePeerRules(ruleset, packet(...of)).verdict;
    expect(many.map((port) => verdict(client, server, port))).toEqual(many.map(() => "accept"));
    expect([7999, 8001, 8079].map((port) => verdict(client, server, port))).toEqual(["drop", "drop", "drop"]);
    expect(verdict(client, other, 1, { protocol: "tcp" })).toBe("accept");
  });

  it("do not depend on how many pods and policies there are", () => {
    const { client, server } = ENDS;
    const others = Array.from({ length: 100 }, (_, index) => `10.244.1.${index + 20}` as Address);
    const policies = {
      localPods: [...others.slice(0, 50), client, server, ...others.slice(50)],
      networkPolicies: [
        ...Array.from({ length: 23 }, (_, index) => ({
          name: `of-server-${index}`,
          pods: [server],
          rules: [peers(index === 17 ? [client] : addresses("100.64.0.1"), [8000])],
        })),
        ...others.map((pod, index) => ({ name: `of-${index}`, pods: [pod], rules: [peers([client], [8000])] })),
      ],
      adminRules: [],
    };
    const ruleset = shape(policies, ENDS);
    for (const to of [server, ...others]) {
      expect(tracePeerRules(ruleset, packet(client, to, 8000)).verdict).toBe("accept");
      expect(tracePeerRules(ruleset, packet(client, to, 8001)).verdict).toBe("drop");
    }
  });

  it("name the policy's rule that allowed", () => {
    const { steps } = tracePeerRules(shape(samplePolicies(ENDS), ENDS), packet(ENDS.client, ENDS.server, 8000));
    expect(steps.flatMap(({ rule }) => rule.origin ?? [])).toEqual(["bench/second[0]"]);
  });
});

describe.each(CALICO)("Admin rules in the shape %s", (_, shape) => {
  const { client, server } = ENDS;
  const admin = (
    action: "Accept" | "Deny" | "Pass",
    port: number,
    from = client,
  ): ResolvedRule & { action: typeof action } => ({
    ...peers([from], [port]),
    action,
  });
  const rules = [
    admin("Deny", 8000, server),
    admin("Accept", 7001),
    admin("Deny", 7002),
    admin("Pass", 7003),
    admin("Deny", 7003),
  ];
  const policies: NodePolicies = {
    localPods: [client, server],
    networkPolicies: [{ name: "open", pods: [server], rules: [peers([client], [7002, 7003, 8000])] }],
    adminRules: [
      { pods: [server], rules },
      { pods: [server], rules: [admin("Accept", 7004)] },
    ],
  };
  const verdict = (port: number, of = policies) =>
    tracePeerRules(shape(of, ENDS), packet(client, server, port)).verdict;

  it("accept, deny and pass on, before NetworkPolicies", () => {
    expect([7001, 7002, 7003, 7004, 8000, 8001].map((port) => verdict(port))).toEqual([
      "accept",
      "drop",
      "accept",
      "accept",
      "accept",
      "drop",
    ]);
  });

  it("leave what they do not name to the namespace, where no NetworkPolicy is", () => {
    const alone = { ...policies, networkPolicies: [] };
    expect([7001, 7002, 8001].map((port) => verdict(port, alone))).toEqual(["accept", "drop", "accept"]);
  });
});

it("every set and chain that a rule names exists, in both families", () => {
  for (const shape of Object.values(SHAPES))
    for (const ends of [ENDS, ENDS6]) {
      const { chains, sets, maps, base } = shape(samplePolicies(ends), ends);
      const names = new Set(sets.map(({ name }) => name));
      const reached = new Set([base, ...maps.flatMap((map) => [...map.chains.values()])]);
      for (const { matches, actions } of [...chains.values()].flat()) {
        for (const match of matches) if (match.kind === "set") expect(names).toContain(match.name);
        for (const action of actions) if ("chain" in action) reached.add(action.chain);
      }
      expect([...reached].sort()).toEqual([...chains.keys()].sort());
      for (const set of sets)
        for (const element of set.elements) expect(addressFamily(element as Address)).toBe(addressFamily(ends.client));
    }
});
