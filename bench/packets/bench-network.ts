// The network of the packet benchmark: for each backend and topology three nodes with a client and a server each, of both families. Two
// have the floor's rules all the time, the third one variant's after the other, so that packets of both can take turns within a
// millisecond. No node ever has rules of two backends: of legacy iptables, the kernel keeps an empty table until the namespace goes.

import { type LabNetwork, withLabNetwork } from "../../src/lab/lab-network.ts";
import type { LabPlan } from "../../src/lab/plan.ts";
import { type PodKey, podKey } from "../../src/model/cluster.ts";
import { type Address, FAMILIES, type Family } from "../../src/net/address.ts";
import type { BackendName } from "./backend.ts";
import { BenchLines } from "./bench-lines.ts";
import { MeasuredNode } from "./measured-node.ts";
import { holdNeighbours } from "./neighbours.ts";
import type { Ends, Outcome, Place } from "./variant.ts";

/** The nodes of a backend at a place. Throws for one that the network was not made for. */
export type BenchNetwork = (backend: BackendName, place: Place) => PlaceNodes;

export interface PlaceNodes {
  readonly floor: Readonly<Record<Outcome, MeasuredNode>>;
  readonly variant: MeasuredNode;
}

type Topology = Place["topology"];
type Role = "variant" | "floor-allowed" | "floor-denied";
const ROLES: readonly Role[] = ["variant", "floor-allowed", "floor-denied"];

interface NodeFacts {
  readonly name: string;
  readonly topology: Topology;
  readonly ends: Readonly<Record<Family, Ends>>;
}

/** Calls `body` with the network; nothing of it remains, and what killed benchmarks left is removed first. */
export async function withBenchNetwork<T>(
  backends: readonly BackendName[],
  topologies: readonly Topology[],
  body: (network: BenchNetwork) => Promise<T>,
): Promise<T> {
  const nodes = topologies
    .flatMap((topology) => backends.flatMap((backend) => ROLES.map((role) => nodeName(backend, topology, role))))
    .map(({ name, topology }, index) => nodeFacts(name, topology, index));
  return await withLabNetwork(planOf(nodes), async (network) => {
    const lines = new BenchLines(network.inside);
    try {
      const measured = new Map<string, MeasuredNode>();
      for (const facts of nodes)
        for (const [family, node] of await startNode(network, lines, facts))
          measured.set(`${facts.name} ${family}`, node);
      const node = (backend: BackendName, { family, topology }: Place, role: Role): MeasuredNode => {
        const found = measured.get(`${nodeName(backend, topology, role).name} ${family}`);
        if (found === undefined) throw new Error(`no ${topology} nodes for ${backend}`);
        return found;
      };
      return await body((backend, place) => {
        const allowed = node(backend, place, "floor-allowed");
        const denied = node(backend, place, "floor-denied");
        return { variant: node(backend, place, "variant"), floor: { allowed, denied, connected: allowed } };
      });
    } finally {
      lines.close();
    }
  });
}

/** The same node for each family, ready to be measured. */
async function startNode(
  network: LabNetwork,
  lines: BenchLines,
  { name, ends }: NodeFacts,
): Promise<[Family, MeasuredNode][]> {
  const namespaces = {
    node: network.node(name),
    client: network.pod(keyOf(name, "client")),
    server: network.pod(keyOf(name, "server")),
  };
  const started: [Family, MeasuredNode][] = [];
  for (const family of FAMILIES) {
    const node = new MeasuredNode({
      ...namespaces,
      ends: ends[family],
      ...(await lines.open(namespaces, ends[family])),
    });
    node.sayHello();
    started.push([family, node]);
  }
  await holdNeighbours(Object.values(namespaces));
  await started[0]?.[1].countArrivals();
  return started;
}

function nodeName(backend: BackendName, topology: Topology, role: Role): { name: string; topology: Topology } {
  return { name: `${backend}-${topology}-${role}`, topology };
}

function nodeFacts(name: string, topology: Topology, index: number): NodeFacts {
  const [ipv4, ipv6] = [`10.244.${index + 1}.`, `fd00:10:244:${index + 1}::`];
  return {
    name,
    topology,
    ends: {
      4: { client: `${ipv4}10` as Address, server: `${ipv4}11` as Address, topology },
      6: { client: `${ipv6}a` as Address, server: `${ipv6}b` as Address, topology },
    },
  };
}

function keyOf(node: string, pod: "client" | "server"): PodKey {
  return podKey("bench", `${node}-${pod}`);
}

function planOf(nodes: readonly NodeFacts[]): LabPlan {
  return {
    topology: "routed",
    nodes: nodes.map(({ name }, index) => ({
      name,
      addresses: [`172.18.0.${index + 1}`, `fd00:172:18::${index + 1}`] as Address[],
    })),
    pods: nodes.flatMap(({ name, topology, ends }) =>
      (["client", "server"] as const).map((pod) => ({
        key: keyOf(name, pod),
        node: name,
        addresses: FAMILIES.map((family) => ends[family][pod]),
        attachment: topology,
      })),
    ),
    outside: [],
  };
}
