// Which sets the local addresses stand in, and the chains that lead to their classes. The same for a fresh compile and for a change.

import type { Address, Family } from "../../net/address.ts";
import type { ClassId, ClosedAddresses, Dispatch, NodeProgram } from "../../program/program.ts";
import { baseChains } from "./base-chains.ts";
import { classIn, dispatchTree } from "./dispatch.ts";
import type { SetMeaning } from "./in-place.ts";
import { DISPATCH_KINDS, type DispatchKind, isolatedSet, judgedSet, knownSet } from "./names.ts";
import type { Chain } from "./ruleset.ts";

/** What of a program does not lie in its classes and their sets. Cost of all here: the local pods. */
export type LocalAddresses = Pick<NodeProgram, "options" | "dispatch" | "closed">;

export interface LocalSet {
  readonly name: string;
  readonly family: Family;
  readonly elements: ReadonlySet<string>;
  readonly meaning: SetMeaning;
}

export interface LocalRules {
  readonly chains: Readonly<Record<Family, readonly Chain[]>>;
  readonly sets: readonly LocalSet[];
}

/** Built-in chains, base chains and the way to the classes, with all sets of local addresses. */
export function localRules(local: LocalAddresses): LocalRules {
  const four = familyRules(4, local);
  const six = familyRules(6, local);
  return { chains: { 4: four.chains, 6: six.chains }, sets: [...four.sets, ...six.sets] };
}

function familyRules(family: Family, { options, dispatch, closed }: LocalAddresses) {
  const own = [...dispatch].filter(([address]) => isOf(family, address));
  const trees = DISPATCH_KINDS.map((kind) => kindRules(kind, family, own));
  const sets = trees.flatMap((tree) => tree.sets);
  sets.push({
    name: isolatedSet(family),
    family,
    elements: new Set(own.map(([address]) => address)),
    meaning: { kind: "isolated" },
  });
  if (closed !== undefined) sets.push(knownAddresses(family, closed));
  const base = baseChains(family, options, closed, judgedPods(dispatch));
  return { chains: [...base, ...trees.flatMap((tree) => tree.chains)], sets };
}

function judgedPods(dispatch: ReadonlyMap<Address, Dispatch>) {
  return {
    any: dispatch.size > 0,
    towardsNode: [...dispatch.values()].some(({ toOwnNode }) => toOwnNode !== undefined),
  };
}

function knownAddresses(family: Family, { known }: ClosedAddresses): LocalSet {
  const elements = new Set([...known].filter((address) => isOf(family, address)));
  return { name: knownSet(family), family, elements, meaning: { kind: "known" } };
}

function kindRules(kind: DispatchKind, family: Family, own: readonly (readonly [Address, Dispatch])[]) {
  const classOf = new Map<Address, ClassId>();
  for (const [address, entry] of own) {
    const id = classIn(entry, kind);
    if (id !== undefined) classOf.set(address, id);
  }
  const tree = dispatchTree(kind, family, new Set(classOf.values()));
  const judged = judgedSet(kind, family);
  const elements = new Map<string, Set<string>>([[judged, new Set(classOf.keys())]]);
  for (const [address, id] of classOf) {
    for (const name of tree.setsOf.get(id) ?? []) {
      const set = elements.get(name);
      if (set === undefined) elements.set(name, new Set([address]));
      else set.add(address);
    }
  }
  const sets = [...elements].map(
    ([name, addresses]): LocalSet => ({
      name,
      family,
      elements: addresses,
      meaning: { kind: "dispatch", group: kind, last: name === judged },
    }),
  );
  return { chains: tree.chains, sets };
}

function isOf(family: Family, address: string): boolean {
  return address.includes(":") === (family === 6);
}
