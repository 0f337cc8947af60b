// From an address to its class, without verdict maps: a tree of chains over sets of addresses. Four ways at each step, so n classes
// cost some 2.5 look-ups for each factor of four, however many pods they have.
//
//   NFTPOL-EGRESS     -m set --match-set <pods of the classes of way 0> src -g NFTPOL-EGRESS-0
//                     -m set --match-set <pods of the only class of way 1> src -g class
//                     ...                                                         NFTPOL-EGRESS-0   <pods of a class> -g class
//                     -g NFTPOL-DROP-EGRESS                                                         ...
//
// A class goes the way that its hash says, so one that comes or goes changes nothing but the way to it. Reached only by addresses of
// `judgedSet`. One that is in there and in no class is closed: nobody knows what may be open for it.

import type { Family } from "../../net/address.ts";
import type { ClassId, Dispatch } from "../../program/program.ts";
import { chain, goto, inSet, rule, type Side } from "./build.ts";
import { branchSet, classChain, type DispatchKind, dispatchChain, dropChain, hashDigit, membersSet } from "./names.ts";
import type { Chain, Rule } from "./ruleset.ts";

/** So many classes are asked for one after the other; more go four ways. */
const MOST_IN_A_CHAIN = 4;
/** The kernel refuses chains 16 steps from a hook (nf_tables), and behind these stand those of classes. */
const MOST_STEPS = 3;

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
  grow(sorted, "");
  return { chains, setsOf };

  /** `way`: the digits up to here. */
  function grow(own: readonly ClassId[], way: string): void {
    const isLeaf = own.length <= MOST_IN_A_CHAIN || way.length === MOST_STEPS;
    const rules = isLeaf ? own.map(toClass) : waysOf(own, way);
    chains.push(chain(dispatchChain(kind, way), own.length === 0 ? [] : [...rules, closed]));
  }

  function waysOf(own: readonly ClassId[], way: string): Rule[] {
    return [0, 1, 2, 3].flatMap((digit) => {
      const part = own.filter((id) => hashDigit(id, way.length) === digit);
      const [only] = part;
      if (part.length <= 1) return only === undefined ? [] : [toClass(only)];
      const further = `${way}${digit}`;
      const set = branchSet(kind, family, further);
      grow(part, further);
      for (const id of part) setsOf.get(id)?.push(set);
      return [rule([inSet(set, side)], goto(dispatchChain(kind, further)))];
    });
  }

  function toClass(id: ClassId): Rule {
    return rule([inSet(membersSet(kind, family, id), side)], goto(classChain(id)));
  }
}

export function classIn(dispatch: Dispatch | undefined, kind: DispatchKind): ClassId | undefined {
  if (dispatch === undefined) return undefined;
  return kind === "node" ? dispatch.toOwnNode : dispatch[kind];
}
