// Our chains as the prover takes them apart: what they ask of addresses, where they lead, what else they compare with.

import type { Family } from "../../net/address.ts";
import { cidrRange } from "../../net/cidr.ts";
import {
  type AddressTest,
  type ChainFacts,
  type ConstantsSink,
  type NodeRules,
  type PortInterval,
  type RuleTrace,
  type Side,
  type TestEntry,
  UnprovableRule,
} from "../node-rules.ts";
import type { ConnectionState } from "../packet.ts";
import { elementBlock, FIRST_PACKET_MASK, PROTOCOL_NUMBERS } from "./lookup.ts";
import { chainOfRule, type IpSet, type IptablesRuleset, type Match, type Rule } from "./ruleset.ts";
import { ruleText, targetWords } from "./text.ts";
import { CHAIN_OF_HOOK, tracePacket } from "./trace.ts";

/** The rules must not change while they are asked. */
export function iptablesRules(ruleset: IptablesRuleset): NodeRules {
  const facts = { 4: new Map<string, ChainFacts>(), 6: new Map<string, ChainFacts>() };
  const rulesOf = (name: string, family: Family) => ruleset.chains[family].get(name)?.rules ?? [];
  const entries = new Map<string, readonly TestEntry[]>();
  return {
    language: "iptables",
    hookChains: (hook, family) => (ruleset.chains[family].has(CHAIN_OF_HOOK[hook]) ? [CHAIN_OF_HOOK[hook]] : []),
    chainNames: (family) => ruleset.chains[family].keys(),
    chainFacts(name, family) {
      const known = facts[family].get(name) ?? chainFacts(ruleset, rulesOf(name, family), entries);
      facts[family].set(name, known);
      return known;
    },
    addConstants(name, family, constants) {
      for (const rule of rulesOf(name, family)) for (const match of rule.matches) addConstants(match, constants);
    },
    trace: (packet) => describedTrace(ruleset, packet),
  };
}

function describedTrace(ruleset: IptablesRuleset, packet: Parameters<NodeRules["trace"]>[0]): RuleTrace {
  const { verdict, byPolicy, steps } = tracePacket(ruleset, packet);
  return {
    verdict,
    byPolicy,
    steps: () =>
      steps.map(({ chain, ruleIndex, rule }) => ({
        chain,
        ruleIndex,
        rule: ruleText(rule, packet.family),
        element: undefined,
        verdict: rule.target.kind === "log" ? undefined : targetWords(rule.target).join(" "),
      })),
  };
}

/** A rule that asks for an address and leads to a chain is a guarded link, by the first of its tests that it asks for a match. */
function chainFacts(
  ruleset: IptablesRuleset,
  rules: readonly Rule[],
  entries: Map<string, readonly TestEntry[]>,
): ChainFacts {
  const tests = new Map<string, AddressTest>();
  const always: string[] = [];
  for (const rule of rules) {
    let target = chainOfRule(rule);
    for (const match of rule.matches) {
      const guarded = match.kind === "set" && match.negated ? undefined : target;
      const test = addressTest(ruleset, match, guarded, entries);
      if (test === undefined) continue;
      tests.set(test.id, test);
      if (guarded !== undefined) target = undefined;
    }
    if (target !== undefined) always.push(target);
  }
  const comparesEnds = rules.some(({ matches }) => matches.some(({ kind }) => kind === "same-address"));
  return { tests: [...tests.values()], pairs: [], comparesEnds, always };
}

/** undefined: the match asks nothing of one address alone. */
function addressTest(
  { sets }: IptablesRuleset,
  match: Match,
  target: string | undefined,
  cache: Map<string, readonly TestEntry[]>,
): AddressTest | undefined {
  const to = target === undefined ? "" : ` -> ${target}`;
  if (match.kind === "source" || match.kind === "destination") {
    const entry = { range: cidrRange(match.block), answer: `yes${to}`, ports: [], target };
    return { id: `${match.kind} ${match.block.text}${to}`, side: match.kind, entries: [entry] };
  }
  if (match.kind !== "set") return undefined;
  const set = sets.get(match.set);
  if (set === undefined) throw new UnprovableRule(`set ${match.set} does not exist`);
  const side: Side = match.sides[0] === "src" ? "source" : "destination";
  const id = `${side} @${match.set}${to}`;
  const entries = cache.get(id) ?? entriesOf(set, target);
  cache.set(id, entries);
  return { id, side, entries };
}

function entriesOf(set: IpSet, target: string | undefined): readonly TestEntry[] {
  return [...set.elements].map((element) => {
    const [word = "", port] = element.split(",");
    const answer = `${port ?? "yes"}${target === undefined ? "" : ` -> ${target}`}`;
    return { range: cidrRange(elementBlock(word)), answer, ports: portsOf(port), target };
  });
}

function portsOf(text: string | undefined): PortInterval[] {
  if (text === undefined) return [];
  const port = Number(/^[a-z]+:(\d+)$/.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(port)) throw new UnprovableRule(`element with ${text}`);
  return [{ first: port, last: port }];
}

function addConstants(match: Match, constants: ConstantsSink): void {
  switch (match.kind) {
    case "protocol":
      constants.addProtocol(PROTOCOL_NUMBERS[match.protocol]);
      break;
    case "not-first-packet":
      constants.addFlagTest(FIRST_PACKET_MASK, ["syn"]);
      break;
    case "source-port":
      constants.addSourcePort(match.port);
      break;
    case "destination-ports":
      for (const { first, last } of match.ports) constants.addPorts(first, last);
      break;
    case "icmpv6-type":
      constants.addIcmpv6Type(match.type);
      break;
    case "connection-state":
      for (const state of match.states) constants.addState(state.toLowerCase() as ConnectionState);
      break;
    default:
      break;
  }
}
