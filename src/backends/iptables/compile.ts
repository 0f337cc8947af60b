// A whole node program -> chains and sets. The incremental way from one program to the next is `tracker.ts`.

import type { Family } from "../../net/address.ts";
import { type NodeProgram, type ProgramSet, parseDestinationPort } from "../../program/program.ts";
import { compileClassChains } from "./compile-class.ts";
import { localRules } from "./local-rules.ts";
import { programSet } from "./names.ts";
import type { Chain, IpSet, IptablesRuleset } from "./ruleset.ts";

/** What enforces the program. Deterministic; cost linear in the program. */
export function compileRuleset(program: NodeProgram): IptablesRuleset {
  const local = localRules(program);
  const sets = new Map<string, IpSet>();
  const add = (set: IpSet) => sets.set(set.name, set);
  for (const set of program.sets.values()) add(compileSet(set));
  for (const { name, family, elements } of local.sets) add(addressSet(name, family, elements));
  const chains = { 4: chainsByName(local.chains[4]), 6: chainsByName(local.chains[6]) };
  for (const policyClass of program.classes.values()) {
    const compiled = compileClassChains(policyClass, program.options);
    for (const chain of compiled.chains) chains[policyClass.family].set(chain.name, chain);
    for (const set of compiled.sets) add(set);
  }
  return { chains, sets };
}

function chainsByName(chains: readonly Chain[]): Map<string, Chain> {
  return new Map(chains.map((chain) => [chain.name, chain]));
}

/** ipset's own default; a set may grow to it in place. */
const MIN_CAPACITY = 65536;

/** Room to double. */
export function capacityFor(elements: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(MIN_CAPACITY, 2 * elements)));
}

export function addressSet(name: string, family: Family, elements: ReadonlySet<string>): IpSet {
  return { name, type: "hash:ip", family, maxElements: capacityFor(elements.size), elements };
}

export function compileSet(set: ProgramSet): IpSet {
  const { family, definition, elements } = set;
  const own = new Set<string>();
  for (const element of elements) own.add(setElement(set, element));
  const type = definition.kind === "addresses" ? "hash:ip" : "hash:ip,port";
  return { name: programSet(set.id), type, family, maxElements: capacityFor(own.size), elements: own };
}

/** An element of a program set as ipset writes it. */
export function setElement(set: ProgramSet, element: string): string {
  if (set.definition.kind === "addresses") return element;
  const { address, protocol, port } = parseDestinationPort(element);
  return `${address},${protocol.toLowerCase()}:${port}`;
}
