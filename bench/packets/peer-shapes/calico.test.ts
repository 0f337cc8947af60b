import { describe, expect, it } from "vitest";
import type { Address } from "../../../src/net/address.ts";
import { calicoIptables, calicoNft } from "./calico.ts";
import { portParts, portRanges } from "./calico-policies.ts";
import { ruleText as iptablesRule } from "./iptables-text.ts";
import { ruleText as nftRule } from "./nft-text.ts";
import type { NodePolicies, ResolvedRule } from "./node-policies.ts";
import type { PeerRuleset } from "./peer-ruleset.ts";
import { ENDS, peers, ports, samplePolicies } from "./shape-samples.ts";

const LINKS = { client: "pod4", server: "pod5" };

function iptables(ruleset: PeerRuleset, chain: string): string[] {
  return rulesOf(ruleset, chain).map((rule) => iptablesRule(rule, 4).replaceAll("-m comment --comment shape ", ""));
}

function nft(ruleset: PeerRuleset, chain: string): string[] {
  return rulesOf(ruleset, chain).map((rule) => nftRule(rule, 4, rule.isCounted ? "counter" : undefined));
}

function rulesOf({ chains }: PeerRuleset, chain: string) {
  const rules = chains.get(chain);
  if (rules === undefined) throw new Error(`no chain ${chain}`);
  return rules;
}

describe("a pod's chain", () => {
  it("asks known connections, its policies' chains, then its profiles", () => {
    const ruleset = calicoIptables(samplePolicies(ENDS), ENDS, LINKS);
    expect(iptables(ruleset, "cali-tw-3")).toEqual([
      "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-m conntrack --ctstate INVALID -j DROP",
      "-j MARK --set-xmark 0x0/0x30000",
      "-j MARK --set-xmark 0x0/0x20000",
      "-m mark --mark 0x0/0x20000 -j cali-gi-0",
      "-m mark --mark 0x10000/0x10000 -j RETURN",
      "-m mark --mark 0x0/0x20000 -j DROP",
      "-j cali-pri-kns.bench",
      "-m mark --mark 0x10000/0x10000 -j RETURN",
      "-j cali-pri-ksa.bench",
      "-m mark --mark 0x10000/0x10000 -j RETURN",
      "-j DROP",
    ]);
  });

  it("goes straight to the chain of a policy that stands alone", () => {
    const { networkPolicies, ...rest } = samplePolicies(ENDS);
    const ruleset = calicoNft({ ...rest, networkPolicies: networkPolicies.slice(1, 2) }, ENDS, LINKS);
    expect(nft(ruleset, "filter-cali-tw-3")).toContain("meta mark & 0x20000 == 0x0 counter jump filter-cali-pi-0");
  });

  it("drops tunnels in what comes from the pod", () => {
    const ruleset = calicoNft(samplePolicies(ENDS), ENDS, LINKS);
    expect(nft(ruleset, "filter-cali-fw-2").slice(3, 5)).toEqual([
      "meta l4proto 17 udp dport { 4789 } counter drop",
      "meta l4proto 4 counter drop",
    ]);
  });
});

it("a group asks for a verdict after each five policies", () => {
  const networkPolicies = Array.from({ length: 7 }, (_, index) => ({
    name: `policy-${index}`,
    pods: [ENDS.server],
    rules: [peers([ENDS.client], [8000 + index])],
  }));
  const ruleset = calicoIptables({ ...samplePolicies(ENDS), networkPolicies }, ENDS, LINKS);
  const unless = "-m mark --mark 0x0/0x30000";
  expect(iptables(ruleset, "cali-gi-0")).toEqual([
    "-j cali-pi-0",
    `${unless} -j cali-pi-1`,
    `${unless} -j cali-pi-2`,
    `${unless} -j cali-pi-3`,
    `${unless} -j cali-pi-4`,
    "-m mark ! --mark 0x0/0x30000 -j RETURN",
    "-j cali-pi-5",
    `${unless} -j cali-pi-6`,
  ]);
});

