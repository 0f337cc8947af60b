// The prover must find faults in rules of iptables: each of these is a mistake that a compiler could make or somebody put into the
// kernel, by hand. Each names the packet class that it harms, as in mutations.test.ts.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import { iptablesRules } from "../../src/backends/iptables/provable-rules.ts";
import { fillStore } from "../../src/cli/input.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { proveNode } from "../../src/prove/prove.ts";
import {
  addElement,
  all,
  before,
  type Damage,
  drop,
  edit,
  foundIn,
  inChainOf,
  line,
  removeElement,
  rulesetIn,
  type SavedLines,
  savedLines,
  setOf,
  swap,
} from "../support/damaged-iptables.ts";
import { loadTexts } from "../support/manifests.ts";

const manifests = readFileSync(new URL("./mutations.yaml", import.meta.url), "utf8");
const { store } = fillStore(await loadTexts({ "mutations.yaml": manifests })).input;
const correct = savedLines(compileRuleset(new RuleGraph(store, "n1", DEFAULT_PROGRAM_OPTIONS).program()));

function prove(saved: SavedLines) {
  return proveNode(store, "n1", iptablesRules(rulesetIn(saved)), DEFAULT_PROGRAM_OPTIONS);
}

const API_8080 = /"shop\/api\[0\]"/;
const API_UDP = /"shop\/api\[1\]"/;
const API_DENY = /prefix "nftpol ingress[46]_shop\.api_/;
const WEB_NAMED = /"shop\/web\[0\]"/;
const WEB_BLOCK = /-d 203\.0\.113\.0\/25/;
const MANY_2500 = /--dport 2500 /;
const MANY_GROUP = /-s 198\.51\.100\.0\/24/;
const API_PEERS = setOf(4, line(API_8080));
const API_BLOCKS = setOf(4, line(API_UDP));
const NAMED = setOf(4, line(WEB_NAMED));
const API_PODS = setOf(4, line(/-A NFTPOL-INGRESS .*-myt3p2osetvmg3h6 dst/));
const MANY_PODS = setOf(4, line(/-A NFTPOL-INGRESS .*-uvd64kcddj6i7kaf dst/));

const forward = (rest: string) => line(new RegExp(`-A NFTPOL-FORWARD ${rest}`));
const link = (rest: string) => line(new RegExp(`-A NFTPOL-LINK ${rest}`));

