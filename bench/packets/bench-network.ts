// The network of the packet benchmark: three nodes with a client and a server each. Two have the floor's rules all the time, the
// third one variant's after the other, so that packets of both can take turns within a millisecond.

import { withLabNetwork } from "../../src/lab/lab-network.ts";
import { loadInsideNetns } from "../../src/lab/netns.ts";
import type { LabPlan } from "../../src/lab/plan.ts";
import { type PodKey, podKey } from "../../src/model/cluster.ts";
import type { Address } from "../../src/net/address.ts";
import { MeasuredNode } from "./measured-node.ts";
import { PacketSender } from "./packet-sender.ts";
import type { Ends, Outcome } from "./variant.ts";

export interface BenchNetwork {
  readonly floor: Readonly<Record<Outcome, MeasuredNode>>;
  readonly variant: MeasuredNode;
}

const NODES = ["variant", "floor-allowed", "floor-denied"] as const;
type NodeName = (typeof NODES)[number];

/** Calls `body` with the network; nothing of it remains, and what killed benchmarks left is removed first. */
export async function withBenchNetwork<T>(body: (network: BenchNetwork) => Promise<T>): Promise<T> {
  const inside = await loadInsideNetns();
  return await withLabNetwork(PLAN, async (network) => {
    const senders: PacketSender[] = [];
    const open = async (ns: string, from: Address, to: Address): Promise<PacketSender> => {
      const sender = await PacketSender.open(inside, { ns, from, to });
      senders.push(sender);
      return sender;
    };
    const start = async (name: NodeName): Promise<MeasuredNode> => {
      const ends = endsOn(name);
      const [client, server] = [network.pod(keyOf(name, "client")), network.pod(keyOf(name, "server"))];
      const there = await open(client, ends.client, ends.server);
      const back = await open(server, ends.server, ends.client);
      return await MeasuredNode.start({ node: network.node(name), client, server, ends, there, back });
    };
    try {
      const [variant, allowed, denied] = [await start(NODES[0]), await start(NODES[1]), await start(NODES[2])];
      return await body({ variant, floor: { allowed, denied } });
    } finally {
      for (const sender of senders) sender.close();
    }
  });
}

function endsOn(node: NodeName): Ends {
  const block = `10.244.${NODES.indexOf(node) + 1}`;
  return { client: `${block}.10` as Address, server: `${block}.11` as Address };
}

function keyOf(node: NodeName, pod: keyof Ends): PodKey {
  return podKey("bench", `${node}-${pod}`);
}

const PLAN: LabPlan = {
  topology: "routed",
  nodes: NODES.map((name, index) => ({
    name,
    addresses: [`172.18.0.${index + 1}`, `fd00:172:18::${index + 1}`] as Address[],
  })),
  pods: NODES.flatMap((node) => {
    const { client, server } = endsOn(node);
    return [
      { key: keyOf(node, "client"), node, addresses: [client] },
      { key: keyOf(node, "server"), node, addresses: [server] },
    ];
  }),
  outside: [],
};
