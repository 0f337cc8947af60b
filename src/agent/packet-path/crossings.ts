// What measured counts mean: packets that reached a pod past the kernel's hooks. Pure. When in doubt, they did not: an alarm
// must be true.

import type { Address } from "../../net/address.ts";
import type { TrackedConnection } from "../../netlink/connection-tracker.ts";
import type { Crossings, PortCount } from "./meter.ts";
import type { PairCount } from "./meter-rules.ts";
import { type PathProblem, podList } from "./problem.ts";

/** Fewer may be left from before the measurement: sent through the hooks, then kept until the pod's MAC address was known. */
const MIN_PACKETS = 10;

/** On an interface there are ARP and what is read a moment later, too. */
const MIN_PORT_PACKETS = 100;

/** Cutting large packets into small ones behind the hooks repeats their headers: that never doubles the bytes. */
const HEADER_FACTOR = 2;

/** Equal for the same source and pod. */
export function pairKey({ source, destination }: PairCount): string {
  return `${source} ${destination}`;
}

/**
 * Pairs that were delivered and never crossed. `isOfNode`: addresses of this node, which may reach its pods on any way.
 */
export function uncrossedPairs(
  { delivered, crossed, isComplete }: Crossings,
  isOfNode: (address: Address) => boolean,
): readonly PairCount[] {
  if (!isComplete) return [];
  const known = new Set(crossed.map(pairKey));
  return delivered.filter(
    (pair) =>
      pair.packets >= MIN_PACKETS && !known.has(pairKey(pair)) && !isOfNode(pair.source) && !isLinkLocal(pair.source),
  );
}

/**
 * Whether the kernel tracks a connection between the two: then its beginning did cross, and the rest takes a short cut that
 * the kernel allows (a flowtable).
 */
export function isTracked({ source, destination }: PairCount, connections: readonly TrackedConnection[]): boolean {
  return connections.some(({ original, reply }) => {
    const ends = [original.source, original.destination, reply.source, reply.destination];
    return ends.includes(source) && ends.includes(destination);
  });
}

/** Interfaces that sent much more to their pod than crossed the hooks or was given to them by the network stack. */
export function unexplainedPorts({ ports }: Crossings): readonly PortCount[] {
  // Packets of a flowtable do not cross, those that came through an ifb are not seen to be given: each is in one of the two.
  return ports.filter(
    ({ sentPackets, sentBytes, crossedBytes, givenBytes }) =>
      sentPackets >= MIN_PORT_PACKETS && sentBytes > HEADER_FACTOR * (crossedBytes + givenBytes),
  );
}

/** Whether it sent enough to say that all is well with it. */
export function isExplained({ sentPackets, sentBytes, crossedBytes, givenBytes }: PortCount): boolean {
  return sentPackets >= MIN_PORT_PACKETS && sentBytes <= HEADER_FACTOR * (crossedBytes + givenBytes);
}

/** Whether packets from one of the pods to another crossed. */
export function podsCross({ crossed }: Crossings, pods: ReadonlySet<Address>): boolean {
  return crossed.some(({ source, destination }) => source !== destination && pods.has(source) && pods.has(destination));
}

/** Packets that reached a pod past the hooks. */
export interface Bypass {
  readonly pods: readonly Address[];
  /** `10.0.0.1 to 10.0.0.2`, `at veth1`. */
  readonly example: string;
}

/** One problem for all; undefined without any. */
export function bypassProblem(bypasses: readonly Bypass[]): PathProblem | undefined {
  const [first] = bypasses;
  if (first === undefined) return undefined;
  const pods = [...new Set(bypasses.flatMap((bypass) => bypass.pods))];
  return {
    code: "measured-bypass",
    family: undefined,
    interfaceName: undefined,
    pods,
    message: `measured: packets reach ${podList(pods)} and do not cross the rules (${first.example} for one)`,
    hint: "something forwards them past the kernel's IP stack: a bridge without br_netfilter, eBPF, tc or XDP, Open vSwitch",
    fix: undefined,
  };
}

function isLinkLocal(address: Address): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address) || address.startsWith("169.254.");
}
