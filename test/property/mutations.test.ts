// The prover must find faults: each of these is a mistake that a compiler could make, put into correct rules by hand.
// A mutation that no packet could notice would prove nothing, so each one names the packet class that it harms.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { nftRules } from "../../src/backends/nft/provable-rules.ts";
import type { Rule, Ruleset, Statement, Verdict } from "../../src/backends/nft/ruleset.ts";
import { fillStore } from "../../src/cli/input.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { proveNode } from "../../src/prove/prove.ts";
import {
  chainNamed,
  dropRule,
  editRule,
  ruleWith,
  setNamed,
  swapRules,
  withElements,
  without,
  withRules,
  withVerdicts,
} from "../support/damaged-rules.ts";
import { loadTexts } from "../support/manifests.ts";

const manifests = readFileSync(new URL("./mutations.yaml", import.meta.url), "utf8");
const { store } = fillStore(await loadTexts({ "mutations.yaml": manifests })).input;
const correct = compileRuleset(new RuleGraph(store, "n1", DEFAULT_PROGRAM_OPTIONS).program());

function prove(ruleset: Ruleset) {
  return proveNode(store, "n1", nftRules(ruleset), DEFAULT_PROGRAM_OPTIONS);
}

const API4 = (ruleset: Ruleset) => chainNamed(ruleset, "ingress4_shop.api");
const API6 = (ruleset: Ruleset) => chainNamed(ruleset, "ingress6_shop.api");
const API4_DENY = (ruleset: Ruleset) => chainNamed(ruleset, "ingress4_shop.api", "_deny");
const WEB4_OUT = (ruleset: Ruleset) => chainNamed(ruleset, "egress4_shop.web");
const MANY4 = (ruleset: Ruleset) => chainNamed(ruleset, "ingress4_shop.many");

const MANY4_PORTS = (ruleset: Ruleset) => setNamed(ruleset, `${MANY4(ruleset).name}_ports`).name;
const FIRST_PORTS = "tcp . 1000-1001";

const RETURN_ALL: Rule = { statements: [{ kind: "verdict", verdict: { kind: "return" } }], comment: undefined };
const NOTHING: Statement = { kind: "counter", name: "drop_ingress" };

