// One measurement: bursts through the floor's rules and through a variant's in turn, so that whatever else the machine does hits
// both. Owns the turns, and the check that every packet went where it should.

import type { BurstPlan, MeasuredNode, PreparedBursts } from "./measured-node.ts";
import { KINDS_OF, type Outcome, type PacketKind, type Scenario } from "./variant.ts";

/** Nanoseconds a packet: a burst through the variant's rules, and those through the floor's just before and after. */
export interface Pair {
  readonly floorBefore: number;
  readonly variant: number;
  readonly floorAfter: number;
}

interface Side {
  readonly node: MeasuredNode;
  readonly port: number;
}

/** The nodes that take turns. */
export interface Opponents {
  /** Its rules are loaded already. */
  readonly floor: MeasuredNode;
  readonly variant: MeasuredNode;
}

/** Any: the floor's rules ask for none. */
export const FLOOR_PORT = 8000;

/** Packets of each kind that have this outcome, through the scenario's rules. Throws where a packet was lost, or passed that should not. */
export async function measureScenario(
  { floor, variant }: Opponents,
  outcome: Outcome,
  { port, rules }: Scenario,
  plan: BurstPlan,
): Promise<ReadonlyMap<PacketKind, readonly Pair[]>> {
  const sides: readonly [Side, Side] = [
    { node: floor, port: FLOOR_PORT },
    { node: variant, port },
  ];
  await variant.load(rules);
  for (const { node } of sides) await node.forgetConnections();
  const measured = new Map<PacketKind, readonly Pair[]>();
  for (const kind of KINDS_OF[outcome]) {
    if (kind === "established") for (const { node, port } of sides) node.openFlow(port);
    const prepared = sides.map(({ node, port }) => node.prepare(kind, port, plan)) as [PreparedBursts, PreparedBursts];
    measured.set(kind, takeTurns(sides, prepared, plan.packets));
    for (const { node } of sides) await expectArrivals(node, kind, outcome, prepared[0].packets);
  }
  return measured;
}

function takeTurns(
  [floor, variant]: readonly [Side, Side],
  [ofFloor, ofVariant]: readonly [PreparedBursts, PreparedBursts],
  packets: number,
): Pair[] {
  const pairs: Pair[] = [];
  let before: number | undefined;
  let between = 0;
  for (const [index, burst] of ofFloor.bursts.entries()) {
    floor.node.send(burst.untimed);
    const after = floor.node.send(burst.timed) / packets;
    if (before !== undefined) pairs.push({ floorBefore: before, variant: between, floorAfter: after });
    before = after;
    const other = ofVariant.bursts[index] as PreparedBursts["bursts"][number];
    variant.node.send(other.untimed);
    between = variant.node.send(other.timed) / packets;
  }
  return pairs;
}

async function expectArrivals(node: MeasuredNode, kind: PacketKind, outcome: Outcome, sent: number): Promise<void> {
  const expected = outcome === "denied" ? 0 : sent + (kind === "established" ? OPENING_PACKETS : 0);
  const arrived = await node.arrived();
  if (arrived !== expected) throw new Error(`${kind}: ${arrived} of ${sent} packets arrived, not ${expected}`);
}

/** `openFlow` sends it the same way. */
const OPENING_PACKETS = 1;
