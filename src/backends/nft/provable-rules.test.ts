// What the prover is told of a table: which links depend on addresses, and what packets are compared with.

import { describe, expect, it } from "vitest";
import { type Address, parseAddress } from "../../net/address.ts";
import { type ConstantsSink, UnprovableRule } from "../node-rules.ts";
import { firstPacket } from "../packet.ts";
import { concat, DROP, field, goto, inSet, is, jump, lookUp, masked, rule } from "./build.ts";
import { nftRules } from "./provable-rules.ts";
import type { Field, NamedSet, Rule, Ruleset, Statement, Verdict, VerdictMap } from "./ruleset.ts";

const common = { interval: false, size: undefined, comment: undefined };

function map(name: string, key: readonly Field[], elements: Readonly<Record<string, Verdict>>): VerdictMap {
  return { kind: "map", name, key, ...common, elements: new Map(Object.entries(elements)) };
}

const SETS: readonly (NamedSet | VerdictMap)[] = [
  map("by-source", ["ip saddr"], { "10.0.0.1": goto("a"), "10.0.0.2": DROP }),
  map("by-port", ["meta l4proto", "th dport"], { "tcp . 80": jump("a"), "udp . 53": jump("b") }),
  map("by-pair", ["ip saddr", "ip daddr"], { "10.0.0.1 . 10.0.0.2": jump("a") }),
  {
    kind: "set",
    name: "named",
    key: ["ip daddr", "meta l4proto", "th dport"],
    ...common,
    elements: new Set(["10.0.0.3 . tcp . 8080"]),
  },
];

/** `forward` with one rule, and two empty chains. */
function table(only: Rule): Ruleset {
  const chain = (name: string, rules: readonly Rule[], hook?: "forward") => ({
    name,
    hook: hook && { name: hook, priority: 0 },
    comment: undefined,
    rules,
  });
  const chains = [chain("forward", [only], "forward"), chain("a", []), chain("b", [])];
  return {
    table: "t",
    counters: new Set(),
    sets: new Map(SETS.map((set) => [set.name, set])),
    chains: new Map(chains.map((each) => [each.name, each])),
  };
}

const alone = (statement: Statement): Rule => ({ statements: [statement], comment: undefined });
const lookUpBoth = (name: string, ...fields: Field[]): Statement => ({
  kind: "vmap",
  key: concat(...fields),
  map: { kind: "map", name },
});

describe("links and tests", () => {
  it.each<[string, Rule, object]>([
    ["a jump is taken always", rule([is("ip saddr", "10.0.0.1")], jump("a")), { always: ["a"] }],
    [
      "an element of a map by address is a guarded link, and one that decides is none",
      alone(lookUp("ip saddr", "by-source")),
      { always: [], tests: [{ side: "source", entries: [{ target: "a" }, { target: undefined, answer: " drop" }] }] },
    ],
    [
      "a map of other keys leads everywhere always",
      alone(lookUpBoth("by-port", "meta l4proto", "th dport")),
      { always: ["a", "b"], tests: [] },
    ],
    [
      "a map by both addresses leads everywhere always, and names pairs",
      alone(lookUpBoth("by-pair", "ip saddr", "ip daddr")),
      { always: ["a"], tests: [], pairs: [{ source: "10.0.0.1", destination: "10.0.0.2" }] },
    ],
    [
      "ports beside an address are that element's own",
      rule([inSet(concat("ip daddr", "meta l4proto", "th dport"), "named")], DROP),
      { tests: [{ side: "destination", entries: [{ ports: [{ first: 8080, last: 8080 }], target: undefined }] }] },
    ],
  ])("%s", (_, only, facts) => {
    expect(nftRules(table(only)).chainFacts("forward", 4)).toMatchObject(facts);
  });

  it("of the other family are none", () => {
    const rules = nftRules(table(alone(lookUp("ip saddr", "by-source"))));
    expect(rules.chainFacts("forward", 6)).toEqual({ tests: [], pairs: [], comparesEnds: false, always: [] });
  });

  it.each<[string, Rule]>([
    ["a mask that is no prefix", rule([is(masked("ip saddr", "255.0.255.0"), "10.0.0.0")], DROP)],
    ["a set that does not exist", rule([inSet("ip saddr", "gone")], DROP)],
  ])("are refused for %s", (_, only) => {
    expect(() => nftRules(table(only)).chainFacts("forward", 4)).toThrow(UnprovableRule);
  });
});

/** Writes down what it is told. */
function writtenConstants(only: Rule): string[] {
  const written: string[] = [];
  const write =
    (what: string) =>
    (...values: readonly unknown[]) =>
      written.push(`${what} ${values.join(" ")}`);
  const sink: ConstantsSink = {
    addPorts: write("ports"),
    addSourcePort: write("source port"),
    addProtocol: write("protocol"),
    addIcmpv6Type: write("type"),
    addFlagTest: write("flags"),
    addState: write("state"),
  };
  nftRules(table(only)).addConstants("forward", 4, sink);
  return written;
}

describe("constants", () => {
  it.each<[string, Rule, string[]]>([
    ["one port and a range", rule([is("tcp dport", "80", "90-99")], DROP), ["ports 80 80", "ports 90 99"]],
    ["a source port", rule([is("udp sport", "67")], DROP), ["source port 67", "source port 67"]],
    ["a protocol by its word", rule([is("meta l4proto", "gre")], DROP), ["protocol 47"]],
    ["an ICMPv6 type by its word", rule([is("icmpv6 type", "nd-redirect")], DROP), ["type 137"]],
    ["states that there are", rule([is("ct state", "invalid", "dreaming")], DROP), ["state invalid"]],
    ["flags under a mask", rule([is(masked("tcp flags", "syn", "ack"), "syn")], DROP), ["flags syn,ack syn"]],
    [
      "keys of a map",
      alone(lookUpBoth("by-port", "meta l4proto", "th dport")),
      ["protocol 6", "ports 80 80", "protocol 17", "ports 53 53"],
    ],
    [
      "keys of an anonymous map",
      alone({
        kind: "vmap",
        key: field("tcp dport"),
        map: { kind: "values", entries: [{ element: "22", verdict: DROP }] },
      }),
      ["ports 22 22"],
    ],
    ["nothing of addresses", rule([is("ip saddr", "10.0.0.1")], DROP), []],
    [
      "nothing of what stands beside an address",
      rule([inSet(concat("ip daddr", "meta l4proto", "th dport"), "named")], DROP),
      [],
    ],
  ])("%s", (_, only, expected) => {
    expect(writtenConstants(only)).toEqual(expected);
  });
});

it("steps are as nft writes them", () => {
  const address = (text: string) => parseAddress(text)?.address as Address;
  const flow = { source: address("10.0.0.2"), destination: address("10.0.0.3") };
  const packet = firstPacket({ ...flow, traffic: { kind: "other", protocol: 47 } }, "forward", false);
  const { verdict, byPolicy, steps } = nftRules(table(alone(lookUp("ip saddr", "by-source")))).trace(packet);
  expect({ verdict, byPolicy, steps: steps() }).toEqual({
    verdict: "drop",
    byPolicy: false,
    steps: [
      {
        chain: "forward",
        ruleIndex: 0,
        rule: "ip saddr vmap @by-source",
        element: "10.0.0.2",
        verdict: "drop",
      },
    ],
  });
});
