// Rules of the nft backend, and its floor. Owns how they are loaded, and how each of them is counted: with a counter of its own.

import { ACCEPT, DROP, is, rule } from "../../src/backends/nft/build.ts";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { type Chain, type Rule, type Ruleset, type Statement, TABLE } from "../../src/backends/nft/ruleset.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import { tracePacket } from "../../src/backends/nft/trace.ts";
import type { Packet } from "../../src/backends/packet.ts";
import {
  type BenchBackend,
  type BenchRules,
  type MetRules,
  type RuleCounter,
  type RunInNode,
  rulesAsked,
  timesOf,
} from "./backend.ts";
import { programOf } from "./bench-cluster.ts";
import { takeNftCounters } from "./nft-counters.ts";
import type { Outcome } from "./variant.ts";

export const NFT: BenchBackend = {
  name: "nft",
  programs: ["nft"],
  floor: (outcome) => new NftRules(floorRuleset(outcome)),
  compile: (policies, ends) => new NftRules(compileRuleset(programOf(policies, ends))),
  compileLinear: undefined,
};

const KNOWN = rule([is("ct state", "established", "related")], ACCEPT);

/** One table with one chain at our hook and priority. */
function floorRuleset(outcome: Outcome): Ruleset {
  const rules = outcome !== "denied" ? [KNOWN] : [KNOWN, rule([], DROP)];
  const forward = { name: "forward", hook: { name: "forward", priority: -5 }, comment: undefined, rules } as const;
  return { table: TABLE, counters: new Set(), sets: new Map(), chains: new Map([[forward.name, forward]]) };
}

export class NftRules implements BenchRules {
  readonly ruleset: Ruleset;
  readonly counters: readonly RuleCounter[];
  readonly #text: string;

  constructor(ruleset: Ruleset) {
    this.ruleset = ruleset;
    this.#text = renderText(ruleset);
    const dropped = ruleset.counters.has(DROPPED) ? [{ name: DROPPED, isLookUp: false }] : [];
    this.counters = [...rulesOf(ruleset), ...dropped];
  }

  async load(run: RunInNode, { counted } = { counted: false }): Promise<void> {
    const text = counted ? renderText(withRuleCounters(this.ruleset)) : this.#text;
    await run(["nft", "-f", "-"], `flush ruleset\n${text}`);
  }

  trace(packet: Packet): MetRules {
    const { verdict, steps } = tracePacket(this.ruleset, packet);
    const met = steps.map(({ chain, ruleIndex }) => counterOf(chain, ruleIndex));
    if (verdict === "drop" && this.ruleset.counters.has(DROPPED)) met.push(DROPPED);
    return {
      verdict,
      counters: timesOf(met),
      comments: steps.flatMap(({ rule }) => rule.comment ?? []),
      rulesAsked: rulesAsked(steps),
    };
  }

  takeCounters(run: RunInNode): Promise<ReadonlyMap<string, number>> {
    const names = this.counters.map(({ name }) => name);
    return takeNftCounters(run, `inet ${this.ruleset.table}`, names);
  }
}

/** The backend's own counter of what the measured packets are denied by. */
const DROPPED = "drop_ingress";

/** In each rule a counter behind its conditions. */
function withRuleCounters(rules: Ruleset): Ruleset {
  const chains = new Map(
    [...rules.chains].map(([name, chain]): [string, Chain] => [
      name,
      { ...chain, rules: chain.rules.map((rule, index) => withCounter(rule, counterOf(name, index))) },
    ]),
  );
  return { ...rules, chains, counters: new Set([...rules.counters, ...rulesOf(rules).map(({ name }) => name)]) };
}

function withCounter(rule: Rule, name: string): Rule {
  const isCondition = ({ kind }: Statement) => kind === "match";
  const counter: Statement = { kind: "counter", name };
  const conditions = rule.statements.filter(isCondition);
  return { ...rule, statements: [...conditions, counter, ...rule.statements.filter((each) => !isCondition(each))] };
}

function rulesOf({ chains }: Ruleset): RuleCounter[] {
  return [...chains].flatMap(([chain, { rules }]) =>
    rules.map(({ statements }, index) => ({
      name: counterOf(chain, index),
      isLookUp: statements.some(({ kind }) => kind === "vmap"),
    })),
  );
}

function counterOf(chain: string, ruleIndex: number): string {
  return `met_${chain}_${ruleIndex}`;
}

interface CounterListing {
  readonly nftables: readonly { readonly counter?: { readonly name: string; readonly packets: number } }[];
}

/** In what `nft -j` prints. */
export function countersIn(json: string): ReadonlyMap<string, number> {
  const { nftables } = JSON.parse(json) as CounterListing;
  return new Map(nftables.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])));
}
