// What iptables-save and ipset wrote -> what is there of ours. What is not ours in our chains and sets is reported, never guessed; what
// is others' is not looked at.

import { describe, expect, it } from "vitest";
import { isNothing, readBack } from "./read-back.ts";
import { ruleText } from "./text.ts";

const table = (...lines: string[]) =>
  ["*filter", ":INPUT ACCEPT [5:300]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]", ...lines, "COMMIT", ""].join(
    "\n",
  );
const read = (lines: readonly string[], sets: readonly string[] = []) =>
  readBack({ rules: { 4: table(...lines) }, sets: sets.map((line) => `${line}\n`).join("") });
const rulesOf = ({ ruleset }: ReturnType<typeof read>, chain: string) =>
  ruleset.chains[4].get(chain)?.rules.map((rule) => ruleText(rule, 4));

const OURS = ":NFTPOL-FORWARD - [0:0]";
const JUMP = "-A FORWARD -m comment --comment nftpol -j NFTPOL-FORWARD";

describe("chains", () => {
  it("are ours by their names, with their rules in order", () => {
    const found = read([
      OURS,
      ":NFTPOL-EMPTY - [0:0]",
      "-A NFTPOL-FORWARD -p tcp -j RETURN",
      "-A NFTPOL-FORWARD -j DROP",
    ]);
    expect([...found.ruleset.chains[4].keys()]).toEqual(["NFTPOL-FORWARD", "NFTPOL-EMPTY"]);
    expect(rulesOf(found, "NFTPOL-FORWARD")).toEqual(["-p tcp -j RETURN", "-j DROP"]);
    expect(found.ruleset.chains[6].size).toBe(0);
    expect(found.unknown).toEqual([]);
  });

  it("of others are not ours, however similar their names are, and whatever is in them", () => {
    const found = read([
      ":NFTPOL - [0:0]",
      ":NFTPOLX-A - [0:0]",
      ":nftpol-a - [0:0]",
      "-A NFTPOL -m mark --mark 0x1 -j ACCEPT",
      "-A NFTPOLX-A -j NFTPOL",
      "-A FORWARD -j NFTPOL",
      '-A FORWARD -m comment --comment "before -j NFTPOL-FORWARD" -j NFTPOLX-A',
    ]);
    expect(isNothing(found)).toBe(true);
    expect(found.unknown).toEqual([]);
  });

  it("with rules that we do not understand are named with their places, and the rest is read", () => {
    const found = read([
      OURS,
      "-A NFTPOL-FORWARD -p tcp -j RETURN",
      "-A NFTPOL-FORWARD -j ACCEPT",
      "-A NFTPOL-FORWARD -j DROP",
    ]);
    expect(rulesOf(found, "NFTPOL-FORWARD")).toEqual(["-p tcp -j RETURN", "-j DROP"]);
    expect(found.unknown).toEqual([
      {
        where: "chain NFTPOL-FORWARD of IPv4, rule 2",
        text: "-A NFTPOL-FORWARD -j ACCEPT",
        chain: { family: 4, name: "NFTPOL-FORWARD" },
        set: undefined,
      },
    ]);
  });
});

describe("jumps", () => {
  it.each<[sentence: string, lines: readonly string[], positions: readonly number[], isFirst: boolean]>([
    ["the first rule is our jump", [JUMP, "-A FORWARD -j OTHER"], [0], true],
    ["others' rules stand before it", ["-A FORWARD -j OTHER", "-A FORWARD -i eth0 -j ACCEPT", JUMP], [2], false],
    ["it is there several times", [JUMP, "-A FORWARD -j OTHER", JUMP], [0, 2], true],
    ["it leads to any chain of ours", ["-A FORWARD -g NFTPOL-EGRESS"], [0], true],
    ["it has a condition that we know", ["-A FORWARD -s 10.0.0.0/8 -j NFTPOL-FORWARD"], [0], true],
    ["it has one that we do not know: it is others'", ["-A FORWARD -i eth0 -j NFTPOL-FORWARD", JUMP], [1], false],
    ["there is none", ["-A FORWARD -j OTHER"], [], false],
  ])("%s", (_, lines, positions, isFirst) => {
    const found = read([OURS, ...lines]);
    expect(found.jumps[4].map(({ chain, position }) => [chain, position])).toEqual(
      positions.map((position) => ["FORWARD", position]),
    );
    expect(found.ruleset.chains[4].has("FORWARD")).toBe(isFirst);
  });
});

