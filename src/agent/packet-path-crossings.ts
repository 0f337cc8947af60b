// What measured counts mean: pairs of addresses whose packets reached a pod past the kernel's hooks. Pure. When in doubt, a
// pair is not one: an alarm must be true.

import type { Address } from "../net/address.ts";
import type { TrackedConnection } from "../netlink/connection-tracker.ts";
import type { Crossings } from "./packet-path-meter.ts";
import type { PairCount } from "./packet-path-meter-rules.ts";
import { type PathProblem, podList } from "./packet-path-problem.ts";

/** Fewer may be left from before the measurement: sent through the hooks, then kept until the pod's MAC address was known. */
const MIN_PACKETS = 10;

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

/** Both lists name it: found twice, it was no matter of the moment. */
export function inBoth(pairs: readonly PairCount[], others: readonly PairCount[]): readonly PairCount[] {
  const known = new Set(others.map(pairKey));
  return pairs.filter((pair) => known.has(pairKey(pair)));
}

/** Whether packets from one of the pods to another crossed. */
export function podsCross({ crossed }: Crossings, pods: ReadonlySet<Address>): boolean {
  return crossed.some(({ source, destination }) => source !== destination && pods.has(source) && pods.has(destination));
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

/** One problem for all pairs; undefined without any. */
export function bypassProblem(pairs: readonly PairCount[]): PathProblem | undefined {
  const [first] = pairs;
  if (first === undefined) return undefined;
  const pods = [...new Set(pairs.map(({ destination }) => destination))];
  return {
    code: "measured-bypass",
    family: undefined,
    interfaceName: undefined,
    pods,
    message: `measured: packets reach ${podList(pods)} and do not cross the rules (${first.source} to ${first.destination} for one)`,
    hint: "something forwards them past the kernel's IP stack: a bridge without br_netfilter, eBPF, tc or XDP, Open vSwitch",
    fix: undefined,
  };
}

/** Equal for the same source and pod. */
export function pairKey({ source, destination }: PairCount): string {
  return `${source} ${destination}`;
}

function isLinkLocal(address: Address): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address) || address.startsWith("169.254.");
}
