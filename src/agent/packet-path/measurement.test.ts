import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import type { Address } from "../../net/address.ts";
import { MemoryConnectionTracker } from "../../netlink/memory-connection-tracker.ts";
import { PathMeasurement } from "./measurement.ts";
import type { Crossings, PortCount } from "./meter.ts";
import type { PairCount } from "./meter-rules.ts";

const A = "10.0.0.1" as Address;
const B = "10.0.0.2" as Address;
const NODE = "10.0.0.254" as Address;
const OUTSIDE = "198.51.100.7" as Address;
const PODS = new Set([A, B]);

const pair = (source: Address, destination: Address, packets = 100): PairCount => ({ source, destination, packets });

const port = (counts: Partial<PortCount>): PortCount => ({
  ...{ interfaceName: "vb", sentPackets: 1_000, sentBytes: 100_000, crossedBytes: 0, givenBytes: 0 },
  ...counts,
});

interface Window {
  readonly ports?: readonly PortCount[];
  readonly delivered?: readonly PairCount[];
  readonly crossed?: readonly PairCount[];
  readonly isComplete?: boolean;
}

function makeMeasurement() {
  const clock = new ManualClock();
  const tracker = new MemoryConnectionTracker();
  const windows: (Window | "aborted")[] = [];
  const measurement = new PathMeasurement({
    meter: {
      async measure(): Promise<Crossings | undefined> {
        const window = windows.shift();
        if (window === undefined) throw new Error("one window more than expected");
        if (window === "aborted") return undefined;
        return { delivered: [], crossed: [], isComplete: true, ports: [], ...window };
      },
    },
    tracker,
    nodeAddresses: () => new Set([NODE]),
    clock,
    windowMs: 10,
    everyMs: 600_000,
  });
  const measure = async (...next: (Window | "aborted")[]) => {
    windows.push(...next);
    await measurement.measure(
      PODS,
      { switched: ["va", "vc"], own: new Map([["vb", [B]]]) },
      new AbortController().signal,
    );
    expect(windows).toEqual([]);
  };
  return { clock, tracker, measurement, measure };
}

const BYPASS: Window = { delivered: [pair(A, B)], crossed: [pair(B, A)] };

describe("a bypass", () => {
  it("is what reached a pod in two windows and crossed in none", async () => {
    const { measurement, measure } = makeMeasurement();
    await measure(BYPASS, BYPASS);
    expect(measurement.problem(PODS)).toMatchObject({
      code: "measured-bypass",
      pods: [B],
      message: "measured: packets reach pod 10.0.0.2 and do not cross the rules (10.0.0.1 to 10.0.0.2 for one)",
    });
  });

  it.each<[string, readonly Window[]]>([
    ["that crossed", [{ delivered: [pair(A, B)], crossed: [pair(A, B, 1)] }]],
    ["of the node itself", [{ delivered: [pair(NODE, B)] }]],
    ["from a link-local address", [{ delivered: [pair("fe80::1" as Address, B), pair("169.254.1.1" as Address, B)] }]],
    ["of which there are few", [{ delivered: [pair(A, B, 9)] }]],
    ["in the first window only", [BYPASS, { delivered: [pair(OUTSIDE, B)] }]],
    ["where more pairs crossed than could be counted", [{ ...BYPASS, isComplete: false }]],
  ])("is not what %s", async (_name, windows) => {
    const { measurement, measure } = makeMeasurement();
    await measure(...windows);
    expect(measurement.problem(PODS)).toBeUndefined();
  });

  it.each([
    ["from the one to the other", A, B],
    ["from the other to the one", B, A],
  ])(
    "is not what belongs to a tracked connection %s: a flowtable is a short cut of the kernel's",
    async (_name, from, to) => {
      const { tracker, measurement, measure } = makeMeasurement();
      tracker.add({
        family: 4,
        protocol: 6,
        original: { source: from, destination: to, sourcePort: 1, destinationPort: 2 },
        reply: { source: to, destination: from, sourcePort: 2, destinationPort: 1 },
        icmpType: undefined,
      });
      await measure(BYPASS);
      expect(measurement.problem(PODS)).toBeUndefined();
    },
  );

  it("is known until its packets cross, whatever else crosses to the pod", async () => {
    const { measurement, measure } = makeMeasurement();
    await measure(BYPASS, BYPASS);
    expect(measurement.isDue).toBe(true);
    await measure({ delivered: [pair(NODE, B)], crossed: [pair(NODE, B)] });
    expect(measurement.problem(PODS)).toBeDefined();
    await measure({ delivered: [pair(A, B)], crossed: [pair(A, B)] });
    expect(measurement.problem(PODS)).toBeUndefined();
    expect(measurement.isDue).toBe(false);
  });

  it("is forgotten with its pod, and after an hour without a sign of it", async () => {
    const { clock, measurement, measure } = makeMeasurement();
    await measure(BYPASS, BYPASS);
    expect(measurement.problem(new Set([A]))).toBeUndefined();
    await clock.advance(3_599_000);
    expect(measurement.problem(PODS)).toBeDefined();
    await clock.advance(1_000);
    expect(measurement.problem(PODS)).toBeUndefined();
  });

  it("stays as known when a window is broken off", async () => {
    const { measurement, measure } = makeMeasurement();
    await measure("aborted");
    await measure(BYPASS, "aborted");
    expect(measurement.problem(PODS)).toBeUndefined();
    await measure(BYPASS, BYPASS);
    await measure("aborted");
    expect(measurement.problem(PODS)).toBeDefined();
  });
});

