// Whether packets arrive. Each question is a packet with a number of its own, sent again while it has not arrived: a packet may be
// lost, but none arrives that was not sent. Owns the rounds and their patience; sending is a ProbeLine's.

import { ICMP, ICMPV6 } from "../model/flow.ts";
import type { Address } from "../net/address.ts";

/** Who sends or receives: an address in a network namespace. */
export interface ProbeEnd {
  readonly ns: string;
  readonly address: Address;
}

export interface Probe {
  readonly from: ProbeEnd;
  readonly to: ProbeEnd;
  /** IANA number. */
  readonly protocol: number;
  /** undefined: the protocol has no ports. */
  readonly port: number | undefined;
}

export interface ProbeLine {
  /** Sends a packet of the probe under this number, from a source port that no packet of an equal probe had. */
  send(probe: Probe, number: number): void;
  /** What has arrived since the last call. */
  arrivals(): Iterable<Arrival>;
  /** Makes connection tracking forget all of these protocols. */
  forget(protocols: ReadonlySet<number>): Promise<void>;
}

export interface Arrival {
  readonly number: number;
  readonly ns: string;
}

export interface Patience {
  /** How long to wait after each round of sending at least, ms; as many rounds as there are numbers. */
  readonly rounds: readonly number[];
  /** A round ends when nothing has arrived for so long, ms. */
  readonly quietMs: number;
}

/** A packet between two namespaces takes well below a millisecond; a busy machine may stop for some. */
export const PATIENCE: Patience = { rounds: [15, 40, 120], quietMs: 10 };
/** For what should have arrived and did not. */
export const LONG_PATIENCE: Patience = { rounds: [100, 400, 1500], quietMs: 50 };

/** So many packets are sent before it is looked what has arrived: no buffer overflows. */
const BURST = 256;

export class Measurement {
  readonly #line: ProbeLine;
  readonly #sleep: (ms: number) => Promise<void>;
  readonly #now: () => number;
  #sent = 0;

  constructor(
    line: ProbeLine,
    sleep: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    now: () => number = () => performance.now(),
  ) {
    this.#line = line;
    this.#sleep = sleep;
    this.#now = now;
  }

  /** How many packets were sent so far. */
  get packets(): number {
    return this.#sent;
  }

  /** For each probe whether it arrived. Cost: some 20 us for each packet, and all of the patience if one does not arrive. */
  async arrive(probes: readonly Probe[], patience: Patience = PATIENCE): Promise<boolean[]> {
    const arrived = probes.map(() => false);
    for (const group of independentGroups(probes)) {
      const members = group.map((index) => probes[index] as Probe);
      const tracked = new Set(members.filter(isOneConnection).map(({ protocol }) => protocol));
      if (tracked.size > 0) await this.#line.forget(tracked);
      for (const [position, result] of (await this.#arriveAtOnce(members, patience)).entries())
        arrived[group[position] as number] = result;
    }
    return arrived;
  }

  /** The same; what is `meant` to arrive and has not is asked again with patience: only what lasts is a difference. */
  async arriveAsMeant(probes: readonly Probe[], meant: readonly boolean[]): Promise<boolean[]> {
    const arrived = await this.arrive(probes);
    const doubtful = [...probes.keys()].filter((index) => meant[index] && !arrived[index]);
    const again = await this.arrive(
      doubtful.map((index) => probes[index] as Probe),
      LONG_PATIENCE,
    );
    for (const [position, index] of doubtful.entries()) arrived[index] = again[position] === true;
    return arrived;
  }

  async #arriveAtOnce(probes: readonly Probe[], { rounds, quietMs }: Patience): Promise<boolean[]> {
    const arrived = probes.map(() => false);
    const indexOf = new Map<number, number>();
    let missing = probes.length;
    let lastArrival = 0;
    const take = () => {
      for (const { number, ns } of this.#line.arrivals()) {
        const index = indexOf.get(number);
        if (index === undefined || arrived[index] || (probes[index] as Probe).to.ns !== ns) continue;
        arrived[index] = true;
        missing--;
        lastArrival = this.#now();
      }
    };
    for (const waitMs of rounds) {
      if (missing === 0) break;
      let burst = 0;
      for (const [index, probe] of probes.entries()) {
        if (arrived[index]) continue;
        const number = ++this.#sent;
        indexOf.set(number, index);
        this.#line.send(probe, number);
        if (++burst % BURST === 0) take();
      }
      const sentAt = this.#now();
      take();
      while (missing > 0 && (this.#now() < sentAt + waitMs || this.#now() < lastArrival + quietMs)) {
        await this.#sleep(1);
        take();
      }
    }
    return arrived;
  }
}

/** To connection tracking everything between two addresses is one connection, answers included: no port tells packets apart. */
function isOneConnection({ protocol, port }: Probe): boolean {
  return port === undefined && protocol !== ICMP && protocol !== ICMPV6;
}

/** Indexes, so grouped that no probe of a group is an answer to another one to connection tracking. */
function independentGroups(probes: readonly Probe[]): number[][] {
  const groups: [number[], number[], number[]] = [[], [], []];
  for (const [index, probe] of probes.entries()) {
    const group = !isOneConnection(probe) ? 0 : probe.from.address < probe.to.address ? 1 : 2;
    groups[group].push(index);
  }
  return groups.filter((group) => group.length > 0);
}
