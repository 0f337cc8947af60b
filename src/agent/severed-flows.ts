// Flows without a handshake (UDP) that were cut: an answer that was under way begins such a flow anew, from the other side, which
// policies may well allow; and then it is established, in both directions. Owns which connections are such answers.
// No clock, no table: the caller looks again for them.

import { ICMP, ICMPV6, PROTOCOL_NUMBER } from "../model/flow.ts";
import type { Address } from "../net/address.ts";
import type { TrackedConnection, TrackedTuple } from "../netlink/connection-tracker.ts";

/**
 * An answer takes no longer. Afterwards what looks like one is a conversation that the other side began; until then such a
 * conversation, too, is interrupted, up to its next packet.
 */
export const ANSWERS_MS = 5_000;

/** An answer of these begins nothing: connection tracking, or the rule against TCP in mid-stream, sees that it is none. */
const WITH_HANDSHAKE: ReadonlySet<number> = new Set([PROTOCOL_NUMBER.TCP, PROTOCOL_NUMBER.SCTP, ICMP, ICMPV6]);

export class SeveredFlows {
  /** The original direction of an answer's connection -> until when it is one. */
  readonly #answers = new Map<string, number>();

  /** Connections that were cut at `now`, answers among them. Returns who may answer: sources of connections to look at again. */
  add(cut: readonly TrackedConnection[], now: number): ReadonlySet<Address> {
    for (const [key, until] of this.#answers) if (until <= now) this.#answers.delete(key);
    const answering = new Set<Address>();
    for (const connection of cut) {
      const { protocol, original, reply } = connection;
      if (WITH_HANDSHAKE.has(protocol)) continue;
      if (this.isAnswer(connection, now)) answering.add(original.source);
      else {
        this.#answers.set(keyOf(protocol, reply), now + ANSWERS_MS);
        answering.add(reply.source);
      }
    }
    return answering;
  }

  /** Whether it began as an answer in a flow that was cut. */
  isAnswer({ protocol, original }: TrackedConnection, now: number): boolean {
    if (this.#answers.size === 0) return false;
    return (this.#answers.get(keyOf(protocol, original)) ?? 0) > now;
  }
}

function keyOf(protocol: number, { source, sourcePort, destination, destinationPort }: TrackedTuple): string {
  return `${protocol} ${source} ${sourcePort} ${destination} ${destinationPort}`;
}
