// Whether packets arrive, over a line in memory and a clock that moves when somebody waits.

import { describe, expect, it } from "vitest";
import { ICMP, PROTOCOL_NUMBER } from "../model/flow.ts";
import type { Address } from "../net/address.ts";
import { type Arrival, LONG_PATIENCE, Measurement, PATIENCE, type Probe, type ProbeLine } from "./measure.ts";

const { TCP, UDP } = PROTOCOL_NUMBER;
const GRE = 47;

/** `port` null: the protocol has none. */
function probe(from: string, to: string, protocol: number = UDP, port: number | null = 53): Probe {
  return {
    from: { ns: `ns-${from}`, address: from as Address },
    to: { ns: `ns-${to}`, address: to as Address },
    protocol,
    port: port ?? undefined,
  };
}

interface Sent {
  readonly probe: Probe;
  readonly number: number;
  /** How often an equal probe was sent before. */
  readonly attempt: number;
}

/** When and where a packet arrives, or undefined: never. */
type Network = (sent: Sent) => { readonly afterMs: number; readonly ns?: string } | undefined;

/** A line on which packets arrive as told, and what happened on it. */
class MemoryLine implements ProbeLine {
  nowMs = 0;
  readonly log: string[] = [];
  readonly #network: Network;
  readonly #underWay: { readonly atMs: number; readonly arrival: Arrival }[] = [];
  readonly #attempts = new Map<Probe, number>();

  constructor(network: Network) {
    this.#network = network;
  }

  send(each: Probe, number: number): void {
    const attempt = this.#attempts.get(each) ?? 0;
    this.#attempts.set(each, attempt + 1);
    this.log.push(`send ${each.from.address} ${each.to.address}`);
    const arrives = this.#network({ probe: each, number, attempt });
    if (arrives === undefined) return;
    this.#underWay.push({ atMs: this.nowMs + arrives.afterMs, arrival: { number, ns: arrives.ns ?? each.to.ns } });
  }

