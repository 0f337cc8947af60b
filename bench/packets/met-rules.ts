// Whether packets meet the rules that they are meant to meet: the same rules with a counter in each, and a few packets. What the
// kernel counts is compared with what the tracer says. Without it, a typing error here would be measured as fast rules.

import type { Chain, Rule, Ruleset, Statement } from "../../src/backends/nft/ruleset.ts";
import { renderText } from "../../src/backends/nft/text.ts";
import { type Trace, tracePacket } from "../../src/backends/nft/trace.ts";
import { EPHEMERAL_PORT, type Packet, UDP } from "../../src/backends/packet.ts";
import type { BurstPlan, MeasuredNode } from "./measured-node.ts";
import { type Ends, KINDS_OF, type Outcome, type PacketKind, type Scenario } from "./variant.ts";

const FEW: BurstPlan = { bursts: 2, packets: 8, untimedPackets: 0 };

/** What the tracer says of the scenario's packets. Throws where the outcome is another, or another rule decides. */
export function traceScenario(rules: Ruleset, { port, decidedBy }: Scenario, outcome: Outcome, ends: Ends): Trace {
  const trace = tracePacket(rules, udpPacket(ends, port, "new"));
  const expected = outcome === "allowed" ? "accept" : "drop";
  if (trace.verdict !== expected) throw new Error(`the tracer says ${trace.verdict}, not ${expected}`);
  const met = trace.steps.flatMap(({ rule }) => rule.comment ?? []);
  if (decidedBy !== undefined && !met.includes(decidedBy))
    throw new Error(`not decided by ${decidedBy} but after ${met.join(", ")}`);
  return trace;
}

/** Throws what is wrong. Leaves the rules with counters loaded. */
export async function checkMetRules(
  node: MeasuredNode,
  rules: Ruleset,
  scenario: Scenario,
  outcome: Outcome,
): Promise<void> {
  const counted = withRuleCounters(rules);
  const traces: Readonly<Record<PacketKind, Trace>> = {
    new: traceScenario(rules, scenario, outcome, node.ends),
    denied: traceScenario(rules, scenario, outcome, node.ends),
    established: tracePacket(rules, udpPacket(node.ends, scenario.port, "established")),
  };
  for (const kind of KINDS_OF[outcome]) {
    await node.load(renderText(counted));
    await node.forgetConnections();
    if (kind === "established") node.openFlow(scenario.port);
    const before = await node.counters(rules.table);
    const { bursts, packets } = node.prepare(kind, scenario.port, FEW);
    for (const { timed } of bursts) node.send(timed);
    const after = await node.counters(rules.table);
    const met = new Set(traces[kind].steps.map((step) => counterOf(step.chain, step.ruleIndex)));
    for (const { name, isLookUp } of countersOf(rules)) {
      const grown = (after.get(name) ?? 0) - (before.get(name) ?? 0);
      // A look-up counts whether or not it finds anything.
      if (isLookUp && !met.has(name)) continue;
      const expected = met.has(name) ? packets : 0;
      if (grown !== expected) throw new Error(`${kind}: ${name} counted ${grown} packets, not ${expected}`);
    }
    if (kind === "denied" && rules.counters.has(DROPS)) {
      const dropped = (after.get(DROPS) ?? 0) - (before.get(DROPS) ?? 0);
      if (dropped !== packets) throw new Error(`${DROPS} counted ${dropped} of ${packets} packets`);
    }
  }
  await node.arrived();
}

const DROPS = "drop_ingress";

function udpPacket({ client, server }: Ends, port: number, state: Packet["state"]): Packet {
  return {
    hook: "forward",
    family: 4,
    source: client,
    destination: server,
    protocol: UDP,
    sourcePort: EPHEMERAL_PORT,
    destinationPort: port,
    icmpv6Type: undefined,
    tcpFlags: new Set(),
    state,
    sourceIsLocal: false,
  };
}

/** In each rule a counter behind its conditions. */
function withRuleCounters(rules: Ruleset): Ruleset {
  const chains = new Map(
    [...rules.chains].map(([name, chain]): [string, Chain] => [
      name,
      { ...chain, rules: chain.rules.map((rule, index) => withCounter(rule, counterOf(name, index))) },
    ]),
  );
  return { ...rules, chains, counters: new Set([...rules.counters, ...countersOf(rules).map(({ name }) => name)]) };
}

function withCounter(rule: Rule, name: string): Rule {
  const isCondition = ({ kind }: Statement) => kind === "match";
  const counter: Statement = { kind: "counter", name };
  const conditions = rule.statements.filter(isCondition);
  return { ...rule, statements: [...conditions, counter, ...rule.statements.filter((each) => !isCondition(each))] };
}

function countersOf({ chains }: Ruleset): { readonly name: string; readonly isLookUp: boolean }[] {
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
