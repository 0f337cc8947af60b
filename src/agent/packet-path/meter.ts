// Measures for some seconds which packets for local pods cross the kernel's hooks, and which reach the pods' interfaces.
// Owns the two temporary tables and the nft that holds them; what the counts mean is crossings.ts's.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BackendError } from "../../backends/backend.ts";
import { DEFAULT_NFT, failureOf, type NftProgram, runNft } from "../../backends/nft/io/nft-process.ts";
import { SessionProcess } from "../../backends/nft/io/session-process.ts";
import { errorFromOutput, isHarmless } from "../../backends/nft/nft-output.ts";
import type { Address } from "../../net/address.ts";
import type { Clock } from "../clock.ts";
import {
  METER_TABLE,
  METERED_PAIRS,
  meteredFamilies,
  meterLines,
  type PairCount,
  PORT_SET,
  readPairCounts,
  readPortBytes,
} from "./meter-rules.ts";
import type { PodPorts } from "./places.ts";

/** What one interface sent to its pod. */
export interface PortCount {
  readonly interfaceName: string;
  /** As the interface itself counts. */
  readonly sentPackets: number;
  readonly sentBytes: number;
  /** What crossed the last hook on its way there; without what a flowtable carries. */
  readonly crossedBytes: number;
  /** What the interface was given by the network stack; without what tc or eBPF redirect to it. */
  readonly givenBytes: number;
}

export interface Crossings {
  /** Handed to a port of a bridge or switch, on whatever way. */
  readonly delivered: readonly PairCount[];
  /** Seen by the kernel's last hook before that, so by our rules too if the packet was forwarded. */
  readonly crossed: readonly PairCount[];
  /** False when there were more pairs than could be counted: then a pair that is not in `crossed` may have crossed. */
  readonly isComplete: boolean;
  /** Interfaces of a pod's own. */
  readonly ports: readonly PortCount[];
}

export interface MeterRequest {
  /** The pods' addresses: only pairs with them are counted. */
  readonly addresses: readonly Address[];
  readonly ports: PodPorts;
  readonly windowMs: number;
  readonly signal: AbortSignal;
}

export interface CrossingMeter {
  /** undefined: there was nothing to measure at, or it was aborted. Throws BackendError where it cannot be measured. */
  measure(request: MeterRequest): Promise<Crossings | undefined>;
}

interface Traffic {
  readonly packets: number;
  readonly bytes: number;
}

/**
 * Needs Linux 5.16 (egress hooks). While it measures, each packet that the node sends costs a few look-ups more. The tables belong
 * to the nft process that we hold: they go with it, also when we are killed.
 */
export class NftCrossingMeter implements CrossingMeter {
  readonly #clock: Clock;
  readonly #program: NftProgram;
  readonly #sysfsRoot: string;

  constructor(clock: Clock, program: NftProgram = DEFAULT_NFT, sysfsRoot = "/sys") {
    this.#clock = clock;
    this.#program = program;
    this.#sysfsRoot = sysfsRoot;
  }

  async measure({ addresses, ports, windowMs, signal }: MeterRequest): Promise<Crossings | undefined> {
    const lines = meterLines(addresses, ports);
    if (lines.length === 0) return undefined;
    const holder = new SessionProcess(this.#program);
    try {
      for (const line of lines) {
        const answer = await holder.ask(line);
        if (!isHarmless(answer)) throw errorFromOutput(answer);
      }
      // In this order: whatever is sent in between was given and has crossed while that was counted.
      const before = await this.#sent(ports.own.keys());
      await this.#clock.sleep(windowMs, signal);
      if (signal.aborted) return undefined;
      const after = await this.#sent(ports.own.keys());
      const delivered = await this.#pairs("netdev", addresses);
      const given = await this.#ports("netdev");
      const crossed = await this.#pairs("inet", addresses);
      const crossedPorts = await this.#ports("inet");
      return {
        delivered: delivered.flat(),
        crossed: crossed.flat(),
        isComplete: crossed.every((counts) => counts.length < METERED_PAIRS),
        ports: [...after].flatMap(([interfaceName, { packets, bytes }]) => {
          const then = before.get(interfaceName);
          if (then === undefined) return [];
          const hooks = {
            crossedBytes: crossedPorts.get(interfaceName) ?? 0,
            givenBytes: given.get(interfaceName) ?? 0,
          };
          return [{ interfaceName, sentPackets: packets - then.packets, sentBytes: bytes - then.bytes, ...hooks }];
        }),
      };
    } finally {
      await holder.close();
    }
  }

  async #pairs(table: "netdev" | "inet", addresses: readonly Address[]): Promise<readonly (readonly PairCount[])[]> {
    const counts: (readonly PairCount[])[] = [];
    for (const family of meteredFamilies(addresses))
      counts.push(await this.#list(table, `pairs${family}`, readPairCounts));
    return counts;
  }

  #ports(table: "netdev" | "inet"): Promise<ReadonlyMap<string, number>> {
    return this.#list(table, PORT_SET, readPortBytes);
  }

  async #list<T>(table: "netdev" | "inet", set: string, read: (json: string) => T | undefined): Promise<T> {
    const outcome = await runNft(this.#program, ["-j", "list", "set", table, METER_TABLE, set]);
    if (outcome.code !== 0) throw failureOf(outcome);
    const counts = read(outcome.stdout);
    if (counts === undefined) throw new BackendError("broken", `nft lists the set ${set} in an unknown form`);
    return counts;
  }

  /** Without the interfaces that have gone. */
  async #sent(interfaceNames: Iterable<string>): Promise<ReadonlyMap<string, Traffic>> {
    const sent = new Map<string, Traffic>();
    for (const name of interfaceNames) {
      const folder = join(this.#sysfsRoot, "class/net", name, "statistics");
      try {
        const [packets, bytes] = await Promise.all(
          ["tx_packets", "tx_bytes"].map(async (file) => Number(await readFile(join(folder, file), "utf8"))),
        );
        if (packets !== undefined && bytes !== undefined) sent.set(name, { packets, bytes });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
    return sent;
  }
}
