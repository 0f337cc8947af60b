import { describe, expect, it } from "vitest";
import type { Address } from "../../../src/net/address.ts";
import { calicoIptables, calicoNft } from "./calico.ts";
import { ruleText as iptablesRule, restoreText, setsText } from "./iptables-text.ts";
import { kubeRouterIptables } from "./kube-router-iptables.ts";
import { kubeRouterNft } from "./kube-router-nft.ts";
import { ruleText as nftRule, tableText } from "./nft-text.ts";
import {
  ACCEPT,
  clearMark,
  DROP,
  from,
  goto,
  INVALID,
  inSet,
  jump,
  KNOWN,
  LOG,
  marked,
  markedAny,
  type PeerRule,
  type PeerRuleset,
  RETURN,
  rule,
  setMark,
  to,
  unmarked,
} from "./peer-ruleset.ts";
import { ENDS, samplePolicies } from "./shape-samples.ts";

const POD = "10.0.0.1" as Address;
const POD6 = "fd00::1" as Address;
const RANGES = [
  { first: 80, last: 80 },
  { first: 90, last: 99 },
];

describe("one rule as text", () => {
  it.each<[PeerRule, string, string]>([
    [
      rule([KNOWN], ACCEPT),
      "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "ct state related,established accept",
    ],
    [rule([INVALID], DROP), "-m conntrack --ctstate INVALID -j DROP", "ct state invalid drop"],
    [
      rule([marked(0x10000)], RETURN),
      "-m mark --mark 0x10000/0x10000 -j RETURN",
      "meta mark & 0x10000 == 0x10000 return",
    ],
    [rule([unmarked(0x3)], jump("a")), "-m mark --mark 0x0/0x3 -j a", "meta mark & 0x3 == 0x0 jump a"],
    [rule([markedAny(0x3)], goto("a")), "-m mark ! --mark 0x0/0x3 -g a", "meta mark & 0x3 != 0x0 goto a"],
    [
      rule([from(POD)], setMark(0x2)),
      "-s 10.0.0.1/32 -j MARK --set-xmark 0x2/0x2",
      "ip saddr 10.0.0.1/32 meta mark set meta mark or 0x2",
    ],
    [
      rule([to(POD)], clearMark(0x80000000)),
      "-d 10.0.0.1/32 -j MARK --set-xmark 0x0/0x80000000",
      "ip daddr 10.0.0.1/32 meta mark set meta mark and 0x7fffffff",
    ],
    [
      rule([], { kind: "mark", mask: 0xc, value: 0x4 }),
      "-j MARK --set-xmark 0x4/0xc",
      "meta mark set meta mark and 0xfffffff3 xor 0x4",
    ],
    [
      rule([inSet("src", "s"), { kind: "port", protocol: "udp", port: 80 }], ACCEPT),
      "-m set --match-set s src -p udp --dport 80 -j ACCEPT",
      "ip saddr @s udp dport 80 accept",
    ],
    [
      rule(
        [
          { kind: "protocol", number: 6 },
          { kind: "ports", protocol: "tcp", ranges: RANGES },
        ],
        ACCEPT,
      ),
      "-p 6 -m multiport --destination-ports 80,90:99 -j ACCEPT",
      "meta l4proto 6 tcp dport { 80, 90-99 } accept",
    ],
    [
      rule([{ kind: "link", way: "in", name: "pod", isPrefix: true }], ACCEPT),
      "-i pod+ -j ACCEPT",
      'iifname "pod*" accept',
    ],
    [
      rule([{ kind: "link", way: "out", name: "pod1", isPrefix: false }], ACCEPT),
      "-o pod1 -j ACCEPT",
      'oifname "pod1" accept',
    ],
    [rule([{ kind: "from node" }], ACCEPT), "-m addrtype --src-type LOCAL -j ACCEPT", "fib saddr type local accept"],
    [
      rule([{ kind: "icmp", type: "echo-request" }], ACCEPT),
      "-p icmp --icmp-type echo-request -j ACCEPT",
      "icmp type echo-request accept",
    ],
    [
      rule([{ kind: "limit" }], LOG),
      "-m limit --limit 10/minute --limit-burst 10 -j NFLOG --nflog-group 100",
      "limit rate 10/minute burst 10 packets log group 100",
    ],
  ])("of either tool: %#", (each, iptables, nft) => {
    expect(iptablesRule(each, 4)).toBe(iptables);
    expect(nftRule(each, 4, undefined)).toBe(nft);
  });

  it("compares comments with iptables only", () => {
    const noted = rule([from(POD)], ACCEPT, { comments: 2 });
    expect(iptablesRule(noted, 4)).toBe(
      "-m comment --comment shape -m comment --comment shape -s 10.0.0.1/32 -j ACCEPT",
    );
    expect(nftRule(noted, 4, undefined)).toBe("ip saddr 10.0.0.1/32 accept");
  });

  it("counts with nft what was compared, before it is limited", () => {
    const limited = rule([unmarked(0x1), { kind: "limit" }], LOG);
    expect(nftRule(limited, 4, "counter")).toBe(
      "meta mark & 0x1 == 0x0 counter limit rate 10/minute burst 10 packets log group 100",
    );
  });

  it("says the family where the tools do", () => {
    const echo = rule([{ kind: "icmp", type: "echo-reply" }], ACCEPT);
    expect(iptablesRule(echo, 6)).toBe("-p ipv6-icmp --icmpv6-type echo-reply -j ACCEPT");
    expect(nftRule(echo, 6, undefined)).toBe("icmpv6 type echo-reply accept");
    expect(nftRule(rule([from(POD6), inSet("dst", "s")], DROP), 6, undefined)).toBe(
      "ip6 saddr fd00::1/128 ip6 daddr @s drop",
    );
  });

  it("refuses what a tool has not", () => {
    expect(() => iptablesRule(rule([], [setMark(1), RETURN]), 4)).toThrow("one target");
    expect(() => nftRule(rule([{ kind: "bridged" }], DROP), 4, undefined)).toThrow("bridged");
  });
});

