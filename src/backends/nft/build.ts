// Short constructors for rules, so that the compiler of classes reads like nft.

import type { Expression, Field, MatchRight, Rule, Statement, Verdict } from "./ruleset.ts";

export function field(name: Field): Expression {
  return { kind: "field", field: name };
}

export function concat(...fields: readonly Field[]): Expression {
  return { kind: "concat", fields };
}

export function masked(name: Field, ...mask: readonly string[]): Expression {
  return { kind: "masked", field: name, mask };
}

export function is(left: Expression | Field, ...values: readonly string[]): Statement {
  return match(left, "==", { kind: "values", values });
}

export function isNot(left: Expression | Field, ...values: readonly string[]): Statement {
  return match(left, "!=", { kind: "values", values });
}

export function inSet(left: Expression | Field, name: string): Statement {
  return match(left, "==", { kind: "set", name });
}

export function notInSet(left: Expression | Field, name: string): Statement {
  return match(left, "!=", { kind: "set", name });
}

function match(left: Expression | Field, operator: "==" | "!=", right: MatchRight): Statement {
  return { kind: "match", left: typeof left === "string" ? field(left) : left, operator, right };
}

export function lookUp(key: Field, name: string): Statement {
  return { kind: "vmap", key: field(key), map: { kind: "map", name } };
}

export const ACCEPT: Verdict = { kind: "accept" };
export const DROP: Verdict = { kind: "drop" };
export const RETURN: Verdict = { kind: "return" };

export function jump(chain: string): Verdict {
  return { kind: "jump", chain };
}

export function goto(chain: string): Verdict {
  return { kind: "goto", chain };
}

/** A rule of these statements that ends in a verdict. */
export function rule(statements: readonly Statement[], verdict: Verdict, comment?: string): Rule {
  return { statements: [...statements, { kind: "verdict", verdict }], comment };
}
