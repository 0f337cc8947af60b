import { expect, it } from "vitest";
import type { Ends } from "../variant.ts";
import { ruleText as iptablesRule } from "./iptables-text.ts";
import { kubeRouterIptables } from "./kube-router-iptables.ts";
import { kubeRouterNft } from "./kube-router-nft.ts";
import { ruleText as nftRule } from "./nft-text.ts";
import type { NodePolicies } from "./node-policies.ts";
import type { PeerRuleset } from "./peer-ruleset.ts";
import { addresses, ENDS, packet, peers, samplePods, samplePolicies } from "./shape-samples.ts";
import { tracePeerRules } from "./trace-peer.ts";

const [RESTRICTED, FREE] = samplePods(ENDS);

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

it("with iptables four rules lead to each pod, the last pod's first", () => {
  const ruleset = kubeRouterIptables(samplePolicies(ENDS), ENDS);
  const way = iptables(ruleset, "KUBE-ROUTER-FORWARD");
  expect(iptables(ruleset, "KUBE-NWPLCY-TAIL")).toEqual(["-m mark --mark 0x20000/0x20000 -j ACCEPT"]);
  expect(way).toHaveLength(4 * 4 + 1);
  expect(way.slice(0, 4)).toEqual([
    `-m physdev --physdev-is-bridged -s ${FREE}/32 -j KUBE-POD-FW-3`,
    `-s ${FREE}/32 -j KUBE-POD-FW-3`,
    `-m physdev --physdev-is-bridged -d ${FREE}/32 -j KUBE-POD-FW-3`,
    `-d ${FREE}/32 -j KUBE-POD-FW-3`,
  ]);
  expect(way.at(-2)).toBe(`-d ${RESTRICTED}/32 -j KUBE-POD-FW-0`);
  expect(way.at(-1)).toBe("-j KUBE-NWPLCY-TAIL");
});

it("with iptables a pod's chain asks every policy, and judges by the mark", () => {
  const ruleset = kubeRouterIptables(samplePolicies(ENDS), ENDS);
  expect(iptables(ruleset, "KUBE-POD-FW-2")).toEqual([
    "-j KUBE-NWPLCY-COMMON",
    "-m addrtype --src-type LOCAL -d 10.244.1.11/32 -j ACCEPT",
    "-s 10.244.1.11/32 -j KUBE-NWPLCY-DEFAULT",
    "-d 10.244.1.11/32 -j KUBE-NWPLCY-1",
    "-d 10.244.1.11/32 -j KUBE-NWPLCY-0",
    "-m mark ! --mark 0x10000/0x10000 -m limit --limit 10/minute --limit-burst 10 -j NFLOG --nflog-group 100",
    "-m mark ! --mark 0x10000/0x10000 -j DROP",
    "-j MARK --set-xmark 0x0/0x10000",
    "-j MARK --set-xmark 0x20000/0x20000",
  ]);
  expect(iptables(ruleset, "KUBE-POD-FW-3")).toContain(`-d ${FREE}/32 -j KUBE-NWPLCY-DEFAULT`);
});

it("with iptables a policy has two rules for each set of peers and port", () => {
  const ruleset = kubeRouterIptables(withRule(peers([ENDS.client], [80, 81])), ENDS);
  const sets = "-m set --match-set KUBE-SRC-0-0 src -m set --match-set KUBE-DST-0 dst";
  expect(iptables(ruleset, "KUBE-NWPLCY-0")).toEqual([
    `${sets} -p udp --dport 80 -j MARK --set-xmark 0x10000/0x10000`,
    `${sets} -p udp --dport 80 -m mark --mark 0x10000/0x10000 -j RETURN`,
    `${sets} -p udp --dport 81 -j MARK --set-xmark 0x10000/0x10000`,
    `${sets} -p udp --dport 81 -m mark --mark 0x10000/0x10000 -j RETURN`,
  ]);
});

