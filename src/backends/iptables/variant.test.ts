// Which variant of iptables is chosen, from what the two hold.

import { describe, expect, it } from "vitest";
import { decideVariant, type HeldRules, heldRules, NO_RULES, united } from "./variant.ts";
import type { Variant } from "./xtables-version.ts";

const rules = (foreignRules: number): HeldRules => ({ ...NO_RULES, foreignRules });
const kubelet: HeldRules = { ...NO_RULES, kubeletChain: "KUBE-IPTABLES-HINT" };

describe("the decision", () => {
  it.each<
    [
      sentence: string,
      wish: Variant | undefined,
      nft: HeldRules | undefined,
      legacy: HeldRules | undefined,
      plain: Variant | undefined,
      chosen: Variant | undefined,
      reason: string,
    ]
  >([
    [
      "a wish is more than anything",
      "legacy",
      { ...kubelet, foreignRules: 50 },
      NO_RULES,
      "nft",
      "legacy",
      "asked for",
    ],
    ["a wish that cannot be fulfilled is not", "legacy", rules(5), undefined, "nft", undefined, ""],
    ["kubelet's chain is more than many rules", undefined, kubelet, rules(100), "legacy", "nft", "KUBE-IPTABLES-HINT"],
    ["kubelet's chain counts in legacy", undefined, rules(100), kubelet, "nft", "legacy", "KUBE-IPTABLES-HINT"],
    ["of kubelet's chains in both, nft's counts", undefined, kubelet, kubelet, "legacy", "nft", "kubelet"],
    [
      "more rules are more than the plain program",
      undefined,
      rules(2),
      rules(3),
      "nft",
      "legacy",
      "3 rules there, and 2",
    ],
    ["more rules in nft", undefined, rules(3), rules(2), "legacy", "nft", "3 rules there, and 2 in legacy"],
    ["of equally many rules, the plain program decides", undefined, rules(2), rules(2), "legacy", "legacy", "of it"],
    ["of no rules, too", undefined, NO_RULES, NO_RULES, "legacy", "legacy", "of it"],
    ["a plain program that cannot be used does not", undefined, NO_RULES, undefined, "legacy", "nft", "no other"],
    ["without one it is nft", undefined, NO_RULES, NO_RULES, undefined, "nft", "newer"],
    ["the only one there is", undefined, undefined, NO_RULES, undefined, "legacy", "no other"],
    ["none", undefined, undefined, undefined, "nft", undefined, ""],
  ])("%s", (_, wish, nft, legacy, plain, chosen, reason) => {
    const decision = decideVariant(wish, { held: { nft, legacy }, plain });
    expect(decision?.variant).toBe(chosen);
    expect(decision?.reason ?? "").toContain(reason);
  });

  it.each<[sentence: string, nft: HeldRules, legacy: HeldRules, warnings: readonly unknown[]]>([
    [
      "rules of other software in both are told",
      rules(3),
      rules(40),
      [expect.stringContaining("(nft: 3, legacy: 40)")],
    ],
    ["in one they are what is expected", rules(3), NO_RULES, []],
    ["our own are none of other software", rules(3), { ...NO_RULES, hasOurs: true }, []],
  ])("%s", (_, nft, legacy, warnings) => {
    expect(decideVariant(undefined, { held: { nft, legacy }, plain: undefined })?.warnings).toEqual(warnings);
  });
});

describe("what is held", () => {
  const saved = (table: string, ...lines: readonly string[]) =>
    ["# Generated", `*${table}`, ":FORWARD ACCEPT [0:0]", ...lines, "COMMIT", "# Completed", ""].join("\n");

  it.each<[sentence: string, saved: string, held: HeldRules]>([
    ["nothing, where there is no table", "", NO_RULES],
    ["nothing, where tables are empty", saved("filter") + saved("nat"), NO_RULES],
    [
      "rules of other software, in all tables",
      saved("filter", ":DOCKER - [0:0]", "-A FORWARD -j DOCKER", "-A DOCKER -j RETURN") +
        saved("nat", "-A FORWARD -j DROP"),
      rules(3),
    ],
    [
      "chains of ours, what is in them and what leads to them",
      saved(
        "filter",
        ":NFTPOL-FORWARD - [0:0]",
        '-A FORWARD -m comment --comment "nftpol" -j NFTPOL-FORWARD',
        "-A NFTPOL-FORWARD -g NFTPOL-DROP",
        "-A NFTPOL-FORWARD -j DROP",
      ),
      { ...NO_RULES, hasOurs: true },
    ],
    ["a chain that only sounds like ours", saved("filter", "-A NFTPOLICY -j DROP"), rules(1)],
    [
      "kubelet's chain",
      saved("mangle", ":KUBE-KUBELET-CANARY - [0:0]"),
      { ...NO_RULES, kubeletChain: "KUBE-KUBELET-CANARY" },
    ],
    ["kubelet's chain in no other table", saved("filter", ":KUBE-KUBELET-CANARY - [0:0]"), NO_RULES],
    ["no chain that only begins like kubelet's", saved("mangle", ":KUBE-KUBELET-CANARY-2 - [0:0]"), NO_RULES],
  ])("%s", (_, text, held) => {
    expect(heldRules(text)).toEqual(held);
  });

  it("both families count", () => {
    expect(
      united([
        { ...rules(2), hasOurs: true },
        { ...kubelet, foreignRules: 3 },
      ]),
    ).toEqual({
      foreignRules: 5,
      kubeletChain: "KUBE-IPTABLES-HINT",
      hasOurs: true,
    });
  });
});