const create = (name: string, rest = "hash:ip family inet hashsize 64 maxelem 65536 bucketsize 12 initval 0x7f") =>
  `create ${name} ${rest}`;

describe("sets", () => {
  it("are ours by their names, with type, family, size and elements", () => {
    const { ruleset, unknown } = read(
      [],
      [
        create("NFTPOL-p4-a"),
        create("NFTPOL-c6-b.1z", "hash:net family inet6 hashsize 64 maxelem 2"),
        create("NFTPOL-d4-c", "hash:ip,port family inet hashsize 64 maxelem 9"),
        create("NFTPOL"),
        create("KUBE-LOOP-BACK"),
        "add NFTPOL-p4-a 10.0.0.1",
        "add NFTPOL-c6-b.1z fd00::/64",
        "add NFTPOL-c6-b.1z ::ffff:10.0.0.1",
        "add NFTPOL-d4-c 10.0.0.1,tcp:80",
        "add NFTPOL 10.0.0.9",
      ],
    );
    expect(unknown).toEqual([]);
    expect([...ruleset.sets.values()].map((set) => ({ ...set, elements: [...set.elements] }))).toEqual([
      { name: "NFTPOL-p4-a", type: "hash:ip", family: 4, maxElements: 65536, elements: ["10.0.0.1"] },
      {
        name: "NFTPOL-c6-b.1z",
        type: "hash:net",
        family: 6,
        maxElements: 2,
        elements: ["fd00::/64", "::ffff:a00:1"],
      },
      { name: "NFTPOL-d4-c", type: "hash:ip,port", family: 4, maxElements: 9, elements: ["10.0.0.1,tcp:80"] },
    ]);
  });

  it.each([
    ["elements that expire", create("NFTPOL-a", "hash:ip family inet hashsize 64 maxelem 65536 timeout 300")],
    ["elements that count", create("NFTPOL-a", "hash:ip family inet hashsize 64 maxelem 65536 counters")],
    ["blocks for elements", create("NFTPOL-a", "hash:ip family inet netmask 24 hashsize 64 maxelem 65536")],
    ["another type", create("NFTPOL-a", "hash:net,iface family inet hashsize 64 maxelem 65536")],
    ["no family", create("NFTPOL-a", "list:set size 8")],
    ["room for nothing", create("NFTPOL-a", "hash:ip family inet hashsize 64 maxelem 0")],
  ])("with %s are not ours, and one line says so", (_, line) => {
    const { ruleset, unknown } = read([], [line, "add NFTPOL-a 10.0.0.1 timeout 7", "add NFTPOL-a 10.0.0.2 timeout 8"]);
    expect([...ruleset.sets.keys()]).toEqual(["NFTPOL-a"]);
    expect(unknown).toEqual([{ where: "set NFTPOL-a", text: line, chain: undefined, set: "NFTPOL-a" }]);
  });

  it("with an element that means its opposite are not ours", () => {
    const { unknown } = read([], [create("NFTPOL-a"), "add NFTPOL-a 10.0.0.0/8", "add NFTPOL-a 10.1.0.0/16 nomatch"]);
    expect(unknown).toEqual([
      { where: "set NFTPOL-a", text: "add NFTPOL-a 10.1.0.0/16 nomatch", chain: undefined, set: "NFTPOL-a" },
    ]);
  });
});

it.each<[sentence: string, isThere: boolean, lines: readonly string[], sets?: readonly string[]]>([
  ["nothing is ours", false, ["-A FORWARD -j OTHER"], [create("NFTPOL")]],
  ["a chain is", true, [OURS]],
  ["a jump is", true, ["-A OUTPUT -j NFTPOL-OUTPUT"]],
  ["a set is", true, [], [create("NFTPOL-a")]],
])("whether there is anything: %s", (_, isThere, lines, sets) => {
  expect(isNothing(read(lines, sets))).toBe(!isThere);
});