it("with iptables exceptions are in the set of blocks, and all addresses are two halves", () => {
  const blocks = [{ cidr: "0.0.0.0/0", excepts: ["10.0.0.0/8"] }];
  const { sets } = kubeRouterIptables(withRule({ addresses: addresses(), blocks, ports: [] }), ENDS);
  expect(sets.map(({ name }) => name)).toEqual(["KUBE-DST-0", "KUBE-SRC-0-0-NET"]);
  expect(sets[1]).toMatchObject({ kind: "blocks", elements: ["0.0.0.0/1", "128.0.0.0/1"], excepts: ["10.0.0.0/8"] });
});

it("with nft two rules lead to each pod, in their order", () => {
  const way = nft(kubeRouterNft(samplePolicies(ENDS), ENDS), "KUBE-ROUTER-FORWARD");
  expect(way).toHaveLength(2 * 4 + 2);
  expect(way.at(-2)).toBe("counter jump KUBE-NWPLCY-TAIL");
  expect(way.slice(0, 2)).toEqual([
    `ip daddr ${RESTRICTED}/32 counter jump KUBE-POD-FW-0`,
    `ip saddr ${RESTRICTED}/32 counter jump KUBE-POD-FW-0`,
  ]);
  expect(way.at(-1)).toBe("meta mark & 0x20000 == 0x20000 counter accept");
});

it("with nft a pod's chain asks every policy, and judges by the mark", () => {
  expect(nft(kubeRouterNft(samplePolicies(ENDS), ENDS), "KUBE-POD-FW-2")).toEqual([
    "counter jump KUBE-NWPLCY-COMMON",
    "fib saddr type local ip daddr 10.244.1.11/32 counter accept",
    "ip daddr 10.244.1.11/32 counter jump KUBE-NWPLCY-0",
    "ip daddr 10.244.1.11/32 counter jump KUBE-NWPLCY-1",
    "ip saddr 10.244.1.11/32 counter jump KUBE-NWPLCY-DEFAULT",
    "meta mark & 0x10000 == 0x0 limit rate 10/minute burst 10 packets log group 100",
    "meta mark & 0x10000 == 0x0 counter drop",
    "meta mark set meta mark and 0xfffeffff",
    "meta mark set meta mark or 0x20000",
  ]);
});

it("with nft a rule marks and returns; blocks with exceptions have a chain, where these return first", () => {
  const blocks = [{ cidr: "10.0.0.0/8", excepts: ["10.1.0.0/16"] }];
  const ruleset = kubeRouterNft(withRule({ ...peers([ENDS.client], [80]), blocks }), ENDS);
  const done = "ip daddr @KUBE-DST-0 udp dport 80 counter meta mark set meta mark or 0x10000 return";
  expect(nft(ruleset, "KUBE-NWPLCY-0")).toEqual([
    `ip saddr @KUBE-SRC-0-0 ${done}`,
    "counter jump KUBE-SRC-0-0-NET-CHAIN",
  ]);
  expect(nft(ruleset, "KUBE-SRC-0-0-NET-CHAIN")).toEqual([
    "ip saddr @KUBE-SRC-0-0-NET-EXCEPT counter return",
    `ip saddr @KUBE-SRC-0-0-NET ${done}`,
  ]);
  expect(ruleset.sets.map(({ kind }) => kind)).toEqual(["addresses", "addresses", "blocks", "blocks"]);
});

it("with iptables packets that cross a bridge meet a pod's chain twice", () => {
  const { client, server } = ENDS;
  const walked = (ends: Ends) =>
    tracePeerRules(kubeRouterIptables(samplePolicies(ENDS), ends), packet(client, server, 8000));
  const judged = ({ steps }: ReturnType<typeof walked>) => steps.filter(({ rule }) => rule.origin !== undefined).length;
  expect([walked(ENDS), walked({ ...ENDS, topology: "bridged" })].map(judged)).toEqual([1, 2]);
  expect(walked({ ...ENDS, topology: "bridged" }).verdict).toBe("accept");
});

function withRule(rule: NodePolicies["networkPolicies"][number]["rules"][number]): NodePolicies {
  const { client, server } = ENDS;
  return {
    localPods: [client, server],
    networkPolicies: [{ name: "policy", pods: [server], rules: [rule] }],
    adminRules: [],
  };
}