describe("a policy's chain", () => {
  it("marks and returns for each rule, but for the last one", () => {
    const rules = [peers([ENDS.client], [80, 81, 82, 90]), { ...peers([ENDS.client], []), ports: tcpAndUdp() }];
    const ruleset = withRules(rules);
    const done = "meta mark & 0x10000 == 0x10000 counter return";
    expect(nft(ruleset, "filter-cali-pi-0")).toEqual([
      "meta l4proto 17 ip saddr @cali40s-0 udp dport { 80-82, 90 } counter meta mark set meta mark or 0x10000",
      done,
      "meta l4proto 6 ip saddr @cali40s-0 tcp dport { 7 } counter meta mark set meta mark or 0x10000",
      done,
      "meta l4proto 17 ip saddr @cali40s-0 udp dport { 8 } counter meta mark set meta mark or 0x10000",
    ]);
    expect(ruleset.sets).toMatchObject([{ name: "cali40s-0", kind: "blocks" }]);
  });

  it("asks many ports, and blocks with exceptions, before the rule", () => {
    const many = Array.from({ length: 16 }, (_, index) => 2 * index + 1);
    const blocks = [{ cidr: "10.0.0.0/8", excepts: ["10.1.0.0/16", "10.2.0.0/16"] }];
    expect(nft(withRules([peers([ENDS.client], many)]), "filter-cali-pi-0")).toEqual([
      "counter meta mark set meta mark and 0xfff3ffff",
      `meta l4proto 17 udp dport { ${many.slice(0, 15).join(", ")} } counter meta mark set meta mark or 0x40000`,
      "meta l4proto 17 udp dport { 31 } counter meta mark set meta mark or 0x40000",
      "meta l4proto 17 ip saddr @cali40s-0 meta mark & 0x40000 == 0x40000 counter meta mark set meta mark or 0x10000",
    ]);
    expect(nft(withRules([{ addresses: [], blocks, ports: ports(80) }]), "filter-cali-pi-0")).toEqual([
      "counter meta mark set meta mark and 0xfff3ffff xor 0x40000",
      "ip saddr 10.1.0.0/16 counter meta mark set meta mark and 0xfffbffff",
      "ip saddr 10.2.0.0/16 counter meta mark set meta mark and 0xfffbffff",
      "meta l4proto 17 ip saddr 10.0.0.0/8 udp dport { 80 } meta mark & 0x40000 == 0x40000 counter meta mark set meta mark or 0x10000",
    ]);
  });

  it("drops at once what an Admin rule denies, and leaves out nothing then", () => {
    const adminRules = [{ pods: [ENDS.server], rules: [{ ...peers([ENDS.client], [80]), action: "Deny" as const }] }];
    const ruleset = calicoNft({ ...samplePolicies(ENDS), adminRules }, ENDS, LINKS);
    expect(nft(ruleset, "filter-cali-pi-admin-0").at(-1)).toBe("meta mark & 0x100000 == 0x100000 counter drop");
    const pod = nft(ruleset, "filter-cali-tw-3");
    const tierStarts = pod.flatMap((text, index) =>
      text === "counter meta mark set meta mark and 0xfffdffff" ? [index] : [],
    );
    expect(tierStarts).toEqual([3, 6]);
    expect(pod[4]).toBe("meta mark & 0x20000 == 0x0 counter jump filter-cali-pi-admin-0");
  });
});

describe("the way to a pod", () => {
  const others = Array.from({ length: 64 }, (_, index) => `10.244.1.${index + 20}` as Address);
  const policies = { ...samplePolicies(ENDS), localPods: [ENDS.client, ENDS.server, ...others] };

  it("with iptables leads over sixteen bins, with the ends in the middle", () => {
    const ruleset = calicoIptables(policies, ENDS, LINKS);
    const root = iptables(ruleset, "cali-to-wl-dispatch");
    expect(root).toHaveLength(16 + 1);
    expect(root[8]).toBe("-o pod5+ -g cali-to-wl-dispatch-8");
    expect(root.at(-1)).toBe("-j DROP");
    const bin = iptables(ruleset, "cali-to-wl-dispatch-8");
    expect(bin).toHaveLength(5 + 1);
    expect(bin[2]).toBe("-o pod5 -g cali-tw-35");
    expect(iptables(ruleset, "cali-from-wl-dispatch-7")[2]).toBe("-i pod4 -g cali-fw-30");
  });

  it("with iptables is one rule in bins with one pod", () => {
    const few = { ...policies, localPods: [ENDS.client, ENDS.server] };
    expect(iptables(calicoIptables(few, ENDS, LINKS), "cali-to-wl-dispatch")).toEqual([
      "-o pod4 -g cali-tw-0",
      "-o pod5 -g cali-tw-1",
      "-j DROP",
    ]);
  });

  it("with nft is a map of links", () => {
    const ruleset = calicoNft(policies, ENDS, LINKS);
    expect(nft(ruleset, "filter-cali-to-wl-dispatch")).toEqual([
      "oifname vmap @filter-cali-to-wl-dispatch",
      "counter drop",
    ]);
    const map = ruleset.maps.find(({ name }) => name === "filter-cali-to-wl-dispatch");
    expect(map?.chains.get("pod5")).toBe("filter-cali-tw-35");
    expect(map?.chains.size).toBe(66);
  });

  it("names chains and counts rules alike, whatever the links are called", () => {
    const [here, there] = [LINKS, { client: "pod44", server: "pod45" }].map((links) =>
      [...calicoIptables(policies, ENDS, links).chains].map(([name, rules]) => `${name} ${rules.length}`),
    );
    expect(there).toEqual(here);
  });

  it("gives no two pods one link, and no name that is too long for one", () => {
    const names = [...calicoNft(policies, ENDS, LINKS).links.values()];
    expect(new Set(names).size).toBe(66);
    for (const name of names) expect(name).toMatch(/^pod[0-9a-fx]{1,12}$/);
  });
});

describe("ports", () => {
  it("that follow each other are one range", () => {
    expect(portRanges([5, 1, 2, 3, 2])).toEqual([
      { first: 1, last: 3 },
      { first: 5, last: 5 },
    ]);
  });

  it("fit fifteen into one comparison, ranges as two", () => {
    const singles = Array.from({ length: 14 }, (_, index) => ({ first: 2 * index, last: 2 * index }));
    const range = { first: 100, last: 200 };
    expect(portParts([...singles, range]).map(({ length }) => length)).toEqual([14, 1]);
    expect(portParts([range, ...singles.slice(0, 13)]).map(({ length }) => length)).toEqual([14]);
  });
});

function tcpAndUdp() {
  return [{ protocol: "udp", port: 8 } as const, { protocol: "tcp", port: 7 } as const];
}

function withRules(rules: readonly ResolvedRule[]): PeerRuleset {
  const policies: NodePolicies = {
    localPods: [ENDS.client, ENDS.server],
    networkPolicies: [{ name: "policy", pods: [ENDS.server], rules }],
    adminRules: [],
  };
  return calicoNft(policies, ENDS, LINKS);
}
