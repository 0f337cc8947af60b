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

/** Bursts of packets, and of connections: one connection is as much work as twenty packets. */
export interface PairPlan {
  readonly packets: BurstPlan;
  readonly connections: { readonly bursts: number; readonly connections: number; readonly untimedConnections: number };
}

/** Packets of each kind that have this outcome, through the scenario's rules. Throws where a packet was lost, or passed that should not. */
export async function measureScenario(
  { floor, variant }: Opponents,
  outcome: Outcome,
  { port, rules }: Scenario,
  plan: PairPlan,
): Promise<ReadonlyMap<PacketKind, readonly Pair[]>> {
  const sides: readonly [Side, Side] = [
    { node: floor, port: FLOOR_PORT },
    { node: variant, port },
  ];
  await variant.load(rules);
  for (const { node } of sides) await node.forgetConnections();
  if (outcome === "connected") return new Map([["connection", connectInTurns(sides, plan)]]);
  const measured = new Map<PacketKind, readonly Pair[]>();
  for (const kind of KINDS_OF[outcome]) {
    if (kind === "established") for (const { node, port } of sides) node.openFlow(port);
    const prepared = sides.map(({ node, port }) => node.prepare(kind, port, plan.packets));
    measured.set(kind, sendInTurns(sides, prepared as [PreparedBursts, PreparedBursts], plan));
    for (const { node } of sides) await expectArrivals(node, kind, outcome, prepared[0]?.packets ?? Number.NaN);
  }
  return measured;
}

function sendInTurns(
  [floor, variant]: readonly [Side, Side],
  [ofFloor, ofVariant]: readonly [PreparedBursts, PreparedBursts],
  { packets: { bursts, packets } }: PairPlan,
): Pair[] {
  const send = ({ node }: Side, { bursts }: PreparedBursts, index: number): number => {
    const { untimed, timed } = bursts[index] as PreparedBursts["bursts"][number];
    node.send(untimed);
    return node.send(timed) / packets;
  };
  return takeTurns(
    bursts,
    (index) => send(floor, ofFloor, index),
    (index) => send(variant, ofVariant, index),
  );
}

/** A connection that is lost throws by itself. */
function connectInTurns([floor, variant]: readonly [Side, Side], { connections: plan }: PairPlan): Pair[] {
  const connect = ({ node, port }: Side): number => {
    node.connect(plan.untimedConnections, port);
    return node.connect(plan.connections, port) / plan.connections;
  };
  return takeTurns(
    plan.bursts,
    () => connect(floor),
    () => connect(variant),
  );
}

function takeTurns(bursts: number, ofFloor: (index: number) => number, ofVariant: (index: number) => number): Pair[] {
  const pairs: Pair[] = [];
  let before: number | undefined;
  let between = 0;
  for (let index = 0; index < bursts; index++) {
    const after = ofFloor(index);
    if (before !== undefined) pairs.push({ floorBefore: before, variant: between, floorAfter: after });
    before = after;
    between = ofVariant(index);
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
