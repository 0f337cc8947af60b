// libnftables JSON (libnftables-json(5)) of a ruleset. Same content and order as the text form.

import type { Chain, Expression, NamedSet, Rule, Ruleset, Statement, Verdict, VerdictMap } from "./ruleset.ts";
import { compareElements, elementTexts, sortedByName } from "./text.ts";
import { dataType, fieldToJson } from "./types.ts";

/**
 * How sets are declared. `type` is read by every nft. `typeof` is read by nft >= 1.1.3 only, and is what such an nft should be
 * given: sets that it declares by `type` make an older nft (1.0.6) on the same node crash (measured; docs/data-plane.md).
 */
export type JsonDeclaration = "type" | "typeof";

/** The whole table for `nft -j -f FILE`: replaces a table of that name in one transaction. */
export function renderJson(ruleset: Ruleset, declaration: JsonDeclaration = "type"): string {
  const table = { family: "inet", name: ruleset.table };
  const commands: unknown[] = [
    { metainfo: { json_schema_version: 1 } },
    { add: { table } },
    { delete: { table } },
    { add: { table } },
  ];
  for (const name of [...ruleset.counters].sort())
    commands.push({ add: { counter: { family: "inet", table: ruleset.table, name } } });
  const sets = sortedByName(ruleset.sets.values());
  const chains = sortedByName(ruleset.chains.values());
  // Maps name chains in their elements, so chains come between sets and elements.
  for (const set of sets) commands.push({ add: { [set.kind]: setJson(ruleset.table, set, declaration) } });
  for (const chain of chains) commands.push({ add: { chain: chainJson(ruleset.table, chain) } });
  for (const set of sets) {
    const elem = elementsJson(set);
    if (elem.length > 0)
      commands.push({ add: { element: { family: "inet", table: ruleset.table, name: set.name, elem } } });
  }
  for (const chain of chains) {
    for (const rule of chain.rules) commands.push({ add: { rule: ruleJson(ruleset.table, chain.name, rule) } });
  }
  return `${JSON.stringify({ nftables: commands })}\n`;
}

function setJson(table: string, set: NamedSet | VerdictMap, declaration: JsonDeclaration): unknown {
  const types = set.key.map((field) => (declaration === "type" ? dataType(field) : fieldToJson(field)));
  const joined = types.length === 1 ? types[0] : declaration === "type" ? types : { concat: types };
  return {
    family: "inet",
    table,
    name: set.name,
    type: declaration === "type" ? joined : { typeof: joined },
    ...(set.kind === "map" ? { map: "verdict" } : {}),
    ...(set.interval ? { flags: ["interval"] } : {}),
    ...(set.size === undefined ? {} : { size: set.size }),
    ...(set.comment === undefined ? {} : { comment: set.comment }),
  };
}

function elementsJson(set: NamedSet | VerdictMap): unknown[] {
  if (set.kind === "set") return elementTexts(set).map(elementJson);
  return [...set.elements.keys()]
    .sort(compareElements)
    .map((key) => [elementJson(key), verdictJson(set.elements.get(key) as Verdict)]);
}

function chainJson(table: string, chain: Chain): unknown {
  const hook =
    chain.hook === undefined
      ? {}
      : { type: "filter", hook: chain.hook.name, prio: chain.hook.priority, policy: "accept" };
  return {
    family: "inet",
    table,
    name: chain.name,
    ...hook,
    ...(chain.comment === undefined ? {} : { comment: chain.comment }),
  };
}

function ruleJson(table: string, chain: string, rule: Rule): unknown {
  const comment = rule.comment === undefined ? {} : { comment: rule.comment };
  return { family: "inet", table, chain, expr: rule.statements.flatMap(statementJson), ...comment };
}

function statementJson(statement: Statement): unknown[] {
  switch (statement.kind) {
    case "match":
      return [matchJson(statement)];
    case "vmap": {
      const { key, map } = statement;
      const data =
        map.kind === "map"
          ? `@${map.name}`
          : {
              set: [...map.entries]
                .sort((a, b) => compareElements(a.element, b.element))
                .map((entry) => [elementJson(entry.element), verdictJson(entry.verdict)]),
            };
      return [{ vmap: { key: expressionJson(key), data } }];
    }
    case "verdict":
      return [verdictJson(statement.verdict)];
    case "counter":
      return [{ counter: statement.name }];
    case "log":
      return [{ log: { prefix: statement.prefix, group: statement.group } }];
    case "limit":
      return [{ limit: { rate: statement.perSecond, per: "second", burst: statement.burstPackets } }];
  }
}

function matchJson({ left, operator, right }: Statement & { kind: "match" }): unknown {
  const leftJson = expressionJson(left);
  if (right.kind === "set") return { match: { op: operator, left: leftJson, right: `@${right.name}` } };
  // Flags: any of them, not exactly these.
  if (left.kind === "field" && (left.field === "ct state" || left.field === "ct status"))
    return { match: { op: "in", left: leftJson, right: right.values.length === 1 ? right.values[0] : right.values } };
  const [only] = right.values;
  if (right.values.length === 1 && only !== undefined)
    return { match: { op: operator, left: leftJson, right: elementJson(only) } };
  return {
    match: { op: operator, left: leftJson, right: { set: [...right.values].sort(compareElements).map(elementJson) } },
  };
}

function expressionJson(expression: Expression): unknown {
  switch (expression.kind) {
    case "field":
      return fieldToJson(expression.field);
    case "masked":
      return {
        "&": [fieldToJson(expression.field), expression.mask.length === 1 ? expression.mask[0] : expression.mask],
      };
    case "concat":
      return { concat: expression.fields.map(fieldToJson) };
  }
}

function verdictJson(verdict: Verdict): unknown {
  return "chain" in verdict ? { [verdict.kind]: { target: verdict.chain } } : { [verdict.kind]: null };
}

function elementJson(element: string): unknown {
  const parts = element.split(" . ").map(wordJson);
  return parts.length === 1 ? parts[0] : { concat: parts };
}

function wordJson(word: string): unknown {
  if (/^\d+$/.test(word)) return Number(word);
  const range = /^(\d+)-(\d+)$/.exec(word);
  if (range !== null) return { range: [Number(range[1]), Number(range[2])] };
  const [address, length] = word.split("/");
  return length === undefined ? word : { prefix: { addr: address, len: Number(length) } };
}
