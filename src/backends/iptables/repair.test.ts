// What is done about what was found: which sets are kept, which are made anew under which names, and how our jumps get to the top.

import { describe, expect, it } from "vitest";
import { ownJump } from "./base-chains.ts";
import { chain, DROP, inSet, jump, rule } from "./build.ts";
import type { FoundRules } from "./read-back.ts";
import { differenceTo, NOTHING_DESIRED } from "./repair.ts";
import type { Chain, IpSet, IptablesRuleset } from "./ruleset.ts";
import { stageText } from "./stages.ts";

const set = (name: string, ...elements: readonly string[]): IpSet => ({
  name,
  type: "hash:ip",
  family: 4,
  maxElements: 65536,
  elements: new Set(elements),
});
const looksUp = (name: string) => chain("NFTPOL-FORWARD", [rule([inSet(name, "src")], DROP)]);
const named = <T extends { readonly name: string }>(...all: readonly T[]) =>
  new Map(all.map((each) => [each.name, each]));

function found(chains: readonly Chain[], sets: readonly IpSet[], rest: Partial<FoundRules> = {}): FoundRules {
  return {
    ruleset: { chains: { 4: named(...chains), 6: new Map() }, sets: named(...sets) },
    jumps: { 4: [], 6: [] },
    unknown: [],
    ...rest,
  };
}

const wanted = (chains: readonly Chain[], ...sets: readonly IpSet[]): IptablesRuleset => ({
  chains: { 4: named(...chains), 6: new Map() },
  sets: named(...sets),
});

/** All lines that the programs would read, save those of the frame. */
function lines(before: FoundRules, after: IptablesRuleset, anew = false): readonly string[] {
  const texts = differenceTo(before, after, anew).stages.map(stageText).join("");
  return texts.split("\n").filter((line) => line !== "" && line !== "*filter" && line !== "COMMIT");
}

const A = set("NFTPOL-a", "10.0.0.1");
const CREATE = (name: string) => `create ${name} hash:ip family inet hashsize 64 maxelem 65536`;

describe("a set", () => {
  it("that is as it should be is kept, under whatever name, and so are the rules that look it up", () => {
    for (const name of ["NFTPOL-a", "NFTPOL-a.z"]) {
      const before = found([looksUp(name)], [set(name, "10.0.0.1")]);
      expect(lines(before, wanted([looksUp("NFTPOL-a")], A))).toEqual([]);
    }
  });

  it("of which there are two is the one that rules look up; the other goes", () => {
    const equal = [set("NFTPOL-a", "10.0.0.1"), set("NFTPOL-a.1", "10.0.0.1")];
    for (const sets of [equal, equal.toReversed()]) {
      for (const [used, left] of [
        ["NFTPOL-a", "NFTPOL-a.1"],
        ["NFTPOL-a.1", "NFTPOL-a"],
      ] as const) {
        const after = wanted([looksUp("NFTPOL-a")], A);
        expect(lines(found([looksUp(used)], sets), after)).toEqual([`destroy ${left}`]);
      }
    }
  });

  it.each([
    ["other elements", set("NFTPOL-a", "10.0.0.2"), []],
    ["another type", { ...A, type: "hash:net" as const }, []],
    ["an element that we do not understand", A, [{ where: "", text: "", chain: undefined, set: "NFTPOL-a" }]],
  ])("with %s is made anew under a name that is free, then looked up, then the old one goes", (_, old, unknown) => {
    const before = found([looksUp("NFTPOL-a")], [old, set("NFTPOL-a.1")], { unknown });
    expect(lines(before, wanted([looksUp("NFTPOL-a")], A))).toEqual([
      CREATE("NFTPOL-a.2"),
      "add NFTPOL-a.2 10.0.0.1",
      ":NFTPOL-FORWARD - [0:0]",
      "-A NFTPOL-FORWARD -m set --match-set NFTPOL-a.2 src -j DROP",
      "destroy NFTPOL-a",
      "destroy NFTPOL-a.1",
    ]);
  });
});

describe("a chain", () => {
  it("that is not wanted goes", () => {
    const before = found([chain("NFTPOL-OLD", [rule([], DROP)])], []);
    expect(lines(before, NOTHING_DESIRED)).toEqual([":NFTPOL-OLD - [0:0]", "-X NFTPOL-OLD"]);
  });

  it("that is not wanted is only emptied when all is made anew: perhaps it is why the difference was refused", () => {
    const before = found([chain("NFTPOL-OLD", [rule([], DROP)]), looksUp("NFTPOL-a")], [A]);
    expect(lines(before, wanted([looksUp("NFTPOL-a")], A), true)).toEqual([
      CREATE("NFTPOL-a.1"),
      "add NFTPOL-a.1 10.0.0.1",
      ":NFTPOL-FORWARD - [0:0]",
      ":NFTPOL-OLD - [0:0]",
      "-A NFTPOL-FORWARD -m set --match-set NFTPOL-a.1 src -j DROP",
      "destroy NFTPOL-a",
    ]);
  });
});

describe("our jump", () => {
  const OURS = "FORWARD 1 -m comment --comment nftpol -j NFTPOL-FORWARD";
  const GOES = "-D FORWARD -m comment --comment nftpol -j NFTPOL-FORWARD";
  const base = chain("NFTPOL-FORWARD", []);
  const own = ownJump("FORWARD").rules.map((each) => ({ chain: "FORWARD" as const, rule: each }));
  const other = { chain: "FORWARD" as const, rule: rule([], jump("NFTPOL-FORWARD")) };
  const at = (position: number) => own.map((each) => ({ ...each, position }));
  const jumpsTo = (four: FoundRules["jumps"][4]) => ({ jumps: { 4: four, 6: [] } });

  it.each([
    ["stays where it is the first rule", at(0), []],
    ["is put there where there is none", [], [`-I ${OURS}`]],
    ["goes to the top where it is not", at(3), [GOES, `-I ${OURS}`]],
    ["is there once", [...at(0), ...at(4)], [GOES, GOES, `-I ${OURS}`]],
    [
      "takes the place of another one",
      [{ ...other, position: 0 }, ...at(1)],
      ["-D FORWARD -j NFTPOL-FORWARD", GOES, `-I ${OURS}`],
    ],
  ])("%s", (_, jumps, expected) => {
    expect(lines(found([base], [], jumpsTo(jumps)), wanted([base, ownJump("FORWARD")]))).toEqual(expected);
  });

  it("goes from where it should not be", () => {
    const output = own.map(({ rule: each }) => ({ chain: "OUTPUT" as const, rule: each, position: 0 }));
    expect(lines(found([base], [], jumpsTo([...at(0), ...output])), wanted([base, ownJump("FORWARD")]))).toEqual([
      "-D OUTPUT -m comment --comment nftpol -j NFTPOL-FORWARD",
    ]);
  });
});
