// The walk through chains: how verdicts move a packet, and when nothing can be said.

import { describe, expect, it } from "vitest";
import { type Address, parseAddress } from "../../net/address.ts";
import { Untraceable } from "../node-rules.ts";
import { firstPacket, type Packet } from "../packet.ts";
import { ACCEPT, DROP, field, goto, inSet, is, isNot, jump, lookUp, masked, RETURN, rule } from "./build.ts";
import type { Chain, NamedSet, Rule, Ruleset, Statement, VerdictMap } from "./ruleset.ts";
import { tracePacket } from "./trace.ts";

const address = (text: string) => parseAddress(text)?.address as Address;

const packet: Packet = firstPacket(
  {
    source: address("10.0.0.1"),
    destination: address("10.0.0.2"),
    traffic: { kind: "ports", protocol: "TCP", port: 80 },
  },
  "forward",
  false,
);

/** Chains by name; `forward` is the base chain. */
function table(chains: Record<string, Rule[]>, sets: readonly (NamedSet | VerdictMap)[] = []): Ruleset {
  const all = Object.entries(chains).map(
    ([name, rules]): Chain => ({
      name,
      hook: name === "forward" ? { name: "forward", priority: 0 } : undefined,
      comment: undefined,
      rules,
    }),
  );
  return {
    table: "t",
    counters: new Set(),
    chains: new Map(all.map((chain) => [chain.name, chain])),
    sets: new Map(sets.map((set) => [set.name, set])),
  };
}

const go = (verdict: Parameters<typeof rule>[1]) => rule([], verdict);
const common = { interval: false, size: undefined, comment: undefined };

describe("verdicts", () => {
  it.each<[string, Record<string, Rule[]>, string, boolean]>([
    ["a chain without rules accepts by its policy", { forward: [] }, "accept", true],
    ["a rule that does not match is passed over", { forward: [rule([is("tcp dport", "81")], DROP)] }, "accept", true],
    ["the first verdict decides", { forward: [go(DROP), go(ACCEPT)] }, "drop", false],
    ["a jump comes back", { forward: [go(jump("a")), go(DROP)], a: [] }, "drop", false],
    ["a goto does not come back", { forward: [go(goto("a")), go(DROP)], a: [] }, "accept", true],
    [
      "a return ends the chain only",
      { forward: [go(jump("a")), go(DROP)], a: [go(RETURN), go(ACCEPT)] },
      "drop",
      false,
    ],
    ["a return in the base chain is its policy", { forward: [go(RETURN), go(DROP)] }, "accept", true],
    [
      "a goto inside a jump comes back to the jump",
      { forward: [go(jump("a")), go(DROP)], a: [go(goto("b")), go(ACCEPT)], b: [] },
      "drop",
      false,
    ],
    [
      "a return after a goto comes back to the jump",
      { forward: [go(jump("a")), go(DROP)], a: [go(goto("b")), go(ACCEPT)], b: [go(RETURN)] },
      "drop",
      false,
    ],
    [
      "an accept in a deep chain is final",
      { forward: [go(jump("a")), go(DROP)], a: [go(jump("b"))], b: [go(ACCEPT)] },
      "accept",
      false,
    ],
    [
      "a rule without a verdict lets the packet go on",
      { forward: [{ statements: [{ kind: "counter", name: "c" }], comment: undefined }, go(DROP)] },
      "drop",
      false,
    ],
  ])("%s", (_, chains, verdict, byPolicy) => {
    expect(tracePacket(table(chains), packet)).toMatchObject({ verdict, byPolicy });
  });

  it("name the rules that matched, in order", () => {
    const chains = { forward: [rule([is("tcp dport", "81")], DROP), go(jump("a")), go(DROP)], a: [go(RETURN)] };
    const { steps } = tracePacket(table(chains), packet);
    expect(steps.map((step) => `${step.chain} ${step.ruleIndex}`)).toEqual(["forward 1", "a 0", "forward 2"]);
  });

  it("a hook without a chain accepts", () => {
    expect(tracePacket(table({ forward: [go(DROP)] }), { ...packet, hook: "output" })).toEqual({
      verdict: "accept",
      steps: [],
      byPolicy: true,
    });
  });
});

