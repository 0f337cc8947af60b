// Strict start: addresses in this node's pod CIDRs that no known pod has are closed, in both directions.
//
//   forward -> unknown:  source in a block and not in known4  -> unknown_egress4  \  what is never blocked returns,
//                        destination in one and not in known4 -> unknown_ingress4 /   the rest is logged, counted, dropped
//
// The chains stay as they are while pods come and go; only `unknown` gets other rules when the blocks change.

import { DIRECTIONS, type Direction } from "../../model/policy.ts";
import { FAMILIES } from "../../net/address.ts";
import type { CidrBlock } from "../../net/cidr.ts";
import { blockWord } from "./address-condition.ts";
import { is, jump, notInSet, rule } from "./build.ts";
import { logAndDrop, neverBlocked } from "./deny.ts";
import { knownSet, UNKNOWN_CHAIN, UNKNOWN_COUNTER, unknownChain } from "./names.ts";
import type { Chain, Field, Rule } from "./ruleset.ts";

/** `unknown` and the chains that it jumps to. */
export function unknownChains(blocks: readonly CidrBlock[]): Chain[] {
  const dropping = FAMILIES.flatMap((family) =>
    DIRECTIONS.map((direction) => {
      const name = unknownChain(direction, family);
      const rules = [...neverBlocked(direction, family), ...logAndDrop(name, UNKNOWN_COUNTER)];
      return { name, hook: undefined, comment: undefined, rules };
    }),
  );
  return [unknownEntry(blocks), ...dropping];
}

/** Asked of every packet that begins a connection. A cluster has one block for each family (Node.spec.podCIDRs). */
export function unknownEntry(blocks: readonly CidrBlock[]): Chain {
  const rules = DIRECTIONS.flatMap((direction) => blocks.map((block) => blockRule(block, direction)));
  return {
    name: UNKNOWN_CHAIN,
    hook: undefined,
    comment: "addresses in this node's pod CIDRs that no known pod has",
    rules,
  };
}

function blockRule(block: CidrBlock, direction: Direction): Rule {
  const { family } = block;
  const address: Field = `${family === 4 ? "ip" : "ip6"} ${direction === "egress" ? "saddr" : "daddr"}`;
  return rule(
    [is(address, blockWord(block)), notInSet(address, knownSet(family))],
    jump(unknownChain(direction, family)),
  );
}
