// Whether packets meet the rules that they are meant to meet: the same rules, each with a counter, and a few packets. What the
// kernel counts is compared with what the tracer says. Without it, a typing error here would be measured as fast rules.

import { EPHEMERAL_PORT, type Packet, TCP, UDP } from "../../src/backends/packet.ts";
import { addressFamily } from "../../src/net/address.ts";
import type { MetRules } from "./backend.ts";
import type { BurstPlan, MeasuredNode } from "./measured-node.ts";
import { type Ends, KINDS_OF, type Outcome, type Scenario } from "./variant.ts";

/** No more packets than the drop log takes at once: it counts only what it takes. */
const FEW: BurstPlan = { bursts: 2, packets: 8, untimedPackets: 0 };

/** What the tracer says of the scenario's packets. Throws where the outcome is another, or another rule decides. */
export function traceScenario({ rules, port, decidedBy }: Scenario, outcome: Outcome, ends: Ends): MetRules {
  const met = rules.trace(outcome === "connected" ? tcpSyn(ends, port) : udpPacket(ends, port, "new"));
  const expected = outcome !== "denied" ? "accept" : "drop";
  if (met.verdict !== expected) throw new Error(`the tracer says ${met.verdict}, not ${expected}`);
  if (decidedBy !== undefined && !met.comments.includes(decidedBy))
    throw new Error(`not decided by ${decidedBy} but after ${met.comments.join(", ")}`);
  return met;
}

/**
 * Throws what is wrong. Leaves the rules with counters loaded, or those that were there: of TCP it is enough that the rules would let it
 * in, since those for UDP are the same.
 */
export async function checkMetRules(node: MeasuredNode, scenario: Scenario, outcome: Outcome): Promise<void> {
  const { rules, port } = scenario;
  if (outcome === "connected") {
    traceScenario(scenario, outcome, node.ends);
    return;
  }
  // First, because what the tracer knows of the node's links comes from there.
  await rules.load(node.run, { counted: true });
  const first = traceScenario(scenario, outcome, node.ends);
  for (const kind of KINDS_OF[outcome]) {
    const met = kind === "established" ? rules.trace(udpPacket(node.ends, port, "established")) : first;
    await node.forgetConnections();
    if (kind === "established") {
      node.openFlow(port);
      await rules.takeCounters(node.run);
    }
    const { bursts, packets } = node.prepare(kind, port, FEW);
    for (const { timed } of bursts) node.send(timed);
    const counted = await rules.takeCounters(node.run);
    for (const { name, isLookUp } of rules.counters) {
      const times = met.counters.get(name) ?? 0;
      if (isLookUp && times === 0) continue;
      const expected = times * packets;
      const count = counted.get(name);
      if (count !== expected) throw new Error(`${kind}: ${name} counted ${count} packets, not ${expected}`);
    }
  }
  await node.arrived();
}

/** From the client to the server. */
export function udpPacket({ client, server }: Ends, port: number, state: Packet["state"]): Packet {
  return {
    hook: "forward",
    family: addressFamily(client),
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

function tcpSyn(ends: Ends, port: number): Packet {
  return { ...udpPacket(ends, port, "new"), protocol: TCP, tcpFlags: new Set(["syn"]) };
}
