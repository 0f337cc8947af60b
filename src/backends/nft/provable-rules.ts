// A table as the prover and `explain` ask it: nft's side of `NodeRules`.

import type { Family } from "../../net/address.ts";
import type { AddressPair, AddressTest, ChainFacts, NodeRules, RuleStep } from "../node-rules.ts";
import type { Hook } from "../packet.ts";
import { fieldsOf, isAddressField, type TestCache, testsOfRule } from "./address-tests.ts";
import { addRuleConstants } from "./rule-constants.ts";
import { type Chain, chainsOfRule, formatVerdict, type Rule, type Ruleset } from "./ruleset.ts";
import { ruleText } from "./text.ts";
import { hookChains, type TraceStep, traceFrom } from "./trace.ts";

/** The ruleset must not change while the result is in use: what sets hold is remembered. */
export function nftRules(ruleset: Ruleset): NodeRules {
  const chainsAt: Readonly<Record<Hook, readonly Chain[]>> = {
    forward: hookChains(ruleset, "forward"),
    input: hookChains(ruleset, "input"),
    output: hookChains(ruleset, "output"),
  };
  const tests: Readonly<Record<Family, TestCache>> = { 4: new Map(), 6: new Map() };
  const rulesOf = (chain: string) => ruleset.chains.get(chain)?.rules ?? [];
  return {
    language: "nft",
    hookChains: (hook) => chainsAt[hook].map(({ name }) => name),
    chainNames: () => ruleset.chains.keys(),
    chainFacts: (chain, family) => factsOf(ruleset, rulesOf(chain), family, tests[family]),
    addConstants: (chain, _family, constants) => {
      for (const rule of rulesOf(chain)) addRuleConstants(ruleset, rule, constants);
    },
    trace: (packet) => {
      const { verdict, byPolicy, steps } = traceFrom(ruleset, chainsAt[packet.hook][0], packet);
      return { verdict, byPolicy, steps: () => steps.map(ruleStep) };
    },
  };
}

function factsOf(ruleset: Ruleset, rules: readonly Rule[], family: Family, cache: TestCache): ChainFacts {
  const tests: AddressTest[] = [];
  const pairs: AddressPair[] = [];
  const always: string[] = [];
  for (const rule of rules) {
    const asked = testsOfRule(ruleset, rule, family, cache);
    tests.push(...asked.tests);
    pairs.push(...asked.pairs);
    always.push(...chainsOfRule(rule), ...targetsByOtherKeys(ruleset, rule));
  }
  return { tests, pairs, comparesEnds: false, always };
}

/** Where named maps lead, save those that are asked by one address: their elements are entries of a test. */
function targetsByOtherKeys(ruleset: Ruleset, rule: Rule): string[] {
  return rule.statements.flatMap((statement) => {
    if (statement.kind !== "vmap" || statement.map.kind !== "map") return [];
    if (fieldsOf(statement.key).filter(isAddressField).length === 1) return [];
    const map = ruleset.sets.get(statement.map.name);
    return map?.kind === "map"
      ? [...map.elements.values()].flatMap((verdict) => ("chain" in verdict ? [verdict.chain] : []))
      : [];
  });
}

function ruleStep({ chain, ruleIndex, rule, element, verdict }: TraceStep): RuleStep {
  return {
    chain,
    ruleIndex,
    rule: ruleText(rule),
    element,
    verdict: verdict === undefined ? undefined : formatVerdict(verdict),
  };
}
