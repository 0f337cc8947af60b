// What the rules ask of addresses: every look-up and comparison in a ruleset, taken apart by address.
// Two addresses that get the same answers from a list of tests are alike for the rules that make them.

import type { Chain, Expression, Field, Rule, Ruleset, Verdict } from "../backends/nft/ruleset.ts";
import { chainsOfRule, formatVerdict } from "../backends/nft/ruleset.ts";
import { UnprovableRule } from "../backends/node-rules.ts";
import { type Address, addressBits, type Family, parseAddress } from "../net/address.ts";
import { cidrRange, parseCidr } from "../net/cidr.ts";
import type { AddressRange } from "../net/range.ts";
import { type Atom, atomsIn } from "./address-atoms.ts";

export type Side = "source" | "destination";

/** One question to one address of the packet, and its answers. */
export interface AddressTest {
  readonly id: string;
  readonly side: Side;
  readonly family: Family;
  /** Elements that cover some addresses: the addresses, what else the element demands, and what it gives. */
  readonly entries: readonly TestEntry[];
  /** The map sends packets to chains: the test dispatches. */
  readonly dispatches: boolean;
}

export interface TestEntry {
  readonly range: AddressRange;
  /** The element's other parts and its verdict: all that distinguishes it once the address is covered. */
  readonly answer: string;
  /** Other parts of the element, for their port constants. */
  readonly rest: readonly string[];
  readonly target: string | undefined;
}

/** A set whose elements are (source, destination) pairs: looked at pair by pair, not by address. */
export interface AddressPair {
  readonly source: Address;
  readonly destination: Address;
}

/** Tests by id: a set that many rules look up is taken apart once. */
export type TestCache = Map<string, AddressTest>;

/** All tests of a rule on addresses of a family, and the address pairs that it names. Throws UnprovableRule on masks that are no prefixes. */
export function testsOfRule(
  ruleset: Ruleset,
  rule: Rule,
  family: Family,
  cache: TestCache,
): { tests: AddressTest[]; pairs: AddressPair[] } {
  const tests: AddressTest[] = [];
  const pairs: AddressPair[] = [];
  for (const statement of rule.statements) {
    if (statement.kind !== "match" && statement.kind !== "vmap") continue;
    const expression = statement.kind === "match" ? statement.left : statement.key;
    const fields = fieldsOf(expression);
    const addressParts = fields.flatMap((field, index) => (familyOf(field) === family ? [index] : []));
    if (addressParts.length === 0) continue;
    if (addressParts.length === 2) {
      for (const [element] of elementsOf(ruleset, statement)) pairs.push(pairOf(fields, element.split(" . ")));
      continue;
    }
    const part = addressParts[0] as number;
    const id = testId(expression, part, statement);
    let test = cache.get(id);
    if (test === undefined) {
      const entries = elementsOf(ruleset, statement).map(([element, verdict]) =>
        testEntry(element.split(" . "), part, expression, verdict, family),
      );
      const side: Side = (fields[part] as Field).endsWith("saddr") ? "source" : "destination";
      test = { id, side, family, entries, dispatches: entries.some((entry) => entry.target !== undefined) };
      cache.set(id, test);
    }
    tests.push(test);
  }
  return { tests, pairs };
}

function fieldsOf(expression: Expression): readonly Field[] {
  return expression.kind === "concat" ? expression.fields : [expression.field];
}

function familyOf(field: Field): Family | undefined {
  if (field === "ip saddr" || field === "ip daddr") return 4;
  return field === "ip6 saddr" || field === "ip6 daddr" ? 6 : undefined;
}

type Comparison = Rule["statements"][number] & { kind: "match" | "vmap" };

/** Equal for equal questions: same selector, same mask, same set or same literal elements. */
function testId(expression: Expression, part: number, statement: Comparison): string {
  const source = statement.kind === "match" ? statement.right : statement.map;
  const elements =
    source.kind === "values"
      ? "values" in source
        ? source.values
        : source.entries.map(({ element, verdict }) => `${element} ${formatVerdict(verdict)}`)
      : [`@${source.name}`];
  return JSON.stringify([expression, part, elements]);
}

