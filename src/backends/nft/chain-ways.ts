// The ways through a table's chains, as the kernel follows them when rules are loaded (nft_chain_validate): jump and goto count alike,
// also those of verdict maps.

import { type Chain, chainsOfRule, type Ruleset, setsOfRule } from "./ruleset.ts";

/** A chain this many steps from a hook is refused with EMLINK (include/net/netfilter/nf_tables.h, NFT_JUMP_STACK_SIZE). */
export const MAX_STEPS = 16;

type Chains = Pick<Ruleset, "chains" | "sets">;

export interface Ways {
  /** Steps to the chain that is farthest from a hook; Infinity where chains lead in a circle. */
  readonly steps: number;
  /** In how many ways chains are reached from hooks, each chain counted once for each way. The kernel may follow all of them. */
  readonly visits: number;
}

/** Cost: linear in the table. */
export function waysOf(table: Chains): Ways {
  const known = new Map<string, Ways>();
  const bases = [...table.chains.values()].filter(({ hook }) => hook !== undefined);
  const ways = bases.map((chain) => waysFrom(table, chain, known, new Set()));
  return { steps: Math.max(0, ...ways.map(({ steps }) => steps)), visits: sum(ways.map(({ visits }) => visits)) };
}

function waysFrom(table: Chains, chain: Chain, known: Map<string, Ways>, above: ReadonlySet<string>): Ways {
  const found = known.get(chain.name);
  if (found !== undefined) return found;
  if (above.has(chain.name)) return { steps: Number.POSITIVE_INFINITY, visits: Number.POSITIVE_INFINITY };
  const inside = new Set([...above, chain.name]);
  const next = targetsOf(table, chain).map((target) => waysFrom(table, target, known, inside));
  const ways = {
    steps: next.length === 0 ? 0 : 1 + Math.max(...next.map(({ steps }) => steps)),
    visits: 1 + sum(next.map(({ visits }) => visits)),
  };
  known.set(chain.name, ways);
  return ways;
}

/** With repetitions: each rule and each element is a way of its own. */
function targetsOf({ chains, sets }: Chains, chain: Chain): Chain[] {
  const names = chain.rules.flatMap((rule) => {
    const maps = setsOfRule(rule).flatMap((name) => sets.get(name) ?? []);
    const elements = maps.flatMap((map) => (map.kind === "map" ? [...map.elements.values()] : []));
    return [...chainsOfRule(rule), ...elements.flatMap((verdict) => ("chain" in verdict ? [verdict.chain] : []))];
  });
  return names.flatMap((name) => chains.get(name) ?? []);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
