// The network of the packet benchmark: for each backend three nodes with a client and a server each. Two have the floor's rules all the
// time, the third one variant's after the other, so that packets of both can take turns within a millisecond. No node ever has rules
// of two backends: of legacy iptables, the kernel keeps an empty table until the namespace goes.

import { withLabNetwork } from "../../src/lab/lab-network.ts";
import { loadInsideNetns } from "../../src/lab/netns.ts";
import type { LabPlan } from "../../src/lab/plan.ts";
import { type PodKey, podKey } from "../../src/model/cluster.ts";
import type { Address } from "../../src/net/address.ts";
import type { BackendName } from "./backend.ts";
import { MeasuredNode } from "./measured-node.ts";
import { PacketSender } from "./packet-sender.ts";
import type { Ends, Outcome } from "./variant.ts";

/** The nodes of a backend. Throws for one that the network was not made for. */
export type BenchNetwork = (backend: BackendName) => BackendNodes;

export interface BackendNodes {
  readonly floor: Readonly<Record<Outcome, MeasuredNode>>;
  readonly variant: MeasuredNode;
}

const ROLES = ["variant", "floor-allowed", "floor-denied"] as const;

interface NodeFacts {
  readonly name: string;
  readonly ends: Ends;
}

/** Calls `body` with the network; nothing of it remains, and what killed benchmarks left is removed first. */
export async function withBenchNetwork<T>(
  backends: readonly BackendName[],
  body: (network: BenchNetwork) => Promise<T>,
): Promise<T> {
  const inside = await loadInsideNetns();
  const nodes = backends.flatMap((backend) => ROLES.map((role) => `${backend}-${role}`)).map(nodeFacts);
  return await withLabNetwork(planOf(nodes), async (network) => {
    const senders: PacketSender[] = [];
    const open = async (ns: string, from: Address, to: Address): Promise<PacketSender> => {
      const sender = await PacketSender.open(inside, { ns, from, to });
      senders.push(sender);
      return sender;
    };
    const start = async ({ name, ends }: NodeFacts): Promise<MeasuredNode> => {
      const [client, server] = [network.pod(keyOf(name, "client")), network.pod(keyOf(name, "server"))];
      const there = await open(client, ends.client, ends.server);
      const back = await open(server, ends.server, ends.client);
      return await MeasuredNode.start({ node: network.node(name), client, server, ends, there, back });
    };
    try {
      const measured = new Map<string, MeasuredNode>();
      for (const facts of nodes) measured.set(facts.name, await start(facts));
      const node = (backend: BackendName, role: (typeof ROLES)[number]): MeasuredNode => {
        const found = measured.get(`${backend}-${role}`);
        if (found === undefined) throw new Error(`no nodes for ${backend}`);
        return found;
      };
      return await body((backend) => ({
        variant: node(backend, "variant"),
        floor: { allowed: node(backend, "floor-allowed"), denied: node(backend, "floor-denied") },
      }));
    } finally {
      for (const sender of senders) sender.close();
    }
  });
}

function nodeFacts(name: string, index: number): NodeFacts {
  const block = `10.244.${index + 1}`;
  return { name, ends: { client: `${block}.10` as Address, server: `${block}.11` as Address } };
}

function keyOf(node: string, pod: keyof Ends): PodKey {
  return podKey("bench", `${node}-${pod}`);
}

function planOf(nodes: readonly NodeFacts[]): LabPlan {
  return {
    topology: "routed",
    nodes: nodes.map(({ name }, index) => ({
      name,
      addresses: [`172.18.0.${index + 1}`, `fd00:172:18::${index + 1}`] as Address[],
    })),
    pods: nodes.flatMap(({ name, ends }) => [
      { key: keyOf(name, "client"), node: name, addresses: [ends.client] },
      { key: keyOf(name, "server"), node: name, addresses: [ends.server] },
    ]),
    outside: [],
  };
}