function elementsOf(ruleset: Ruleset, statement: Comparison): [string, Verdict | undefined][] {
  const source = statement.kind === "match" ? statement.right : statement.map;
  if (source.kind === "values") {
    if ("values" in source) return source.values.map((value) => [value, undefined]);
    return source.entries.map(({ element, verdict }) => [element, verdict]);
  }
  const set = ruleset.sets.get(source.name);
  if (set === undefined) throw new UnprovableRule(`set ${source.name} does not exist`);
  return set.kind === "map" ? [...set.elements] : [...set.elements].map((element) => [element, undefined]);
}

function pairOf(fields: readonly Field[], words: readonly string[]): AddressPair {
  const word = (side: "saddr" | "daddr") => {
    const parsed = parseAddress(words[fields.findIndex((field) => field.endsWith(side))] ?? "");
    if (parsed === undefined) throw new UnprovableRule(`element ${words.join(" . ")}`);
    return parsed.address;
  };
  return { source: word("saddr"), destination: word("daddr") };
}

function testEntry(
  words: readonly string[],
  part: number,
  expression: Expression,
  verdict: Verdict | undefined,
  family: Family,
): TestEntry {
  const rest = words.filter((_, index) => index !== part);
  return {
    range: rangeOfWord(words[part] ?? "", expression.kind === "masked" ? expression.mask : [], family),
    answer: `${rest.join(" . ")} ${verdict === undefined ? "yes" : formatVerdict(verdict)}`,
    rest,
    target: verdict !== undefined && "chain" in verdict ? verdict.chain : undefined,
  };
}

function rangeOfWord(word: string, mask: readonly string[], family: Family): AddressRange {
  const text =
    mask.length === 0
      ? word.includes("/")
        ? word
        : `${word}/${addressBits(family)}`
      : `${word}/${prefixLengthOf(mask, family)}`;
  const parsed = parseCidr(text);
  if (parsed === undefined || parsed.block.family !== family) throw new UnprovableRule(`address ${word}`);
  return cidrRange(parsed.block);
}

function prefixLengthOf(mask: readonly string[], family: Family): number {
  const parsed = mask.length === 1 ? parseAddress(mask[0] as string) : undefined;
  const bits = addressBits(family);
  if (parsed !== undefined && parsed.family === family) {
    const text = parsed.value.toString(2).padStart(bits, "0");
    const ones = text.indexOf("0") < 0 ? bits : text.indexOf("0");
    if (!text.slice(ones).includes("1")) return ones;
  }
  throw new UnprovableRule(`mask ${mask.join(" | ")} is no prefix`);
}

/** Atom index -> the entries that cover the atom. Cost: entries times the atoms they cover. */
export function entriesByAtom(test: AddressTest, atoms: readonly Atom[]): Map<number, TestEntry[]> {
  const covering = new Map<number, TestEntry[]>();
  for (const entry of test.entries) {
    for (const atom of atomsIn(atoms, entry.range.first, entry.range.last)) {
      const list = covering.get(atom.index);
      if (list === undefined) covering.set(atom.index, [entry]);
      else list.push(entry);
    }
  }
  return covering;
}

/** Chains that a packet can reach from these without being dispatched by its address: what rules and maps of other keys go to. */
export function reachableChains(ruleset: Ruleset, from: readonly string[]): Chain[] {
  const reached = new Map<string, Chain>();
  const open = [...from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const chain = ruleset.chains.get(name);
    if (chain === undefined || reached.has(name)) continue;
    reached.set(name, chain);
    for (const rule of chain.rules) open.push(...chainsOfRule(rule), ...targetsByOtherKeys(ruleset, rule));
  }
  return [...reached.values()];
}

function targetsByOtherKeys(ruleset: Ruleset, rule: Rule): string[] {
  return rule.statements.flatMap((statement) => {
    if (statement.kind !== "vmap" || statement.map.kind !== "map") return [];
    if (fieldsOf(statement.key).some((field) => familyOf(field) !== undefined)) return [];
    const map = ruleset.sets.get(statement.map.name);
    return map?.kind === "map"
      ? [...map.elements.values()].flatMap((verdict) => ("chain" in verdict ? [verdict.chain] : []))
      : [];
  });
}
