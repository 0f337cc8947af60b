// What the tests of the shapes are about: a node with a few pods, and packets between them. Owns the samples; no benchmark has them.

import type { Packet } from "../../../src/backends/packet.ts";
import { TCP, UDP } from "../../../src/backends/packet.ts";
import { type Address, addressFamily } from "../../../src/net/address.ts";
import type { Ends } from "../variant.ts";
import type { NodePolicies, PortNumber, ResolvedRule } from "./node-policies.ts";

export const ENDS: Ends = { client: "10.244.1.10" as Address, server: "10.244.1.11" as Address };
export const ENDS6: Ends = { client: "fd00:1::a" as Address, server: "fd00:1::b" as Address };

export function addresses(...texts: readonly string[]): Address[] {
  return texts as Address[];
}

export function ports(...numbers: readonly number[]): PortNumber[] {
  return numbers.map((port) => ({ protocol: "udp", port }));
}

export function peers(from: readonly Address[], numbers: readonly number[]): ResolvedRule {
  return { addresses: from, blocks: [], ports: ports(...numbers) };
}

/** Two policies about the server, the second for the client on port 8000; one pod with a policy of its own, and one with none. */
export function samplePolicies({ client, server }: Ends): NodePolicies {
  const [restricted, free] = samplePods({ client, server });
  return {
    localPods: [restricted, client, server, free],
    networkPolicies: [
      { name: "first", pods: [server], rules: [peers(elsewhere(client), [8000])] },
      { name: "second", pods: [server], rules: [peers([client, ...elsewhere(client)], [8000])] },
      { name: "other", pods: [restricted], rules: [peers([client], [8000])] },
    ],
    adminRules: [],
  };
}

/** One that a policy restricts, and one that none does. */
export function samplePods({ client }: Ends): [Address, Address] {
  return (addressFamily(client) === 4 ? ["10.244.1.2", "10.244.1.3"] : ["fd00:1::2", "fd00:1::3"]) as [
    Address,
    Address,
  ];
}

function elsewhere(of: Address): Address[] {
  return addresses(addressFamily(of) === 4 ? "100.64.0.1" : "fd00:10:100::1");
}

export function packet(
  source: Address,
  destination: Address,
  port: number,
  { state = "new", protocol = "udp" }: { state?: Packet["state"]; protocol?: "udp" | "tcp" } = {},
): Packet {
  return {
    hook: "forward",
    family: addressFamily(source),
    source,
    destination,
    protocol: protocol === "udp" ? UDP : TCP,
    sourcePort: 40000,
    destinationPort: port,
    icmpv6Type: undefined,
    tcpFlags: new Set(),
    state,
    sourceIsLocal: false,
  };
}
