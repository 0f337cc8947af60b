// nft text of a ruleset and of its parts. Byte-identical for equal rulesets, whatever the order of maps and sets.

import { type Address, compareAddresses } from "../../net/address.ts";
import {
  type Chain,
  type Expression,
  formatVerdict,
  type NamedSet,
  type Rule,
  type Ruleset,
  type Statement,
  type Verdict,
  type VerdictMap,
} from "./ruleset.ts";

const INDENT = "  ";

/** The whole table, ready for `nft -f -`: replaces a table of that name in one transaction. Other tables are not touched. */
export function renderText(ruleset: Ruleset): string {
  const lines = [`table inet ${ruleset.table}`, `delete table inet ${ruleset.table}`, `table inet ${ruleset.table} {`];
  for (const name of [...ruleset.counters].sort()) lines.push(`${INDENT}counter ${name} { }`);
  for (const set of sortedByName(ruleset.sets.values())) lines.push("", ...setBlock(set).map(indent));
  for (const chain of sortedByName(ruleset.chains.values())) lines.push("", ...chainBlock(chain).map(indent));
  lines.push("}", "");
  return lines.join("\n");
}

function indent(line: string): string {
  return line === "" ? line : INDENT + line;
}

/** The set as a block inside the table, elements sorted. */
function setBlock(set: NamedSet | VerdictMap): string[] {
  const lines = [`${set.kind} ${set.name} {`, `${INDENT}${typeofText(set)}`];
  if (set.interval) lines.push(`${INDENT}flags interval`);
  if (set.size !== undefined) lines.push(`${INDENT}size ${set.size}`);
  if (set.comment !== undefined) lines.push(`${INDENT}comment "${set.comment}"`);
  const elements = elementTexts(set);
  if (elements.length > 0) lines.push(`${INDENT}elements = { ${elements.join(`,\n${INDENT.repeat(3)}  `)} }`);
  lines.push("}");
  return lines;
}

export function typeofText(set: NamedSet | VerdictMap): string {
  return `typeof ${set.key.join(" . ")}${set.kind === "map" ? " : verdict" : ""}`;
}

/** Elements in canonical order; for maps with their verdicts. */
export function elementTexts(set: NamedSet | VerdictMap): string[] {
  if (set.kind === "set") return [...set.elements].sort(compareElements);
  return [...set.elements.keys()]
    .sort(compareElements)
    .map((key) => `${key} : ${formatVerdict(set.elements.get(key) as Verdict)}`);
}

/** Addresses and numbers in numeric order, part by part; everything else by text. */
export function compareElements(a: string, b: string): number {
  const partsA = a.split(" . ");
  const partsB = b.split(" . ");
  for (let index = 0; index < Math.min(partsA.length, partsB.length); index++) {
    const order = compareWords(partsA[index] as string, partsB[index] as string);
    if (order !== 0) return order;
  }
  return partsA.length - partsB.length;
}

function compareWords(a: string, b: string): number {
  if (a === b) return 0;
  const [addressA, lengthA] = a.split("/") as [string, string?];
  const [addressB, lengthB] = b.split("/") as [string, string?];
  if (isAddress(addressA) && isAddress(addressB)) {
    return (
      compareAddresses(addressA as Address, addressB as Address) || Number(lengthA ?? 128) - Number(lengthB ?? 128)
    );
  }
  const numberA = Number.parseInt(a, 10);
  const numberB = Number.parseInt(b, 10);
  if (!Number.isNaN(numberA) && !Number.isNaN(numberB) && numberA !== numberB) return numberA - numberB;
  return a < b ? -1 : 1;
}

function isAddress(word: string): boolean {
  return word.includes(".") || word.includes(":");
}

function chainBlock(chain: Chain): string[] {
  const lines = [`chain ${chain.name} {`];
  if (chain.comment !== undefined) lines.push(`${INDENT}comment "${chain.comment}"`);
  if (chain.hook !== undefined) lines.push(`${INDENT}${hookText(chain.hook)}`);
  for (const each of chain.rules) lines.push(INDENT + ruleText(each));
  lines.push("}");
  return lines;
}

export function hookText(hook: NonNullable<Chain["hook"]>): string {
  return `type filter hook ${hook.name} priority ${hook.priority}; policy accept;`;
}

/** One rule on one line, comment included. */
export function ruleText(rule: Rule): string {
  const text = rule.statements.map(statementText).join(" ");
  return rule.comment === undefined ? text : `${text} comment "${rule.comment}"`;
}

function statementText(statement: Statement): string {
  switch (statement.kind) {
    case "match":
      return matchText(statement);
    case "vmap": {
      const { key, map } = statement;
      if (map.kind === "map") return `${expressionText(key)} vmap @${map.name}`;
      const entries = [...map.entries].sort((a, b) => compareElements(a.element, b.element));
      return `${expressionText(key)} vmap { ${entries.map((entry) => `${entry.element} : ${formatVerdict(entry.verdict)}`).join(", ")} }`;
    }
    case "verdict":
      return formatVerdict(statement.verdict);
    case "counter":
      return `counter name ${statement.name}`;
    case "log":
      return `log prefix "${statement.prefix}" group ${statement.group}`;
    case "limit":
      return `limit rate ${statement.perSecond}/second burst ${statement.burstPackets} packets`;
  }
}

function matchText({ left, operator, right }: Statement & { kind: "match" }): string {
  const prefix = `${expressionText(left)}${operator === "!=" ? " !=" : ""}`;
  if (right.kind === "set") return `${prefix} @${right.name}`;
  if (right.values.length === 1) return `${prefix} ${right.values[0]}`;
  if (left.kind === "field" && left.field === "ct state") return `${prefix} ${right.values.join(",")}`;
  return `${prefix} { ${[...right.values].sort(compareElements).join(", ")} }`;
}

export function expressionText(expression: Expression): string {
  switch (expression.kind) {
    case "field":
      return expression.field;
    case "masked":
      return `${expression.field} & ${expression.mask.length === 1 ? expression.mask[0] : `(${expression.mask.join(" | ")})`}`;
    case "concat":
      return expression.fields.join(" . ");
  }
}

export function sortedByName<T extends { readonly name: string }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
