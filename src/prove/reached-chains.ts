// Which chains packets of one hook can reach: some whatever their addresses are (the base), the others as far as their addresses
// lead, link by link. A map that dispatches by address is one such link, a tree of rules over sets of addresses is several in a row.
//
//   hook -> base --source in S1--> chain --source in S2--> class of what the source sends
//             \--destination in D1--> class of what the destination receives
//
// Each packet stays within the base, what its source leads to and what its destination leads to.

import type { AddressTest, Side } from "../backends/node-rules.ts";
import { type Atom, groupAtoms } from "./address-atoms.ts";
import type { AddressSides } from "./address-sides.ts";

/** Atoms of one side that lead to the same chains. */
export interface LedAtoms {
  readonly atoms: readonly Atom[];
  /** Without the base. */
  readonly chains: ReadonlySet<string>;
}

export class ReachedChains {
  /** Reached from the hook by all packets, with no guarded link on the way. */
  readonly base: ReadonlySet<string>;
  readonly #sides: AddressSides;
  readonly #baseTests: Readonly<Record<Side, readonly AddressTest[]>>;

  constructor(sides: AddressSides, hookChains: readonly string[]) {
    const { questions } = sides;
    this.#sides = sides;
    this.base = new Set(this.#follow(hookChains, new Set(), (chain) => questions.always(chain)));
    this.#baseTests = {
      source: questions.dispatchingTestsOf(this.base, "source"),
      destination: questions.dispatchingTestsOf(this.base, "destination"),
    };
  }

  /**
   * Where atoms lead that get equal answers from all tests of the base: split until those of a group take every guarded link together.
   * Links that depend on the other side's address are taken for open: it may be any.
   */
  beyondBase(side: Side, atoms: readonly Atom[]): LedAtoms[] {
    return this.#lead(side, atoms, new Set(), this.#baseTests[side]);
  }

  /** `atoms` get equal answers from `tests`, `reached` are the chains that they were known to lead to before these were asked. */
  #lead(side: Side, atoms: readonly Atom[], reached: ReadonlySet<string>, tests: readonly AddressTest[]): LedAtoms[] {
    const { questions } = this.#sides;
    const other: Side = side === "source" ? "destination" : "source";
    const targets = tests.flatMap((test) =>
      this.#sides.entries(test, atoms[0] as Atom).flatMap(({ target }) => target ?? []),
    );
    const links = (chain: string) => [...questions.always(chain), ...questions.guarded(chain, other)];
    const added = this.#follow(targets, new Set([...this.base, ...reached]), links);
    const chains = new Set([...reached, ...added]);
    const asked = questions.dispatchingTestsOf(added, side);
    if (asked.length === 0) return [{ atoms, chains }];
    const groups = groupAtoms(atoms, (atom) => this.#sides.answers(asked, atom));
    return groups.flatMap((group) => this.#lead(side, group, chains, asked));
  }

  /** What is newly reached, in the order in which it is. */
  #follow(from: readonly string[], known: ReadonlySet<string>, links: (chain: string) => readonly string[]): string[] {
    const added = new Set<string>();
    const open = [...from];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (known.has(name) || added.has(name) || !this.#sides.questions.hasChain(name)) continue;
      added.add(name);
      open.push(...links(name));
    }
    return [...added];
  }
}
