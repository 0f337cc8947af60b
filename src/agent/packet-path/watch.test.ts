import { afterEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import type { Address } from "../../net/address.ts";
import { MemoryConnectionTracker } from "../../netlink/memory-connection-tracker.ts";
import type { Route } from "../../netlink/routes.ts";
import type { LogFields } from "../log.ts";
import { PathMeasurement } from "./measurement.ts";
import type { CrossingMeter, MeterRequest } from "./meter.ts";
import type { PathReader, PathReadings } from "./reader.ts";
import { SysctlError } from "./sysctls.ts";
import { type PacketPathParts, PacketPathWatch } from "./watch.ts";

const link = (index: number, name: string, kind: string | undefined, masterIndex?: number) => ({
  ...{ index, name, kind, masterIndex, parentIndex: undefined, parentNetnsId: undefined, isUp: true, hasXdp: false },
});

/** A node with the bridge cni0 and two ports, whose switches can be set. */
class MemoryNode implements PathReader {
  reads = 0;
  failure: Error | undefined;
  refusal: SysctlError | undefined;
  readonly on = new Set(["net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"]);
  readonly elsewhere = new Set<Address>();

  async read(addresses: readonly Address[]): Promise<PathReadings> {
    this.reads++;
    if (this.failure !== undefined) throw this.failure;
    const bridge: Route = { type: "unicast", interfaceName: "cni0", interfaceIndex: 3, gateway: undefined };
    const uplink: Route = { ...bridge, interfaceName: "eth0", interfaceIndex: 2 };
    return {
      links: [
        link(2, "eth0", undefined),
        link(3, "cni0", "bridge"),
        link(4, "va", "veth", 3),
        link(5, "vb", "veth", 3),
      ],
      routes: new Map(addresses.map((address) => [address, this.elsewhere.has(address) ? uplink : bridge])),
      uplinks: { 4: 2, 6: 2 },
      switches: {
        bridgeCalls: { 4: this.on.has("net/bridge/bridge-nf-call-iptables"), 6: true },
        callingBridges: { 4: new Set(), 6: new Set() },
        forwarding: { 4: this.on.has("net/ipv4/ip_forward"), 6: true },
        forwardingLinks: { 4: new Set(), 6: new Set() },
        forwardingCostsRoutes: false,
      },
    };
  }

  async write(path: string): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    this.on.add(path);
  }
}

/** Counts nothing; the tests of measurement.ts do. */
class IdleMeter implements CrossingMeter {
  readonly requests: MeterRequest[] = [];
  failure: Error | undefined;

