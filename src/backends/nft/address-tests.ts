// What the rules ask of addresses: every look-up and comparison of a rule, taken apart by address.
// Two addresses that get the same answers from a list of tests are alike for the rules that make them.

import { addressBits, type Family, parseAddress } from "../../net/address.ts";
import { cidrRange, parseCidr } from "../../net/cidr.ts";
import type { AddressRange } from "../../net/range.ts";
import {
  type AddressPair,
  type AddressTest,
  type PortInterval,
  type TestEntry,
  UnprovableRule,
} from "../node-rules.ts";
import { type Expression, type Field, formatVerdict, type Rule, type Ruleset, type Verdict } from "./ruleset.ts";

/** Tests of one family by id: a set that many rules look up is taken apart once. */
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
      test = { id, side: (fields[part] as Field).endsWith("saddr") ? "source" : "destination", entries };
      cache.set(id, test);
    }
    tests.push(test);
  }
  return { tests, pairs };
}

export function fieldsOf(expression: Expression): readonly Field[] {
  return expression.kind === "concat" ? expression.fields : [expression.field];
}

export function isAddressField(field: Field): boolean {
  return familyOf(field) !== undefined;
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
    ports: rest.flatMap(portsOfWord),
    target: verdict !== undefined && "chain" in verdict ? verdict.chain : undefined,
  };
}

/** What else is a number (a protocol without a word) is taken for a port, too: that costs, and harms nobody. */
function portsOfWord(word: string): PortInterval[] {
  const numbers = /^(\d+)(?:-(\d+))?$/.exec(word);
  return numbers === null ? [] : [{ first: Number(numbers[1]), last: Number(numbers[2] ?? numbers[1]) }];
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
