// Whether packets arrive as they should. What must not arrive is judged after something that was sent later, and had to arrive, did:
// no time-out decides that a packet is denied.

import type { Probe, ProbeLine } from "../../src/lab/measure.ts";
import { until } from "./until.ts";

export interface ExpectedProbe {
  /** For the failure's message. */
  readonly name: string;
  readonly probe: Probe;
  readonly allowed: boolean;
}

const PATIENCE_MS = 10_000;
const PAUSE_MS = 40;

/** Numbers of all tests of this process: no late packet of one is taken for another's. */
let lastNumber = 0x10_0000;

/** What is not as expected, in sentences; throws without anything allowed, whose arrival says that the denied had its time. */
export async function wrongVerdicts(line: ProbeLine, expected: readonly ExpectedProbe[]): Promise<string[]> {
  const allowed = expected.filter((each) => each.allowed);
  const denied = expected.filter((each) => !each.allowed);
  if (allowed.length === 0) throw new Error("nothing is allowed here: then nothing shows that packets flow at all");
  const arrived = new Set<ExpectedProbe>();
  const sent = new Map<number, ExpectedProbe>();
  const send = (each: ExpectedProbe) => {
    const number = ++lastNumber;
    sent.set(number, each);
    line.send(each.probe, number);
  };
  /** Resolves when all of the allowed have arrived, each of them sent after now; false: some do not. */
  const allowedArrive = async (): Promise<boolean> => {
    const missing = new Set(allowed);
    let sentAt = -Infinity;
    const allHere = () => {
      for (const { number, ns } of line.arrivals()) {
        const each = sent.get(number);
        if (each?.probe.to.ns !== ns) continue;
        arrived.add(each);
        if (number > first) missing.delete(each);
      }
      if (missing.size > 0 && performance.now() > sentAt + PAUSE_MS) {
        missing.forEach(send);
        sentAt = performance.now();
      }
      return missing.size === 0;
    };
    const first = lastNumber;
    return await until("all that is allowed", allHere, PATIENCE_MS).then(
      () => true,
      () => false,
    );
  };
  // The first round also finds neighbours, for which packets wait; the second is in order.
  for (let round = 0; round < 2; round++) {
    denied.forEach(send);
    if (!(await allowedArrive())) break;
  }
  return expected
    .filter((each) => arrived.has(each) !== each.allowed)
    .map(({ name, allowed }) => `${name} should ${allowed ? "" : "not "}arrive`);
}

/** Sends each of these packets, three times; then what `control` does, which has to get through; then looks who has arrived: names. */
export async function arriveBefore(
  line: ProbeLine,
  probes: readonly Omit<ExpectedProbe, "allowed">[],
  control: () => Promise<void>,
): Promise<string[]> {
  const sent = new Map<number, (typeof probes)[number]>();
  for (let time = 0; time < 3; time++) {
    for (const each of probes) {
      sent.set(++lastNumber, each);
      line.send(each.probe, lastNumber);
    }
  }
  await control();
  const arrived = new Set<string>();
  for (const { number, ns } of line.arrivals()) {
    const each = sent.get(number);
    if (each?.probe.to.ns === ns) arrived.add(each.name);
  }
  return [...arrived];
}