describe("a bypass at a pod's own interface", () => {
  it("is what it sent in two windows, and neither crossed nor was given to it", async () => {
    const { measurement, measure } = makeMeasurement();
    const window = { ports: [port({ crossedBytes: 20_000, givenBytes: 20_000 })] };
    await measure(window, window);
    expect(measurement.problem(PODS)).toMatchObject({
      code: "measured-bypass",
      pods: [B],
      message: "measured: packets reach pod 10.0.0.2 and do not cross the rules (at vb for one)",
    });
  });

  it.each<[string, Partial<PortCount>]>([
    ["what crossed and was given", { crossedBytes: 86_000, givenBytes: 100_000 }],
    ["what a flowtable carried: it was given", { givenBytes: 100_000 }],
    ["what came through an ifb: it crossed", { crossedBytes: 86_000 }],
    ["large packets, cut into many small ones behind the hooks", { crossedBytes: 30_000, givenBytes: 30_000 }],
    ["few packets", { sentPackets: 99 }],
    ["an interface that was made anew", { sentPackets: -500, sentBytes: -50_000 }],
  ])("is not %s", async (_name, counts) => {
    const { measurement, measure } = makeMeasurement();
    await measure({ ports: [port(counts)] });
    expect(measurement.problem(PODS)).toBeUndefined();
  });

  it("is known until all that is sent is explained; silence explains nothing", async () => {
    const { measurement, measure } = makeMeasurement();
    await measure({ ports: [port({})] }, { ports: [port({})] });
    await measure({ ports: [port({ sentPackets: 3, sentBytes: 200, givenBytes: 200 })] });
    expect(measurement.problem(PODS)).toBeDefined();
    await measure({ ports: [port({ crossedBytes: 86_000, givenBytes: 100_000 })] });
    expect(measurement.problem(PODS)).toBeUndefined();
  });
});

describe("pods are seen crossing", () => {
  it.each<[string, Window, boolean]>([
    ["by packets from pod to pod", { crossed: [pair(A, B)] }, true],
    ["not by packets of the node", { crossed: [pair(NODE, B)] }, false],
    ["not by packets from outside", { crossed: [pair(OUTSIDE, B)] }, false],
    ["not by a pod that reaches itself through a service", { crossed: [pair(A, A)] }, false],
  ])("%s", async (_name, window, expected) => {
    const { measurement, measure } = makeMeasurement();
    await measure(window);
    expect(measurement.podsSeenCrossing).toBe(expected);
  });

  it("for half an hour", async () => {
    const { clock, measurement, measure } = makeMeasurement();
    await measure({ crossed: [pair(A, B)] });
    await clock.advance(1_799_000);
    expect(measurement.podsSeenCrossing).toBe(true);
    await clock.advance(1_000);
    expect(measurement.podsSeenCrossing).toBe(false);
  });
});
