// The tree that leads from addresses to their classes.

import { describe, expect, it } from "vitest";
import { contentHash } from "../../program/hash.ts";
import type { ClassId } from "../../program/program.ts";
import { dispatchTree } from "./dispatch.ts";
import { classChain, MAX_CHAIN_NAME, MAX_SET_NAME } from "./names.ts";
import { type Chain, chainOfRule, setsOfRule } from "./ruleset.ts";
import { ruleText } from "./text.ts";

const classes = (count: number) =>
  Array.from({ length: count }, (_, index) => `egress4_web_${contentHash(String(index))}` as ClassId);
const few = (count: number) =>
  Array.from({ length: count }, (_, index) => `egress4_web_${String(index).padStart(16, "a")}` as ClassId);

/** The class that an address of these sets is led to, and how many rules it meets on the way. */
function walk(
  chains: readonly Chain[],
  sets: ReadonlySet<string>,
): { readonly target: string; readonly rules: number } {
  const byName = new Map(chains.map((chain) => [chain.name, chain]));
  let chain = byName.get("NFTPOL-EGRESS");
  let rules = 0;
  while (chain !== undefined) {
    let next: string | undefined;
    for (const rule of chain.rules) {
      rules++;
      if (setsOfRule(rule).some((set) => !sets.has(set))) continue;
      next = chainOfRule(rule);
      break;
    }
    if (next === undefined || !byName.has(next)) return { target: next ?? "nowhere", rules };
    chain = byName.get(next);
  }
  throw new Error("no root");
}

it("of no class is an empty chain: somebody jumps there", () => {
  const { chains, setsOf } = dispatchTree("egress", 4, []);
  expect(chains).toEqual([{ name: "NFTPOL-EGRESS", rules: [] }]);
  expect(setsOf.size).toBe(0);
});

it("of few classes is one chain, and what is judged by no class is closed", () => {
  const { chains } = dispatchTree("ingress", 6, few(2));
  expect(chains.map(({ name, rules }) => [name, rules.map((rule) => ruleText(rule, 6))])).toEqual([
    [
      "NFTPOL-INGRESS",
      [
        "-m set --match-set NFTPOL-i6-aaaaaaaaaaaaaaa0 dst -g NFTPOL-e-aaaaaaaaaaaaaaa0",
        "-m set --match-set NFTPOL-i6-aaaaaaaaaaaaaaa1 dst -g NFTPOL-e-aaaaaaaaaaaaaaa1",
        '-m comment --comment "judged, but by no class: closed" -g NFTPOL-DROP-INGRESS',
      ],
    ],
  ]);
});

it("asks for the source of what pods send, to others and to this node", () => {
  for (const kind of ["egress", "node"] as const) {
    const [root] = dispatchTree(kind, 4, few(1)).chains;
    expect(root?.rules.map((rule) => ruleText(rule, 4))).toEqual([
      `-m set --match-set NFTPOL-${kind[0]}4-aaaaaaaaaaaaaaa0 src -g NFTPOL-e-aaaaaaaaaaaaaaa0`,
      '-m comment --comment "judged, but by no class: closed" -g NFTPOL-DROP-EGRESS',
    ]);
  }
});

describe.each([1, 4, 5, 16, 17, 64, 65, 300, 1000])("of %i classes", (count) => {
  const ids = classes(count);
  const { chains, setsOf } = dispatchTree("egress", 4, ids);
  it("leads every address to its class, by the sets that it is in, past few rules", () => {
    for (const id of ids) {
      const { target, rules } = walk(chains, new Set(setsOf.get(id)));
      expect(target).toBe(classChain(id));
      // Three steps of four ways at most; behind the third stand all that are left.
      expect(rules).toBeLessThanOrEqual(12 + 4 + Math.ceil(count / 32));
      // Of each step one set.
      expect(setsOf.get(id)?.length).toBeLessThanOrEqual(4);
    }
  });

  it("closes an address of no class, and one that is not in all sets on its way", () => {
    expect(walk(chains, new Set()).target).toBe("NFTPOL-DROP-EGRESS");
    for (const id of ids.slice(0, 20)) {
      const own = setsOf.get(id) ?? [];
      for (const missing of own)
        expect(walk(chains, new Set(own.filter((set) => set !== missing))).target).toBe("NFTPOL-DROP-EGRESS");
    }
  });

  it("one class more changes nothing but the way to it", () => {
    const [added] = classes(count + 1).slice(-1) as [ClassId];
    const after = dispatchTree("egress", 4, [...ids, added]);
    const digits = (set: string) => /-te4-(\d+)$/.exec(set)?.[1] ?? "";
    const way = Math.max(...(after.setsOf.get(added) ?? []).map((set) => digits(set).length));
    const wayOfAdded = (after.setsOf.get(added) ?? []).map(digits).find((each) => each.length === way) ?? "";
    for (const id of ids) {
      const before = new Set(setsOf.get(id));
      // What was asked for in one chain goes four ways when there are too many: then it is the chain of the new one, too.
      for (const set of after.setsOf.get(id) ?? [])
        if (!before.has(set)) expect(wayOfAdded.slice(0, digits(set).length - 1)).toBe(digits(set).slice(0, -1));
    }
  });

  it("has names that the kernel takes, each once, whatever the order of the classes was", () => {
    const names = chains.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(MAX_CHAIN_NAME);
    for (const set of [...setsOf.values()].flat()) expect(set.length).toBeLessThanOrEqual(MAX_SET_NAME - 4);
    expect(dispatchTree("egress", 4, ids.toReversed())).toEqual({ chains, setsOf });
  });
});