const RULES: readonly (readonly [sentence: string, damage: Damage])[] = [
  ["an allow rule is missing", drop(4, line(API_8080))],
  ["an allow rule of IPv6 is missing", drop(6, line(API_8080))],
  ["the deny at the end is missing", drop(4, inChainOf(API_8080, / -g /))],
  ["the drop of a class is missing", drop(4, inChainOf(API_DENY, / -g /))],
  ["the drop of all classes is missing", drop(4, line(/-A NFTPOL-DROP-INGRESS/))],
  ["a drop becomes RETURN", edit(6, line(/-A NFTPOL-DROP-EGRESS/), "DROP", "RETURN")],
  ["an allow becomes DROP", edit(4, line(API_8080), "RETURN", "DROP")],
  ["the deny comes before an allow", swap(4, line(API_8080), inChainOf(API_8080, / -g /))],
  ["an egress allow leads past ingress", edit(4, forward(".*egress4 src"), "-j", "-g")],
  ["a class returns to the other ones", edit(4, line(/-A NFTPOL-INGRESS .*-myt3p2osetvmg3h6 dst/), "-g", "-j")],
  ["a group of ports returns to the next ones", edit(4, line(MANY_2500), "-g", "-j")],
  ["the jump of FORWARD is missing", drop(4, line(/-A FORWARD/))],
  ["the jump of IPv6 is missing", drop(6, line(/-A FORWARD/))],
  ["the egress dispatch is missing", drop(4, forward(".*egress4 src"))],
  ["IPv6 is not dispatched", drop(6, forward(".*ingress6 dst"))],
  ["ingress is dispatched by the wrong address", edit(4, forward(".*ingress4"), "dst", "src")],
  ["egress is dispatched by the wrong address", edit(6, forward(".*egress6"), "src", "dst")],
  ["a class is found by the wrong address", edit(4, line(/-A NFTPOL-EGRESS .*match-set/), "src", "dst")],
  ["only what no policy judges is judged", edit(4, forward(".*ingress4"), "--match-set", "! --match-set")],
  ["the branch of a class is missing", drop(4, line(/-A NFTPOL-INGRESS .*-uvd64kcddj6i7kaf dst/))],
  [
    "a branch leads to another class",
    edit(4, line(/-A NFTPOL-INGRESS .*-uvd64kcddj6i7kaf dst/), /-g .*/, "-g NFTPOL-i-myt3p2osetvmg3h6"),
  ],
  ["egress is judged by a class for ingress", edit(4, forward(".*egress4 src"), "NFTPOL-EGRESS", "NFTPOL-INGRESS")],
  ["known connections are not let through", drop(4, forward(".*ctstate"))],
  ["related packets are not let through", edit(4, forward(".*ctstate"), "RELATED,", "")],
  ["replies are not let through", edit(6, forward(".*ctstate"), ",ESTABLISHED", "")],
  ["known connections are asked for too late", swap(4, forward(".*ctstate"), forward(".*egress4 src"))],
  ["packets of unknown TCP connections pass", drop(4, forward(".*tcp-flags"))],
  [
    "packets of other protocols count as TCP in mid-connection",
    edit(4, forward(".*tcp-flags"), "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN ", ""),
  ],
  ["mid-connection packets to a pod pass", drop(4, line(/-A NFTPOL-MIDSTREAM .*dst/))],
  ["mid-connection packets of a pod pass", drop(6, line(/-A NFTPOL-MIDSTREAM .*src/))],
  [
    "mid-connection packets of strangers are dropped",
    edit(4, line(/-A NFTPOL-MIDSTREAM .*src/), "--match-set", "! --match-set"),
  ],
  ["a port is one wider", edit(4, line(API_8080), "--dport 8080", "--dport 8080:8081")],
  ["a port is another one", edit(4, line(API_8080), "8080", "8081")],
  ["a port range ends one early", edit(4, line(API_UDP), "9000:9010", "9000:9009")],
  ["a port range begins one early", edit(4, line(API_UDP), "9000:9010", "8999:9010")],
  ["one of several ports is missing", edit(4, line(WEB_BLOCK), "-m multiport --dports 443,8080", "-m tcp --dport 443")],
  ["there is one port more", edit(4, line(WEB_BLOCK), "443,", "443,444,")],
  [
    "a port is opened for every protocol of ports",
    all(before(4, line(API_8080), "-A CHAIN -p udp -m udp --dport 8080 -j RETURN")),
  ],
  ["a protocol is mistaken", edit(4, line(API_UDP), "-p udp -m udp", "-p tcp -m tcp")],
  ["a port rule forgets its peers", edit(4, line(API_8080), /-m set --match-set \S+ src /, "")],
  ["a peer rule forgets its ports", edit(4, line(API_8080), "-m tcp --dport 8080 ", "")],
  ["a peer rule forgets its protocol", edit(4, line(API_8080), "-p tcp -m tcp --dport 8080 ", "")],
  ["source and destination are mistaken", edit(4, line(API_8080), " src ", " dst ")],
  ["all but the peers are let in", edit(4, line(API_8080), "--match-set", "! --match-set")],
  ["a block is one bit too wide", edit(4, line(WEB_BLOCK), "203.0.113.0/25", "203.0.113.0/24")],
  ["a block is one bit too narrow", edit(4, line(WEB_BLOCK), "203.0.113.0/25", "203.0.113.0/26")],
  ["a block is compared with the sender", edit(4, line(WEB_BLOCK), "-d ", "-s ")],
  ["the exception for a pod and itself is missing", drop(4, inChainOf(API_DENY, /bpf/))],
  [
    "everything that came through a service is let in",
    edit(4, inChainOf(API_DENY, /bpf/), /-m bpf --bytecode "[^"]*" /, ""),
  ],
  ["a type of neighbour discovery is dropped", drop(6, inChainOf(API_DENY, /icmpv6-type 135/))],
  ["one ICMPv6 type too many passes", edit(6, inChainOf(API_DENY, /icmpv6-type 143/), "143", "128")],
  ["DHCP answers are dropped", drop(4, inChainOf(API_DENY, /--sport 67/))],
  ["any sender may answer as a DHCP server", edit(4, inChainOf(API_DENY, /--sport 67/), "--sport 67 ", "")],
  ["a port of a look-up leads to another group", edit(4, line(MANY_2500), /-g .*/, "-g NFTPOL-i-myt3p2osetvmg3h6")],
  ["a port of a look-up is missing", drop(4, line(MANY_2500))],
  ["a range of ports reaches into the next", edit(4, line(/--dport 1000:1001/), "1000:1001", "1000:2000")],
  ["the peers of a group of ports are missing", drop(4, line(MANY_GROUP))],
  ["a group of ports is open", before(4, line(MANY_GROUP), "-A CHAIN -j RETURN")],
  ["what is left of a group of ports is allowed", drop(4, inChainOf(MANY_GROUP, / -g /))],
  ["a class lets everyone in", before(4, line(API_8080), "-A CHAIN -j RETURN")],
  ["a class lets nobody in", before(4, line(API_8080), "-A CHAIN -g NFTPOL-DROP-INGRESS")],
  ["link-local sources pass", drop(6, link("-s fe80::"))],
  ["link-local destinations pass", drop(6, link("-d fe80::"))],
  ["multicast on the link passes", drop(6, link("-d ff02::"))],
  ["IPv4 multicast on the link passes", drop(4, link("-d 224"))],
  ["broadcast passes", drop(4, link("-d 255"))],
  ["more than broadcast is dropped", edit(4, link("-d 255"), "255.255.255.255/32", "255.255.255.254/31")],
  ["a type of neighbour discovery on the link is dropped", drop(6, link(".*icmpv6-type 134"))],
  ["DHCP on the link is dropped", drop(4, link("-p udp"))],
  ["DHCP to servers on the link is dropped", edit(4, link("-p udp"), "67,68", "68")],
  ["DHCPv6 to servers on the link is dropped", edit(6, link("-p udp"), ",547", "")],
  ["nobody asks for the link", drop(6, forward("-d fe00"))],
  ["nobody asks for link-local sources", drop(6, forward("-s fe80"))],
  ["nobody asks for IPv4 multicast", drop(4, forward("-d 224"))],
  ["what is dropped on the link is only logged", drop(4, line(/-A NFTPOL-LINK-DROP -g/))],
  ["what the node sends is judged too", before(4, line(/-A FORWARD/), "-A OUTPUT -j NFTPOL-FORWARD")],
  ["pod to own node is judged too", before(6, line(/-A FORWARD/), "-A INPUT -j NFTPOL-FORWARD")],
];

