// Matches as the kernel decides them, on the tracer's packets.

import type { Address } from "../../net/address.ts";
import { blockMembership } from "../../net/block-membership.ts";
import type { CidrBlock } from "../../net/cidr.ts";
import { Untraceable } from "../node-rules.ts";
import type { Packet } from "../packet.ts";
import type { IpSet, Match, Protocol, SetContents } from "./ruleset.ts";
import { writtenBlock } from "./written-block.ts";

export const PROTOCOL_NUMBERS: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132, "ipv6-icmp": 58 };

/** Flags that a first packet is told by, as `-m tcp --tcp-flags` of our rules has them. */
export const FIRST_PACKET_MASK: readonly string[] = ["fin", "syn", "rst", "ack"];

/** Whether the packet passes; `sets` are all that there are. Throws Untraceable for a set that is not there or is asked for what it does not hold. */
export function passes(match: Match, packet: Packet, sets: ReadonlyMap<string, IpSet>): boolean {
  switch (match.kind) {
    case "source":
      return isInBlock(match.block, packet.source);
    case "destination":
      return isInBlock(match.block, packet.destination);
    case "protocol":
      return packet.protocol === PROTOCOL_NUMBERS[match.protocol];
    case "not-first-packet":
      return !(
        packet.tcpFlags.has("syn") && FIRST_PACKET_MASK.filter((flag) => packet.tcpFlags.has(flag)).length === 1
      );
    case "source-port":
      return packet.sourcePort === match.port;
    case "destination-ports": {
      const port = packet.destinationPort;
      return port !== undefined && match.ports.some(({ first, last }) => first <= port && port <= last);
    }
    case "icmpv6-type":
      return packet.icmpv6Type === match.type;
    case "connection-state":
      return match.states.some((state) => state.toLowerCase() === packet.state);
    // Any packet may have come through a service: what that opens counts.
    case "destination-nat":
      return true;
    case "source-is-local":
      return packet.sourceIsLocal;
    case "set":
      return holds(match, packet, sets) !== match.negated;
    case "same-address":
      return packet.source === packet.destination;
    case "limit":
      return true;
  }
}

function holds(match: Match & { kind: "set" }, packet: Packet, sets: ReadonlyMap<string, IpSet>): boolean {
  const set = sets.get(match.set);
  if (set === undefined) throw new Untraceable(`set ${match.set} does not exist`);
  const [side, second] = match.sides;
  const address = side === "src" ? packet.source : packet.destination;
  if (set.type === "hash:ip,port") {
    if (side !== "dst" || second !== "dst" || match.sides.length !== 2)
      throw new Untraceable(`set ${match.set} is asked for ${match.sides.join(",")}`);
    const word = Object.entries(PROTOCOL_NUMBERS).find(([, number]) => number === packet.protocol)?.[0];
    return packet.destinationPort !== undefined && set.elements.has(`${address},${word}:${packet.destinationPort}`);
  }
  if (match.sides.length !== 1) throw new Untraceable(`set ${match.set} is asked for ${match.sides.join(",")}`);
  return set.type === "hash:ip" ? set.elements.has(address) : membership(set.elements)(address);
}

const blocks = new WeakMap<CidrBlock, (address: Address) => boolean>();

function isInBlock(block: CidrBlock, address: Address): boolean {
  let ask = blocks.get(block);
  if (ask === undefined) {
    ask = blockMembership([block]);
    blocks.set(block, ask);
  }
  return ask(address);
}

const memberships = new WeakMap<SetContents, (address: Address) => boolean>();

/** Sets of blocks do not change; of each address it is asked once. */
function membership(elements: SetContents): (address: Address) => boolean {
  const existing = memberships.get(elements);
  if (existing !== undefined) return existing;
  const isInside = blockMembership([...elements].map(elementBlock));
  const known = new Map<Address, boolean>();
  const ask = (address: Address) => {
    const answer = known.get(address) ?? isInside(address);
    known.set(address, answer);
    return answer;
  };
  memberships.set(elements, ask);
  return ask;
}

/** The block that an element of hash:net or hash:ip stands for. */
export function elementBlock(element: string): CidrBlock {
  const block = writtenBlock(element);
  if (block === undefined) throw new Untraceable(`element ${element}`);
  return block;
}