const mutations: readonly (readonly [string, (ruleset: Ruleset) => Ruleset])[] = [
  ["an allow rule is missing", (r) => dropRule(r, API4(r), "8080")],
  ["an allow rule of IPv6 is missing", (r) => dropRule(r, API6(r), "8080")],
  ["the deny at the end is missing", (r) => dropRule(r, API4(r), '"goto"')],
  ["the drop is missing", (r) => dropRule(r, API4_DENY(r), '"drop"')],
  ["a drop becomes accept", (r) => editRule(r, API4_DENY(r), '"drop"', (json) => json.replace('"drop"', '"accept"'))],
  ["an allow becomes drop", (r) => editRule(r, API4(r), "8080", (json) => json.replace('"return"', '"drop"'))],
  [
    "an egress allow accepts at once, so ingress is never asked",
    (r) => editRule(r, WEB4_OUT(r), "8080", (json) => json.replace('"return"', '"accept"')),
  ],
  ["the deny comes before an allow", (r) => swapRules(r, API4(r), ruleWith(API4(r), "8080"), API4(r).rules.length - 1)],
  [
    "ingress is dispatched before egress and by the wrong address",
    (r) => editRule(r, chainNamed(r, "forward"), "ingress4", (json) => json.replace("ip daddr", "ip saddr")),
  ],
  ["the egress dispatch is missing", (r) => dropRule(r, chainNamed(r, "forward"), "egress4")],
  ["IPv6 is not dispatched", (r) => dropRule(r, chainNamed(r, "forward"), "dispatch6")],
  ["known connections are not accepted", (r) => dropRule(r, chainNamed(r, "forward"), "established")],
  [
    "related packets are not accepted",
    (r) => editRule(r, chainNamed(r, "forward"), "established", (json) => json.replace(',"related"', "")),
  ],
  [
    "new packets count as established",
    (r) => editRule(r, chainNamed(r, "forward"), "established", (json) => json.replace('"related"', '"related","new"')),
  ],
  ["packets of unknown TCP connections pass", (r) => dropRule(r, chainNamed(r, "forward"), "midstream")],
  [
    "first packets count as unknown connections",
    (r) => editRule(r, chainNamed(r, "forward"), "midstream", (json) => json.replace('"!="', '"=="')),
  ],
  ["mid-connection packets of one direction pass", (r) => dropRule(r, chainNamed(r, "midstream"), "ip daddr")],
  ["a port is one wider", (r) => editRule(r, API4(r), "8080", (json) => json.replace('"8080"', '"8080-8081"'))],
  ["a port is another one", (r) => editRule(r, API4(r), "8080", (json) => json.replace('"8080"', '"8081"'))],
  [
    "a port range ends one early",
    (r) => editRule(r, API4(r), "9000-9010", (json) => json.replace("9000-9010", "9000-9009")),
  ],
  [
    "a port is opened for UDP too",
    (r) => editRule(r, API4(r), "8080", (json) => json.replace("tcp dport", "th dport")),
  ],
  [
    "a protocol is mistaken",
    (r) => editRule(r, API4(r), "9000-9010", (json) => json.replace("udp dport", "tcp dport")),
  ],
  [
    "a port rule forgets its peers",
    (r) =>
      editRule(r, API4(r), "8080", (json) =>
        json.replace(/,\{"kind":"match","left":\{"kind":"field","field":"ip saddr"\}[^}]*\}\}/, ""),
      ),
  ],
  [
    "a peer rule forgets its ports",
    (r) =>
      editRule(r, API4(r), "8080", (json) =>
        json.replace(/\{"kind":"match","left":\{"kind":"field","field":"tcp dport"\}[^}]*\}\},/, ""),
      ),
  ],
  [
    "source and destination are mistaken",
    (r) => editRule(r, API4(r), "8080", (json) => json.replace("ip saddr", "ip daddr")),
  ],
  ["an except is forgotten", (r) => withElements(r, "cidrs4_", (all) => [...all, "10.0.3.0/24 . 0-255"])],
  ["a block is missing", (r) => withElements(r, "cidrs4_", (all) => all.slice(1))],
  [
    "a block is one bit too wide",
    (r) => editRule(r, WEB4_OUT(r), "203.0.113.0/25", (json) => json.replace("203.0.113.0/25", "203.0.113.0/24")),
  ],
  [
    "a peer pod is missing from its set",
    (r) => withElements(r, "pods4_shop.app.web", (all) => without(all, "10.0.0.1")),
  ],
  ["a stranger is in a peer set", (r) => withElements(r, "pods4_shop.app.web", (all) => [...all, "10.0.0.9"])],
  [
    "an address of the internet is in a peer set",
    (r) => withElements(r, "pods4_shop.app.web", (all) => [...all, "198.51.100.77"]),
  ],
  [
    "a finished pod's address is in a peer set",
    (r) => withElements(r, "pods4_shop.app.web", (all) => [...all, "10.0.0.77"]),
  ],
  [
    "a named port means another number on one pod",
    (r) => withElements(r, "ports4_http", (all) => all.map((each) => each.replace("8080", "8081"))),
  ],
  [
    "a named port is missing for one pod",
    (r) => withElements(r, "ports4_http", (all) => without(all, "10.0.1.3 . tcp . 8080")),
  ],
  ["a pod is not dispatched", (r) => withVerdicts(r, "ingress4", (elements) => elements.delete("10.0.0.2"))],
  [
    "a pod is dispatched to another pod's class",
    (r) => withVerdicts(r, "ingress4", (elements) => elements.set("10.0.0.2", elements.get("10.0.0.4") as Verdict)),
  ],
  [
    "a pod is dispatched that no policy isolates",
    (r) => withVerdicts(r, "ingress4", (elements) => elements.set("10.0.0.9", elements.get("10.0.0.2") as Verdict)),
  ],
  [
    "a pod is dispatched without a way back",
    (r) => withVerdicts(r, "egress4", (elements) => elements.set("10.0.0.1", { kind: "accept" })),
  ],
  [
    "an isolated pod is missing from the isolated set",
    (r) => withElements(r, "isolated4", (all) => without(all, "10.0.0.2")),
  ],
  ["a pod may not reach itself", (r) => withElements(r, "self4", (all) => without(all, "10.0.0.2 . 10.0.0.2"))],
  ["a pod counts as another one's self", (r) => withElements(r, "self4", (all) => [...all, "10.0.0.9 . 10.0.0.2"])],
  ["the exception for a pod and itself is missing", (r) => dropRule(r, API4_DENY(r), "self4")],
  ["neighbour discovery is dropped", (r) => dropRule(r, chainNamed(r, "ingress6_shop.api", "_deny"), "icmpv6")],
  [
    "one ICMPv6 type too many passes",
    (r) =>
      editRule(r, chainNamed(r, "ingress6_shop.api", "_deny"), "icmpv6", (json) =>
        json.replace('"nd-redirect"', '"nd-redirect","echo-request"'),
      ),
  ],
  ["DHCP answers are dropped", (r) => dropRule(r, API4_DENY(r), "udp sport")],
  [
    "any sender may answer as a DHCP server",
    (r) =>
      editRule(r, API4_DENY(r), "udp sport", (json) =>
        json.replace(/\{"kind":"match","left":\{"kind":"field","field":"udp sport"\}[^}]*\}\},/, ""),
      ),
  ],
  [
    "one port of a look-up by port goes to another group",
    (r) =>
      withVerdicts(r, MANY4_PORTS(r), (map) =>
        map.set(FIRST_PORTS, { kind: "goto", chain: chainNamed(r, "ingress4_shop.many", "_ports2").name }),
      ),
  ],
  [
    "one port is missing from a look-up by port",
    (r) => withVerdicts(r, MANY4_PORTS(r), (map) => expect(map.delete(FIRST_PORTS)).toBe(true)),
  ],
  ["a look-up by port asks for nothing", (r) => dropRule(r, MANY4(r), "vmap")],
  [
    "the peers of one port group are missing",
    (r) => withRules(r, chainNamed(r, "ingress4_shop.many", "_ports1"), (rules) => rules.slice(1)),
  ],
  [
    "a port group lets everyone in",
    (r) => withRules(r, chainNamed(r, "ingress4_shop.many", "_ports1"), () => [RETURN_ALL]),
  ],
  ["a class lets everyone in", (r) => withRules(r, API4(r), (rules) => [RETURN_ALL, ...rules])],
  ["link-local sources pass", (r) => dropRule(r, chainNamed(r, "link_scope"), "ip6 saddr")],
  [
    "link-local destinations pass",
    (r) => dropRule(r, chainNamed(r, "link_scope"), '"values":["fe80::/10"]}},{"kind":"verdict"'),
  ],
  ["multicast on the link passes", (r) => dropRule(r, chainNamed(r, "link_scope"), "ff02::/16")],
  ["IPv4 multicast on the link passes", (r) => dropRule(r, chainNamed(r, "link_scope"), "224.0.0.0/24")],
  ["broadcast passes", (r) => dropRule(r, chainNamed(r, "link_scope"), "255.255.255.255")],
  ["neighbour discovery on the link is dropped", (r) => dropRule(r, chainNamed(r, "link_scope"), "icmpv6")],
  ["DHCP on the link is dropped", (r) => dropRule(r, chainNamed(r, "link_scope"), "udp dport")],
  [
    "DHCP to servers on the link is dropped",
    (r) => editRule(r, chainNamed(r, "link_scope"), "udp dport", (json) => json.replace('"67",', "")),
  ],
  [
    "DHCPv6 to servers on the link is dropped",
    (r) => editRule(r, chainNamed(r, "link_scope"), "udp dport", (json) => json.replace(',"547"', "")),
  ],
  [
    "more than broadcast is dropped",
    (r) =>
      editRule(r, chainNamed(r, "link_scope"), "255.255.255.255", (json) =>
        json.replace("255.255.255.255", "255.255.255.254/31"),
      ),
  ],
  ["nobody asks for link-local", (r) => dropRule(r, chainNamed(r, "dispatch6"), "fe00::/7")],
  ["nobody asks for link-local sources", (r) => dropRule(r, chainNamed(r, "dispatch6"), "fe80::/10")],
  ["nobody asks for IPv4 multicast", (r) => dropRule(r, chainNamed(r, "forward"), "224.0.0.0/3")],
  [
    "what the node sends is judged too",
    (r) => ({
      ...r,
      chains: new Map(r.chains).set("output", {
        ...chainNamed(r, "forward"),
        name: "output",
        hook: { name: "output", priority: -5 },
      }),
    }),
  ],
  [
    "pod to own node is judged too",
    (r) => ({
      ...r,
      chains: new Map(r.chains).set("input", {
        ...chainNamed(r, "forward"),
        name: "input",
        hook: { name: "input", priority: -5 },
      }),
    }),
  ],
  [
    "the forward hook is gone",
    (r) => ({ ...r, chains: new Map([...r.chains].filter(([name]) => name !== "forward")) }),
  ],
];

describe("the prover finds each mutation", () => {
  test("and nothing in the correct rules", () => {
    expect(prove(correct)).toMatchObject({ outcome: "equal", exhaustive: true });
  });

  test.each(mutations)("%s", (_, mutate) => {
    const proof = prove(mutate(correct));
    expect(proof.outcome).toBe("different");
  });

  test("a rule that is never met harms nobody, and the prover says so", () => {
    const harmless = withRules(correct, API4(correct), (rules) => [
      { statements: [NOTHING], comment: "counts" },
      ...rules,
    ]);
    expect(prove(harmless).outcome).toBe("equal");
  });

  test("a look-up in a set that does not exist is reported as unknown, never as equal", () => {
    const broken = editRule(correct, API4(correct), "8080", (json) =>
      json.replace(/"name":"pods4[^"]*"/, '"name":"gone"'),
    );
    expect(prove(broken)).toMatchObject({ outcome: "unknown" });
  });
});
