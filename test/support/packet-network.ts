// The lab's network as packet tests without manifests use it: one node with pods of both attachments, both families, and pods of
// another node, which are plain addresses outside. No rules, and nothing on the host.

import { withLabNetwork } from "../../src/lab/lab-network.ts";
import type { LabPlan, LabPod } from "../../src/lab/plan.ts";
import { type PodKey, podKey } from "../../src/model/cluster.ts";
import type { Address, Family } from "../../src/net/address.ts";
import { type Netns, netnsNamed } from "./netns.ts";

export type Attachment = "routed" | "bridged" | "outside";

/** Who can send and receive. Those outside share one namespace, with addresses of their own. */
export interface PacketHost {
  readonly name: string;
  readonly attachment: Attachment;
  readonly ns: Netns;
  readonly addresses: Readonly<Record<Family, Address>>;
}

export interface PacketNetwork {
  readonly node: Netns;
  /** Throws for a name that was not asked for. */
  host(name: string): PacketHost;
}

/** What the node's own pods have addresses in, as Node.spec.podCIDRs says it. */
export const POD_CIDRS = ["10.244.1.0/24", "fd00:10:244:1::/64"] as const;

const NODE = { name: "node-1", addresses: ["172.18.0.1", "fd00:172:18::1"] as Address[] };

/** Calls `body` with the network; nothing of it remains. */
export async function withPacketNetwork<T>(
  hosts: Readonly<Record<string, Attachment>>,
  body: (network: PacketNetwork) => Promise<T>,
): Promise<T> {
  const parts = Object.entries(hosts).map(([name, attachment], index) => ({
    name,
    attachment,
    addresses: addressesOf(attachment, index),
  }));
  return await withLabNetwork(planOf(parts), async (network) => {
    const node = netnsNamed(network.node(NODE.name));
    // Flows of one packet are many here: their entries go before the table is full of them.
    await must(node, "sysctl -q -w net.netfilter.nf_conntrack_udp_timeout=5");
    // Those outside ask the node for addresses of services, too.
    const outside = netnsNamed(network.outside);
    await must(outside, `ip route add default via ${NODE.addresses[0]} dev node0 onlink`);
    await must(outside, "ip route add default via fe80::2 dev node0");
    const made = new Map(
      parts.map((part): [string, PacketHost] => {
        const ns = part.attachment === "outside" ? network.outside : network.pod(keyOf(part.name));
        return [part.name, { ...part, ns: netnsNamed(ns) }];
      }),
    );
    return await body({
      node,
      host(name) {
        const host = made.get(name);
        if (host === undefined) throw new Error(`no host ${name} in this network`);
        return host;
      },
    });
  });
}

async function must(ns: Netns, command: string): Promise<void> {
  const { code, stderr } = await ns.run(command.split(" "));
  if (code !== 0) throw new Error(`${command}: ${stderr}`);
}

function planOf(parts: readonly Omit<PacketHost, "ns">[]): LabPlan {
  const pods = parts.flatMap(({ name, attachment, addresses }): LabPod[] =>
    attachment === "outside"
      ? []
      : [{ key: keyOf(name), node: NODE.name, addresses: Object.values(addresses), attachment }],
  );
  const outside = parts.filter(({ attachment }) => attachment === "outside");
  return {
    topology: "routed",
    nodes: [NODE],
    pods,
    outside: outside.flatMap(({ addresses }) => Object.values(addresses)),
  };
}

function keyOf(name: string): PodKey {
  return podKey("packets", name);
}

function addressesOf(attachment: Attachment, index: number): PacketHost["addresses"] {
  const make = (ipv4: string, ipv6: string) => ({ 4: ipv4 as Address, 6: ipv6 as Address });
  const hex = (index + 10).toString(16);
  if (attachment === "routed") return make(`10.244.1.${index + 10}`, `fd00:10:244:1::${hex}`);
  if (attachment === "bridged") return make(`10.244.1.${index + 140}`, `fd00:10:244:1:8000::${hex}`);
  return make(`10.244.2.${index + 10}`, `fd00:10:244:2::${hex}`);
}
