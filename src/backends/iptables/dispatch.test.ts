// The tree that leads from addresses to their classes.

import { describe, expect, it } from "vitest";
import type { ClassId } from "../../program/program.ts";
import { dispatchTree } from "./dispatch.ts";
import { classChain, MAX_CHAIN_NAME, MAX_SET_NAME } from "./names.ts";
import { type Chain, chainOfRule, setsOfRule } from "./ruleset.ts";
import { ruleText } from "./text.ts";

const classes = (count: number) =>
  Array.from({ length: count }, (_, index) => `egress4_web_${String(index).padStart(16, "a")}` as ClassId);

/** The class that an address of these sets is led to, and how many rules it meets on the way. */
function walk(
  chains: readonly Chain[],
  sets: ReadonlySet<string>,
): { readonly target: string; readonly rules: number } {
  const byName = new Map(chains.map((chain) => [chain.name, chain]));
  let chain = chains[0];
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
  const { chains } = dispatchTree("ingress", 6, classes(2));
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
    const [root] = dispatchTree(kind, 4, classes(1)).chains;
    expect(root?.rules.map((rule) => ruleText(rule, 4))).toEqual([
      `-m set --match-set NFTPOL-${kind[0]}4-aaaaaaaaaaaaaaa0 src -g NFTPOL-e-aaaaaaaaaaaaaaa0`,
      '-m comment --comment "judged, but by no class: closed" -g NFTPOL-DROP-EGRESS',
    ]);
  }
});

describe.each([1, 4, 5, 16, 17, 64, 65, 300, 1000])("of %i classes", (count) => {
  const ids = classes(count);
  const { chains, setsOf } = dispatchTree("egress", 4, ids);
  const steps = Math.ceil(Math.log(Math.max(count, 4)) / Math.log(4));

  it("leads every address to its class, by the sets that it is in, past few rules", () => {
    for (const id of ids) {
      const { target, rules } = walk(chains, new Set(setsOf.get(id)));
      expect(target).toBe(classChain(id));
      expect(rules).toBeLessThanOrEqual(4 * steps);
      // Of each step one set.
      expect(setsOf.get(id)?.length).toBeLessThanOrEqual(steps);
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

  it("has names that the kernel takes, each once, whatever the order of the classes was", () => {
    const names = chains.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(MAX_CHAIN_NAME);
    for (const set of [...setsOf.values()].flat()) expect(set.length).toBeLessThanOrEqual(MAX_SET_NAME - 4);
    expect(dispatchTree("egress", 4, ids.toReversed())).toEqual({ chains, setsOf });
  });
});
