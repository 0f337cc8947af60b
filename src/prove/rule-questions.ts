// What the rules ask of the addresses of one family, and which chains lead to which. Read once, for every chain.

import type { AddressPair, AddressTest, ChainFacts, NodeRules, Side } from "../backends/node-rules.ts";
import type { Family } from "../net/address.ts";
import type { AddressCuts } from "./address-atoms.ts";

export class RuleQuestions {
  readonly #facts = new Map<string, ChainFacts>();
  readonly #tests = new Map<string, AddressTest>();
  /** By test: where its entries lead. Only tests that lead somewhere. */
  readonly #targets = new Map<string, ReadonlySet<string>>();

  /** Throws UnprovableRule when a rule asks something of addresses that cannot be taken apart. */
  constructor(rules: NodeRules, family: Family) {
    for (const chain of rules.chainNames(family)) {
      const facts = rules.chainFacts(chain, family);
      this.#facts.set(chain, facts);
      for (const test of facts.tests) this.#tests.set(test.id, test);
    }
    for (const { id, entries } of this.#tests.values()) {
      const targets = new Set(entries.flatMap(({ target }) => target ?? []));
      if (targets.size > 0) this.#targets.set(id, targets);
    }
  }

  addCuts(cuts: AddressCuts): void {
    for (const test of this.tests()) for (const { range } of test.entries) cuts.addRange(range.first, range.last);
    for (const { source, destination } of this.pairs())
      for (const address of [source, destination]) cuts.addAddress(address);
  }

  tests(): Iterable<AddressTest> {
    return this.#tests.values();
  }

  pairs(): AddressPair[] {
    return [...this.#facts.values()].flatMap(({ pairs }) => pairs);
  }

  /** Whether any of these chains compares the two addresses of a packet with each other. */
  compareEnds(chains: Iterable<string>): boolean {
    for (const chain of chains) if (this.#facts.get(chain)?.comparesEnds) return true;
    return false;
  }

  hasChain(name: string): boolean {
    return this.#facts.has(name);
  }

  /** Every test that these chains make of one side's address, once. */
  testsOf(chains: Iterable<string>, side: Side): AddressTest[] {
    const tests = new Map<string, AddressTest>();
    for (const chain of chains) {
      for (const test of this.#facts.get(chain)?.tests ?? []) if (test.side === side) tests.set(test.id, test);
    }
    return [...tests.values()];
  }

  /** Those of `testsOf` with guarded links. */
  dispatchingTestsOf(chains: Iterable<string>, side: Side): AddressTest[] {
    return this.testsOf(chains, side).filter(({ id }) => this.#targets.has(id));
  }

  /** Where the chain leads whatever the addresses are. */
  always(chain: string): readonly string[] {
    return this.#facts.get(chain)?.always ?? [];
  }

  /** Where the chain leads by any address of one side. */
  guarded(chain: string, side: Side): string[] {
    return this.dispatchingTestsOf([chain], side).flatMap(({ id }) => [...(this.#targets.get(id) ?? [])]);
  }
}