const SAME_ADDRESS = '-m bpf --bytecode "6,32 0 0 12,7 0 0 0,32 0 0 16,29 0 1 0,6 0 0 1,6 0 0 0"';

/** What no rule of ours asks of addresses that no pod has. */
const OTHERS: readonly (readonly [sentence: string, damage: Damage])[] = [
  ["what anybody sends to itself is dropped", before(4, forward("-d 224"), `-A CHAIN ${SAME_ADDRESS} -j DROP`)],
  [
    "what anybody sends to somebody else in a block is dropped",
    all(
      before(4, forward("-d 224"), "-A CHAIN -s 192.0.2.0/24 -d 192.0.2.0/24 -j DROP"),
      before(4, line(/-s 192\.0\.2\.0/), `-A CHAIN ${SAME_ADDRESS} -j RETURN`),
    ),
  ],
];

const ELEMENTS: readonly (readonly [sentence: string, damage: Damage])[] = [
  ["a peer pod is missing", removeElement(API_PEERS, "10.0.0.1")],
  ["a stranger is among the peers", addElement(API_PEERS, "10.0.0.9")],
  ["an address of the internet is among the peers", addElement(API_PEERS, "198.51.100.77")],
  ["a finished pod's address is among the peers", addElement(API_PEERS, "10.0.0.77")],
  ["an except is forgotten", addElement(API_BLOCKS, "10.0.3.0/24")],
  ["a block is missing", removeElement(API_BLOCKS, "10.0.2.0/24")],
  ["a block is halved", all(removeElement(API_BLOCKS, "10.2.0.0/15"), addElement(API_BLOCKS, "10.2.0.0/16"))],
  ["everything up to a block is in it", addElement(API_BLOCKS, "0.0.0.0/1")],
  [
    "a named port means another number on one pod",
    all(removeElement(NAMED, "10.0.1.3,tcp:8080"), addElement(NAMED, "10.0.1.3,tcp:8081")),
  ],
  [
    "a named port means another protocol on one pod",
    all(removeElement(NAMED, "10.0.1.3,tcp:8080"), addElement(NAMED, "10.0.1.3,udp:8080")),
  ],
  ["a named port is missing for one pod", removeElement(NAMED, "10.0.1.3,tcp:8080")],
  ["a named port is open on a stranger", addElement(NAMED, "10.0.0.9,tcp:8080")],
  ["a pod is not judged", removeElement("ingress4", "10.0.0.2")],
  ["a pod of IPv6 is not judged", removeElement("egress6", "fd00::1")],
  ["a pod is judged that no policy isolates", addElement("ingress4", "10.0.0.9")],
  ["a pod has no class", removeElement(API_PODS, "10.0.0.2")],
  [
    "a pod has no class, and what has none is open",
    all(removeElement(API_PODS, "10.0.0.2"), drop(4, line(/-A NFTPOL-INGRESS .*closed/))),
  ],
  ["a pod has another pod's class", all(removeElement(API_PODS, "10.0.0.2"), addElement(MANY_PODS, "10.0.0.2"))],
  ["a pod has two classes, and the wrong one comes first", addElement(API_PODS, "10.0.0.4")],
  ["a pod is missing among the isolated ones", removeElement("isolated4", "10.0.0.2")],
  ["a stranger is among the isolated ones", addElement("isolated4", "10.0.0.9")],
  [
    "the set of another purpose is looked up",
    edit(4, line(API_8080), /--match-set \S+/, "--match-set NFTPOL-isolated4"),
  ],
];

