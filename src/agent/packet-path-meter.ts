// Measures for some seconds which packets for local pods cross the kernel's hooks, and which reach the pods' interfaces.
// Owns the two temporary tables and the nft that holds them; what the counts mean is packet-path-crossings.ts's.

import { BackendError } from "../backends/backend.ts";
import { DEFAULT_NFT, failureOf, type NftProgram, runNft } from "../backends/nft/io/nft-process.ts";
import { SessionProcess } from "../backends/nft/io/session-process.ts";
import { errorFromOutput, isHarmless } from "../backends/nft/nft-output.ts";
import { type Address, addressFamily, FAMILIES } from "../net/address.ts";
import type { Clock } from "./clock.ts";
import {
  type CountSet,
  METER_TABLE,
  METERED_PAIRS,
  meterLines,
  type PairCount,
  readPairCounts,
} from "./packet-path-meter-rules.ts";

export interface Crossings {
  /** Handed to a pod's interface, on whatever way. */
  readonly delivered: readonly PairCount[];
  /** Seen by the kernel's last hook before that, so by our rules too if the packet was forwarded. */
  readonly crossed: readonly PairCount[];
  /** False when there were more pairs than could be counted: then a pair that is not in `crossed` may have crossed. */
  readonly isComplete: boolean;
}

export interface MeterRequest {
  /** The pods' addresses: only packets to them are counted. */
  readonly addresses: readonly Address[];
  /** Interfaces of this node behind which the pods are. */
  readonly interfaceNames: readonly string[];
  readonly windowMs: number;
  readonly signal: AbortSignal;
}

export interface CrossingMeter {
  /** undefined: there was nothing to measure at, or it was aborted. Throws BackendError where it cannot be measured. */
  measure(request: MeterRequest): Promise<Crossings | undefined>;
}

/**
 * Needs Linux 5.16 (egress hooks). While it measures, each packet to the given interfaces costs a look-up more. The tables belong
 * to the nft process that we hold: they go with it, also when we are killed.
 */
export class NftCrossingMeter implements CrossingMeter {
  readonly #clock: Clock;
  readonly #program: NftProgram;

  constructor(clock: Clock, program: NftProgram = DEFAULT_NFT) {
    this.#clock = clock;
    this.#program = program;
  }

  async measure({ addresses, interfaceNames, windowMs, signal }: MeterRequest): Promise<Crossings | undefined> {
    const lines = meterLines(addresses, interfaceNames);
    if (lines.length === 0) return undefined;
    const holder = new SessionProcess(this.#program);
    try {
      for (const line of lines) {
        const answer = await holder.ask(line);
        if (!isHarmless(answer)) throw errorFromOutput(answer);
      }
      await this.#clock.sleep(windowMs, signal);
      if (signal.aborted) return undefined;
      // In this order: what is delivered has crossed before.
      const delivered = await this.#counts("netdev", "delivered", addresses);
      const crossed = await this.#counts("inet", "crossed", addresses);
      return {
        delivered: delivered.flat(),
        crossed: crossed.flat(),
        isComplete: crossed.every((counts) => counts.length < METERED_PAIRS),
      };
    } finally {
      await holder.close();
    }
  }

  async #counts(
    table: "netdev" | "inet",
    what: "delivered" | "crossed",
    addresses: readonly Address[],
  ): Promise<readonly (readonly PairCount[])[]> {
    const counts: (readonly PairCount[])[] = [];
    for (const family of FAMILIES) {
      if (!addresses.some((address) => addressFamily(address) === family)) continue;
      const set: CountSet = `${what}${family}`;
      const outcome = await runNft(this.#program, ["-j", "list", "set", table, METER_TABLE, set]);
      if (outcome.code !== 0) throw failureOf(outcome);
      const read = readPairCounts(outcome.stdout);
      if (read === undefined) throw new BackendError("broken", `nft lists the set ${set} in an unknown form`);
      counts.push(read);
    }
    return counts;
  }
}
