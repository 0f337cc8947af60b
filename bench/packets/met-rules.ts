// Whether packets meet the rules that they are meant to meet: the same rules, each with a counter, and a few packets. What the
// kernel counts is compared with what the tracer says. Without it, a typing error here would be measured as fast rules.

import { EPHEMERAL_PORT, type Packet, UDP } from "../../src/backends/packet.ts";
import type { MetRules } from "./backend.ts";
import type { BurstPlan, MeasuredNode } from "./measured-node.ts";
import { type Ends, KINDS_OF, type Outcome, type PacketKind, type Scenario } from "./variant.ts";

/** No more packets than the drop log takes at once: it counts only what it takes. */
const FEW: BurstPlan = { bursts: 2, packets: 8, untimedPackets: 0 };

/** What the tracer says of the scenario's packets. Throws where the outcome is another, or another rule decides. */
export function traceScenario({ rules, port, decidedBy }: Scenario, outcome: Outcome, ends: Ends): MetRules {
  const met = rules.trace(udpPacket(ends, port, "new"));
  const expected = outcome === "allowed" ? "accept" : "drop";
  if (met.verdict !== expected) throw new Error(`the tracer says ${met.verdict}, not ${expected}`);
  if (decidedBy !== undefined && !met.comments.includes(decidedBy))
    throw new Error(`not decided by ${decidedBy} but after ${met.comments.join(", ")}`);
  return met;
}

/** Throws what is wrong. Leaves the rules with counters loaded. */
export async function checkMetRules(node: MeasuredNode, scenario: Scenario, outcome: Outcome): Promise<void> {
  const { rules, port } = scenario;
  const met: Readonly<Record<PacketKind, MetRules>> = {
    new: traceScenario(scenario, outcome, node.ends),
    denied: traceScenario(scenario, outcome, node.ends),
    established: rules.trace(udpPacket(node.ends, port, "established")),
  };
  for (const kind of KINDS_OF[outcome]) {
    await rules.load(node.run, { counted: true });
    await node.forgetConnections();
    if (kind === "established") node.openFlow(port);
    const before = await rules.readCounters(node.run);
    const { bursts, packets } = node.prepare(kind, port, FEW);
    for (const { timed } of bursts) node.send(timed);
    const after = await rules.readCounters(node.run);
    for (const { name, isLookUp } of rules.counters) {
      const grown = (after.get(name) ?? Number.NaN) - (before.get(name) ?? Number.NaN);
      const isMet = met[kind].counters.has(name);
      if (isLookUp && !isMet) continue;
      const expected = isMet ? packets : 0;
      if (grown !== expected) throw new Error(`${kind}: ${name} counted ${grown} packets, not ${expected}`);
    }
  }
  await node.arrived();
}

/** From the client to the server. */
export function udpPacket({ client, server }: Ends, port: number, state: Packet["state"]): Packet {
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