  async measure(request: MeterRequest) {
    this.requests.push(request);
    if (this.failure !== undefined) throw this.failure;
    return { delivered: [], crossed: [], isComplete: true, ports: [] };
  }
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function start(parts: Partial<PacketPathParts> = {}) {
  const clock = new ManualClock();
  const node = new MemoryNode();
  const meter = new IdleMeter();
  const pods: string[] = [];
  const log: string[] = [];
  const write = (level: string) => (fields: LogFields, message: string) => {
    const { code, interface: name, pods: named, sysctl } = fields;
    log.push([level, message, code ?? sysctl, name, named].filter((part) => part !== undefined).join(" | "));
  };
  const watch = new PacketPathWatch({
    localPodAddresses: () => pods,
    reader: node,
    managedSysctls: undefined,
    judgesIpvs: false,
    measurement: new PathMeasurement({
      meter,
      tracker: new MemoryConnectionTracker(),
      nodeAddresses: () => new Set(),
      clock,
      windowMs: 10,
      everyMs: 600_000,
    }),
    clock,
    log: { error: write("error"), warn: write("warn"), info: write("info"), debug: write("debug") },
    ...parts,
  });
  const controller = new AbortController();
  const done = watch.run(controller.signal);
  stops.push(async () => {
    controller.abort();
    await done;
  });
  return { clock, node, meter, pods, log, watch };
}

/** A started watch whose switches may be set. */
function startManaging() {
  const managed = new MemoryNode();
  managed.on.clear();
  return { managed, ...start({ reader: managed, managedSysctls: managed }) };
}

describe("when it looks", () => {
  it("asks nothing while there are no pods, and within a second of the first", async () => {
    const { clock, node, pods } = start();
    await clock.advance(10_000);
    expect(node.reads).toBe(0);
    pods.push("10.244.1.2");
    await clock.advance(1_000);
    expect(node.reads).toBe(1);
  });

  it("looks again every minute", async () => {
    const { clock, node, pods } = start();
    pods.push("10.244.1.2");
    await clock.advance(1_000);
    await clock.advance(300_000);
    expect(node.reads).toBe(6);
  });

  it("measures at the first look and then every ten minutes, at the ports of the pods' bridge", async () => {
    const { clock, meter, pods } = start();
    pods.push("10.244.1.2", "fd00::2");
    await clock.advance(1_000);
    expect(meter.requests).toMatchObject([
      { addresses: ["10.244.1.2", "fd00::2"], ports: { switched: ["va", "vb"] }, windowMs: 10 },
    ]);
    await clock.advance(590_000);
    expect(meter.requests).toHaveLength(1);
    await clock.advance(60_000);
    expect(meter.requests).toHaveLength(2);
  });

  it("ends with the signal", async () => {
    start();
    for (const stop of stops.splice(0)) await stop();
  });
});

describe("a problem", () => {
  it("is logged once when it comes and once when it goes, and stands in between", async () => {
    const { clock, node, pods, log, watch } = start();
    pods.push("10.244.1.2");
    node.on.delete("net/bridge/bridge-nf-call-iptables");
    await clock.advance(181_000);
    expect(log).toEqual(["warn | packet path problem | bridge-calls-off | cni0 | 10.244.1.2"]);
    expect(watch.problems()).toEqual([
      "net.bridge.bridge-nf-call-iptables is 0: IPv4 packets from pod to pod on the bridge cni0 do not cross the rules (pod 10.244.1.2); " +
        "set it on the node (sysctl -w net.bridge.bridge-nf-call-iptables=1, and a line in /etc/sysctl.d), or run the agent with --manage-sysctls",
    ]);
    pods.push("10.244.1.3");
    node.on.add("net/bridge/bridge-nf-call-iptables");
    await clock.advance(60_000);
    expect(watch.problems()).toEqual([]);
    expect(log.slice(1)).toEqual(["info | packet path problem is gone | bridge-calls-off | cni0 | 10.244.1.2"]);
  });

  it("goes with the last pod", async () => {
    const { clock, node, pods, watch } = start();
    pods.push("10.244.1.2");
    node.on.delete("net/bridge/bridge-nf-call-iptables");
    await clock.advance(1_000);
    expect(watch.findings()).toHaveLength(1);
    pods.pop();
    await clock.advance(60_000);
    expect(watch.findings()).toEqual([]);
  });

  it("is none while a pod without a route of its own is young, and again when its interface goes", async () => {
    const { clock, node, pods, watch } = start();
    pods.push("10.244.1.2");
    node.elsewhere.add("10.244.1.2" as Address);
    await clock.advance(59_000);
    expect(watch.findings()).toEqual([]);
    await clock.advance(60_000);
    expect(watch.findings()).toMatchObject([{ code: "route-leaves-node", interfaceName: "eth0" }]);
    node.elsewhere.clear();
    await clock.advance(60_000);
    expect(watch.findings()).toEqual([]);
    node.elsewhere.add("10.244.1.2" as Address);
    await clock.advance(60_000);
    expect(watch.findings()).toEqual([]);
    await clock.advance(60_000);
    expect(watch.findings()).toHaveLength(1);
  });
});

describe("a look that fails", () => {
  it("is a problem, the others stay, and it is gone with the next that works", async () => {
    const { clock, node, pods, log, watch } = start();
    pods.push("10.244.1.2");
    node.on.delete("net/bridge/bridge-nf-call-iptables");
    await clock.advance(1_000);
    node.failure = new Error("no netlink today");
    await clock.advance(120_000);
    expect(watch.findings().map(({ code, message }) => `${code}: ${message}`)).toEqual([
      expect.stringContaining("bridge-calls-off"),
      "check-failed: the packet path cannot be checked: no netlink today",
    ]);
    node.failure = undefined;
    await clock.advance(60_000);
    expect(watch.findings().map(({ code }) => code)).toEqual(["bridge-calls-off"]);
    expect(log.filter((line) => line.includes("check-failed"))).toEqual([
      "warn | packet path problem | check-failed | ",
      "info | packet path problem is gone | check-failed | ",
    ]);
  });

  it("is one too when the pods cannot be named", async () => {
    const { clock, pods, watch } = start();
    pods.push("10.244.1");
    await clock.advance(1_000);
    expect(watch.findings()).toMatchObject([{ code: "check-failed", message: expect.stringContaining('"10.244.1"') }]);
  });

  it("is none when only the measurement fails: that is said once", async () => {
    const { clock, meter, pods, log, watch } = start();
    meter.failure = new Error("this kernel has no egress hooks");
    pods.push("10.244.1.2");
    await clock.advance(1_300_000);
    expect(meter.requests.length).toBeGreaterThan(1);
    expect(watch.findings()).toEqual([]);
    expect(log).toEqual(["info | packet path is not measured, only read"]);
  });
});

describe("with --manage-sysctls", () => {
  it("sets what local pods need, once, and there is no problem left", async () => {
    const { clock, managed, pods, log, watch } = startManaging();
    await clock.advance(5_000);
    expect([...managed.on]).toEqual([]);
    pods.push("10.244.1.2");
    await clock.advance(61_000);
    expect([...managed.on]).toEqual(["net/bridge/bridge-nf-call-iptables", "net/ipv4/ip_forward"]);
    expect(watch.findings()).toEqual([]);
    expect(log).toEqual([
      "info | sysctl set | net.bridge.bridge-nf-call-iptables",
      "info | sysctl set | net.ipv4.ip_forward",
    ]);
  });

  it("says why it could not, once, and tries again", async () => {
    const { clock, managed, pods, log, watch } = startManaging();
    managed.on.add("net/ipv4/ip_forward");
    managed.refusal = new SysctlError("read-only", "it is read-only", "mount it writable");
    pods.push("10.244.1.2");
    await clock.advance(121_000);
    expect(watch.problems()).toEqual([expect.stringMatching(/; it is read-only; mount it writable$/)]);
    expect(log.filter((line) => line.includes("cannot be set"))).toHaveLength(1);
    managed.refusal = undefined;
    await clock.advance(60_000);
    expect(watch.problems()).toEqual([]);
    expect(log.slice(-2)).toEqual([
      "info | sysctl set | net.bridge.bridge-nf-call-iptables",
      "info | packet path problem is gone | bridge-calls-off | cni0 | 10.244.1.2",
    ]);
  });
});