  *arrivals(): Generator<Arrival> {
    for (const each of [...this.#underWay]) {
      if (each.atMs > this.nowMs) continue;
      this.#underWay.splice(this.#underWay.indexOf(each), 1);
      yield each.arrival;
    }
  }

  async forget(protocols: ReadonlySet<number>): Promise<void> {
    this.log.push(`forget ${[...protocols].join(",")}`);
  }

  measurement(): Measurement {
    const sleep = async (ms: number) => {
      this.nowMs += ms;
    };
    return new Measurement(this, sleep, () => this.nowMs);
  }
}

const AT_ONCE: Network = () => ({ afterMs: 0 });
const A_B = probe("10.0.0.1", "10.0.0.2");
const A_C = probe("10.0.0.1", "10.0.0.3");

describe("arrive", () => {
  it("tells for each probe, in their order, whether it arrived", async () => {
    const line = new MemoryLine(({ probe: { to } }) => (to.address === "10.0.0.2" ? { afterMs: 1 } : undefined));
    expect(await line.measurement().arrive([A_C, A_B, A_C])).toEqual([false, true, false]);
  });

  it("asks nothing when there is nothing to ask", async () => {
    const line = new MemoryLine(AT_ONCE);
    const measurement = line.measurement();
    expect(await measurement.arrive([])).toEqual([]);
    expect({ log: line.log, packets: measurement.packets, nowMs: line.nowMs }).toEqual({
      log: [],
      packets: 0,
      nowMs: 0,
    });
  });

  it("sends once what arrives, and does not wait for it", async () => {
    const line = new MemoryLine(AT_ONCE);
    const measurement = line.measurement();
    expect(await measurement.arrive([A_B, A_C])).toEqual([true, true]);
    expect({ packets: measurement.packets, nowMs: line.nowMs }).toEqual({ packets: 2, nowMs: 0 });
  });

  it("sends again what was lost, and only that", async () => {
    const line = new MemoryLine(({ probe: { to }, attempt }) =>
      to.address === "10.0.0.3" && attempt < 2 ? undefined : { afterMs: 0 },
    );
    const measurement = line.measurement();
    expect(await measurement.arrive([A_B, A_C])).toEqual([true, true]);
    expect(measurement.packets).toBe(4);
  });

  it("counts a packet of a round that was over", async () => {
    // The first one takes 20 ms, the round 15; those after it are lost.
    const line = new MemoryLine(({ attempt }) => (attempt === 0 ? { afterMs: 20 } : undefined));
    expect(await line.measurement().arrive([A_B])).toEqual([true]);
  });

  it("waits for packets that are still coming in when a round should be over", async () => {
    const probes = Array.from({ length: 5 }, (_, index) => probe("10.0.0.1", `10.0.1.${index}`));
    const line = new MemoryLine(({ probe: { to } }) => ({ afterMs: 14 + 8 * Number(to.address.split(".")[3]) }));
    const measurement = line.measurement();
    expect(await measurement.arrive(probes)).toEqual(probes.map(() => true));
    expect(measurement.packets).toBe(5);
  });

  it("does not count a packet that comes in elsewhere than at its destination", async () => {
    const line = new MemoryLine(() => ({ afterMs: 1, ns: "ns-10.0.0.9" }));
    expect(await line.measurement().arrive([A_B])).toEqual([false]);
  });

  it("does not count a packet that nobody sent, or that was sent for an earlier question", async () => {
    const late = new MemoryLine(({ number }) => (number === 1 ? { afterMs: 2000 } : undefined));
    const measurement = late.measurement();
    expect(await measurement.arrive([A_B])).toEqual([false]);
    late.nowMs = 5000;
    expect(await measurement.arrive([A_B])).toEqual([false]);
  });

  it("counts a packet once, also when it comes in twice", async () => {
    const line = new MemoryLine(({ probe: { to } }) => (to.address === "10.0.0.2" ? { afterMs: 0 } : { afterMs: 3 }));
    const twice = { ...line, arrivals: () => [...line.arrivals()].flatMap((each) => [each, each]) };
    const doubled: ProbeLine = {
      send: (each, number) => line.send(each, number),
      arrivals: () => twice.arrivals(),
      forget: (protocols) => line.forget(protocols),
    };
    const sleep = async (ms: number) => {
      line.nowMs += ms;
    };
    expect(await new Measurement(doubled, sleep, () => line.nowMs).arrive([A_B, A_C])).toEqual([true, true]);
  });

  it("gives every packet a number of its own", async () => {
    const numbers: number[] = [];
    const line = new MemoryLine(({ number }) => {
      numbers.push(number);
      return undefined;
    });
    const measurement = line.measurement();
    await measurement.arrive([A_B, A_C]);
    await measurement.arrive([A_B]);
    expect(new Set(numbers).size).toBe(9);
    expect(Math.min(...numbers)).toBe(1);
    expect(measurement.packets).toBe(9);
  });

  it.each([
    ["the usual patience", PATIENCE, 175],
    ["long patience", LONG_PATIENCE, 2000],
  ])("ends after its rounds when nothing arrives: %s", async (_, patience, expectedMs) => {
    const line = new MemoryLine(() => undefined);
    const measurement = line.measurement();
    expect(await measurement.arrive([A_B, A_C], patience)).toEqual([false, false]);
    expect(line.nowMs).toBeGreaterThanOrEqual(expectedMs);
    expect(line.nowMs).toBeLessThanOrEqual(
      expectedMs + patience.rounds.length * patience.quietMs + patience.rounds.length,
    );
    expect(measurement.packets).toBe(2 * patience.rounds.length);
  });

  it("takes in what has arrived while it still sends: no buffer has to hold all of it", async () => {
    const probes = Array.from({ length: 1000 }, (_, index) => probe("10.0.0.1", `10.0.${index >> 8}.${index & 255}`));
    let waiting = 0;
    let most = 0;
    const line: ProbeLine = {
      send: () => {
        most = Math.max(most, ++waiting);
      },
      arrivals: () => {
        waiting = 0;
        return [];
      },
      forget: async () => {},
    };
    let nowMs = 0;
    const sleep = async (ms: number) => {
      nowMs += ms;
    };
    await new Measurement(line, sleep, () => nowMs).arrive(probes);
    expect(most).toBe(256);
  });
});

describe("protocols without ports", () => {
  const forth = probe("10.0.0.1", "10.0.0.2", GRE, null);
  const back = probe("10.0.0.2", "10.0.0.1", GRE, null);

  it("are asked one direction after the other, and connection tracking forgets before each", async () => {
    const line = new MemoryLine(AT_ONCE);
    expect(await line.measurement().arrive([back, forth])).toEqual([true, true]);
    expect(line.log).toEqual(["forget 47", "send 10.0.0.1 10.0.0.2", "forget 47", "send 10.0.0.2 10.0.0.1"]);
  });

  it("have their answers where their probes are", async () => {
    const line = new MemoryLine(({ probe: { from } }) => (from.address === "10.0.0.2" ? { afterMs: 0 } : undefined));
    expect(await line.measurement().arrive([forth, back, A_B])).toEqual([false, true, false]);
  });

  it("are forgotten by their numbers, all in one go", async () => {
    const line = new MemoryLine(AT_ONCE);
    await line.measurement().arrive([forth, probe("10.0.0.1", "10.0.0.3", 50, null)]);
    expect(line.log[0]).toBe("forget 47,50");
  });

  it.each([
    ["TCP", TCP, 80],
    ["UDP", UDP, 53],
    ["ICMP, whose packets have identifiers", ICMP, null],
  ])("are not %s: both directions at once, nothing is forgotten", async (_, protocol, port) => {
    const line = new MemoryLine(AT_ONCE);
    await line
      .measurement()
      .arrive([probe("10.0.0.2", "10.0.0.1", protocol, port), probe("10.0.0.1", "10.0.0.2", protocol, port)]);
    expect(line.log).toEqual(["send 10.0.0.2 10.0.0.1", "send 10.0.0.1 10.0.0.2"]);
  });
});