describe("the prover finds each mutation", () => {
  test("and nothing in the correct rules", () => {
    expect(prove(correct)).toMatchObject({ outcome: "equal", exhaustive: true });
  });

  test.each([...RULES, ...ELEMENTS, ...OTHERS])("%s", (_, damage) => {
    expect(prove(damage(correct)).outcome).toBe("different");
  });

  test("a rule that is never met harms nobody, and the prover says so", () => {
    const harmless = before(
      4,
      line(API_8080),
      '-A CHAIN -s 10.0.0.0/8 -d 10.0.0.0/8 -m limit --limit 5/sec --limit-burst 5 -j NFLOG --nflog-prefix "x" --nflog-group 7',
    );
    expect(prove(harmless(correct)).outcome).toBe("equal");
  });

  test.each<[sentence: string, damage: Damage]>([
    ["a look-up in a set that does not exist", edit(4, line(API_8080), /--match-set \S+/, "--match-set NFTPOL-gone")],
    ["a look-up of addresses by ports", edit(4, line(API_8080), " src ", " src,dst ")],
    ["a look-up of destination ports by the sender", edit(4, line(WEB_NAMED), "dst,dst", "src,dst")],
    ["a look-up of destination ports by source ports", edit(4, line(WEB_NAMED), "dst,dst", "dst,src")],
    ["a chain that does not exist", edit(4, inChainOf(API_8080, / -g /), /-g .*/, "-g NFTPOL-gone")],
    [
      "a drop of so many packets a second",
      edit(4, line(/-A NFTPOL-DROP-INGRESS/), "-j", "-m limit --limit 10/sec --limit-burst 20 -j"),
    ],
    ["chains that lead in a circle", before(4, inChainOf(API_DENY, / -g /), "-A CHAIN -g CHAIN")],
  ])("%s is reported as unknown, never as equal", (_, damage) => {
    expect(prove(damage(correct)).outcome).toBe("unknown");
  });

  test.each<[sentence: string, damage: Damage]>([
    ["a flag test without its negation", edit(4, forward(".*tcp-flags"), "! --tcp-flags", "--tcp-flags")],
    ["a negated port", edit(4, line(API_8080), "--dport", "! --dport")],
    ["a negated block", edit(4, line(WEB_BLOCK), "-d", "! -d")],
    ["another BPF program", edit(4, inChainOf(API_DENY, /bpf/), "6,32 0 0 12", "6,32 0 0 13")],
    ["a source port of TCP where none is", before(4, line(API_8080), "-A CHAIN -p tcp -m tcp --sport 1:2 -j RETURN")],
    ["an interface", before(4, line(API_8080), "-A CHAIN -i eth0 -j RETURN")],
    ["a mark", before(4, line(API_8080), "-A CHAIN -m mark --mark 0x7 -j RETURN")],
    ["ACCEPT, which ours never do", edit(4, line(API_8080), "RETURN", "ACCEPT")],
  ])("%s is found as a rule that is not ours", (_, damage) => {
    expect(foundIn(damage(correct)).unknown).toHaveLength(1);
  });
});
