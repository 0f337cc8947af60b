// Packets and connections of scenarios, in short.

import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { tracePacket } from "../../src/backends/nft/trace.ts";
import { firstPacket } from "../../src/backends/packet.ts";
import { PROTOCOL_NUMBER } from "../../src/model/flow.ts";
import { type Address, addressFamily } from "../../src/net/address.ts";
import type { TrackedConnection } from "../../src/netlink/connection-tracker.ts";

/** Whether the first packet of a TCP connection passes; without a table everything does. */
export function passes(ruleset: Ruleset | undefined, source: string, destination: string, port = 80): boolean {
  if (ruleset === undefined) return true;
  const flow = {
    source: source as Address,
    destination: destination as Address,
    traffic: { kind: "ports", protocol: "TCP", port } as const,
  };
  return tracePacket(ruleset, firstPacket(flow, "forward", false)).verdict === "accept";
}

/** A TCP connection as connection tracking has it; through a service where its address is given. */
export function connection(
  source: string,
  destination: string,
  port = 80,
  service = destination,
): Omit<TrackedConnection, "handle"> {
  const [from, to] = [source as Address, destination as Address];
  return {
    family: addressFamily(from),
    protocol: PROTOCOL_NUMBER.TCP,
    original: { source: from, destination: service as Address, sourcePort: 40_000, destinationPort: port },
    reply: { source: to, destination: from, sourcePort: port, destinationPort: 40_000 },
    icmpType: undefined,
  };
}