describe("a ruleset as text", () => {
  const ruleset: PeerRuleset = {
    family: 4,
    base: "FORWARD",
    chains: new Map([
      [
        "FORWARD",
        [rule([], jump("other")), rule([], { kind: "goto by link", way: "in", map: "m" }, { isCounted: false })],
      ],
      ["other", [rule([inSet("src", "a")], DROP)]],
    ]),
    sets: [
      { name: "a", kind: "addresses", elements: ["10.0.0.1", "10.0.0.2"], excepts: [] },
      { name: "empty", kind: "blocks", elements: [], excepts: [] },
    ],
    maps: [{ name: "m", chains: new Map([["pod1", "other"]]) }],
    links: new Map(),
    isBridged: false,
  };

  it("is a table of nft: chains before the maps that lead to them", () => {
    expect(tableText(ruleset, "t").split("\n")).toEqual([
      "table ip t {",
      " chain other { }",
      " set a { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 } }",
      " set empty { type ipv4_addr; flags interval; }",
      ' map m { type ifname : verdict; elements = { "pod1" : goto other } }',
      " chain FORWARD {",
      "  type filter hook forward priority 0; policy accept;",
      "  counter jump other",
      "  iifname vmap @m",
      " }",
      " chain other {",
      "  ip saddr @a counter drop",
      " }",
      "}",
      "",
    ]);
  });

  it("counts every rule by name where that is asked for", () => {
    const lines = tableText(ruleset, "t", (chain, index) => `${chain}_${index}`).split("\n");
    expect(lines).toContain(" counter FORWARD_1 { }");
    expect(lines).toContain('  counter name "FORWARD_1" iifname vmap @m');
    expect(lines).toContain('  ip saddr @a counter name "other_0" drop');
  });

  it("is a filter table of iptables and sets of ipset", () => {
    const { maps, ...rest } = ruleset;
    expect(maps).toHaveLength(1);
    const chains = new Map([["FORWARD", [rule([], jump("other"))]], ...[...ruleset.chains].slice(1)]);
    expect(restoreText({ ...rest, maps: [], chains }).split("\n")).toEqual([
      "*filter",
      ":FORWARD ACCEPT [0:0]",
      ":other - [0:0]",
      "-A FORWARD -j other",
      "-A other -m set --match-set a src -j DROP",
      "COMMIT",
      "",
    ]);
    const sets = [
      ...ruleset.sets,
      { name: "net", kind: "blocks", elements: ["10.0.0.0/8"], excepts: ["10.1.0.0/16"] } as const,
    ];
    expect(setsText({ ...ruleset, sets }, "timeout 0").split("\n")).toEqual([
      "create a hash:ip family inet timeout 0",
      "add a 10.0.0.1",
      "add a 10.0.0.2",
      "create empty hash:net family inet timeout 0",
      "create net hash:net family inet timeout 0",
      "add net 10.0.0.0/8",
      "add net 10.1.0.0/16 nomatch",
      "",
    ]);
  });

  it("has no names of policies in it", () => {
    const sample = samplePolicies(ENDS);
    const hostile = 'a" accept; }\n-A FORWARD -j ACCEPT';
    const policies = { ...sample, networkPolicies: sample.networkPolicies.map((each) => ({ ...each, name: hostile })) };
    const links = { client: "pod0", server: "pod1" };
    const texts = [
      restoreText(kubeRouterIptables(policies, ENDS)),
      restoreText(calicoIptables(policies, ENDS, links)),
      setsText(kubeRouterIptables(policies, ENDS), ""),
      setsText(calicoIptables(policies, ENDS, links), ""),
      tableText(kubeRouterNft(policies, ENDS), "t"),
      tableText(calicoNft(policies, ENDS, links), "t"),
    ];
    for (const text of texts) expect(text).not.toContain('a" accept');
    expect(texts[0]).toContain("KUBE-NWPLCY-0");
  });
});