describe("nothing is said of", () => {
  const inNoSet: Statement = inSet("ip saddr", "nowhere");
  const plainSet: NamedSet = { kind: "set", name: "s", key: ["ip saddr"], ...common, elements: new Set(["10.0.0.1"]) };
  it.each<[string, Ruleset]>([
    ["a chain that is missing", table({ forward: [go(jump("gone"))] })],
    ["a set that is missing", table({ forward: [rule([inNoSet], DROP)] })],
    ["a map that is missing", table({ forward: [{ statements: [lookUp("ip saddr", "gone")], comment: undefined }] })],
    [
      "a set used as a map",
      table({ forward: [{ statements: [lookUp("ip saddr", "s")], comment: undefined }] }, [plainSet]),
    ],
    ["chains that go in a circle", table({ forward: [go(goto("a"))], a: [go(goto("b"))], b: [go(goto("a"))] })],
    ["chains that jump in a circle", table({ forward: [go(jump("a"))], a: [go(jump("a"))] })],
    ["a word that is no number", table({ forward: [rule([is("tcp dport", "http-alt")], DROP)] })],
    ["a mask that is no address", table({ forward: [rule([is(masked("ip saddr", "fast"), "10.0.0.0")], DROP)] })],
  ])("%s", (_, ruleset) => {
    expect(() => tracePacket(ruleset, packet)).toThrow(Untraceable);
  });
});

/** A chain of so many jumps, the last of which drops. */
function deep(jumps: number): Ruleset {
  const chains: Record<string, Rule[]> = { forward: [go(jump("c1"))] };
  for (let index = 1; index <= jumps; index++)
    chains[`c${index}`] = [index === jumps ? go(DROP) : go(jump(`c${index + 1}`))];
  return table(chains);
}

it.each([
  [1, "drop"],
  [15, "drop"],
  [17, "untraceable"],
])("%s jumps inside each other end in: %s", (jumps, expected) => {
  const trace = () => tracePacket(deep(jumps), packet);
  if (expected === "untraceable") expect(trace).toThrow(Untraceable);
  else expect(trace().verdict).toBe(expected);
});

describe("matches", () => {
  const range: NamedSet = {
    ...common,
    kind: "set",
    name: "s",
    key: ["ip saddr"],
    interval: true,
    elements: new Set(["10.0.0.0/24"]),
  };
  const map: VerdictMap = {
    ...common,
    kind: "map",
    name: "m",
    key: ["ip saddr"],
    elements: new Map([["10.0.0.1", DROP]]),
  };
  const vmap = (element: string): Statement => ({
    kind: "vmap",
    key: field("tcp dport"),
    map: { kind: "values", entries: [{ element, verdict: DROP }] },
  });
  it.each<[string, Statement, boolean]>([
    ["one value", is("tcp dport", "80"), true],
    ["one of several values", is("tcp dport", "79", "80"), true],
    ["a range", is("tcp dport", "70-80"), true],
    ["no value of a list", is("tcp dport", "79", "81-90"), false],
    ["not the value", isNot("tcp dport", "80"), false],
    ["a prefix", is("ip saddr", "10.0.0.0/8"), true],
    ["a field that the packet lacks", is("udp dport", "80"), false],
    ["a negated field that the packet lacks", isNot("udp dport", "80"), false],
    ["a field of the other family", isNot("ip6 saddr", "::1"), false],
    ["flags under a mask", is(masked("tcp flags", "syn", "ack"), "syn"), true],
    ["a flag too few", is(masked("tcp flags", "syn", "ack"), "syn", "ack"), false],
    ["an address under a mask", is(masked("ip saddr", "255.255.255.0"), "10.0.0.0"), true],
    ["a connection state of several", is("ct state", "established", "new"), true],
    ["an interval set", inSet("ip saddr", "s"), true],
    ["no element of an interval set", inSet("ip saddr", "other"), false],
    ["an element of a map", lookUp("ip saddr", "m"), true],
    ["no element of a map", lookUp("ip daddr", "m"), false],
    ["an element of an anonymous map", vmap("80"), true],
    ["no element of an anonymous map", vmap("81"), false],
  ])("%s", (_, statement, expected) => {
    const other: NamedSet = { ...range, name: "other", elements: new Set(["10.0.1.0/24"]) };
    const ends = statement.kind === "vmap" ? { statements: [statement], comment: undefined } : rule([statement], DROP);
    const { verdict } = tracePacket(table({ forward: [ends] }, [range, other, map]), packet);
    expect(verdict === "drop").toBe(expected);
  });
});
