// From an address to its class, without verdict maps: a tree of chains over sets of addresses. Four ways at each step, so n classes
// cost about 2.5 look-ups for each factor of four, however many pods they have.
//
//   NFTPOL-EGRESS     -m set --match-set <pods of classes 1..4> src -g NFTPOL-EGRESS-2      NFTPOL-EGRESS-2   <pods of class 1> -g class 1
//                     -m set --match-set <pods of classes 5..8> src -g NFTPOL-EGRESS-3                        ...
//                     -g NFTPOL-DROP-EGRESS
//
// Reached only by addresses of `judgedSet`. One that is in there and in no class is closed: nobody knows what may be open for it.

import type { Family } from "../../net/address.ts";
import type { ClassId, Dispatch } from "../../program/program.ts";
import { chain, goto, inSet, rule, type Side } from "./build.ts";
import { branchSet, classChain, type DispatchKind, dispatchChain, dropChain, membersSet } from "./names.ts";
import type { Chain, Rule } from "./ruleset.ts";

const WAYS = 4;

/** What leads to the classes that judge some address. */
export interface DispatchTree {
  readonly chains: readonly Chain[];
  /** Which sets hold the addresses of a class: its own first, then those on the way to it, the root's last. */
  readonly setsOf: ReadonlyMap<ClassId, readonly string[]>;
}

/** `ids`: the classes, in any order. Deterministic. */
export function dispatchTree(kind: DispatchKind, family: Family, ids: Iterable<ClassId>): DispatchTree {
  const sorted = [...ids].sort();
  const chains: Chain[] = [];
  const setsOf = new Map<ClassId, string[]>(sorted.map((id) => [id, [membersSet(kind, family, id)]]));
  const side: Side = kind === "ingress" ? "dst" : "src";
  const closed = rule(
    [],
    goto(dropChain(kind === "ingress" ? "ingress" : "egress")),
    "judged, but by no class: closed",
  );
  let positions = 1;
  grow(sorted, 1);
  return { chains, setsOf };

  function grow(own: readonly ClassId[], position: number): void {
    const rules: Rule[] = [];
    // The chain's own place in the list: before those that it leads to.
    const place = chains.push(chain(dispatchChain(kind, position), [])) - 1;
    if (own.length <= WAYS) {
      for (const id of own) rules.push(rule([inSet(membersSet(kind, family, id), side)], goto(classChain(id))));
    } else {
      for (const part of divide(own)) {
        const next = ++positions;
        const set = branchSet(kind, family, part);
        rules.push(rule([inSet(set, side)], goto(dispatchChain(kind, next))));
        grow(part, next);
        for (const id of part) setsOf.get(id)?.push(set);
      }
    }
    chains[place] = chain(dispatchChain(kind, position), own.length === 0 ? [] : [...rules, closed]);
  }
}

/** Into at most WAYS parts whose sizes differ by one at most. */
function divide(ids: readonly ClassId[]): ClassId[][] {
  return Array.from({ length: WAYS }, (_, index) =>
    ids.slice(Math.floor((index * ids.length) / WAYS), Math.floor(((index + 1) * ids.length) / WAYS)),
  );
}

export function classIn(dispatch: Dispatch | undefined, kind: DispatchKind): ClassId | undefined {
  if (dispatch === undefined) return undefined;
  return kind === "node" ? dispatch.toOwnNode : dispatch[kind];
}
