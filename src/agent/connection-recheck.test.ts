import { afterEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Address, Family } from "../net/address.ts";
import type { ConnectionTracker, TrackedConnection } from "../netlink/connection-tracker.ts";
import type { ConnectionJudge } from "./connection-judge.ts";
import { ConnectionRecheck, type RecheckOptions } from "./connection-recheck.ts";

/** Holds connections, deletes them, fails when told to. */
class ScriptedTracker implements ConnectionTracker {
  readonly name = "scripted";
  connections: TrackedConnection[] = [];
  readonly asked: string[] = [];
  failures = 0;
  /** What cannot be deleted. */
  isStuck: (connection: TrackedConnection) => boolean = () => false;

  async list(family: Family, addresses?: ReadonlySet<Address>): Promise<readonly TrackedConnection[]> {
    this.asked.push(`${family} ${addresses === undefined ? "all" : [...addresses].sort().join(" ")}`);
    if (this.failures > 0) {
      this.failures--;
      throw new Error("the kernel is busy");
    }
    return this.connections.filter(
      (each) =>
        each.family === family &&
        (addresses === undefined || addresses.has(each.original.source) || addresses.has(each.reply.source)),
    );
  }

  async delete(connections: readonly TrackedConnection[]): Promise<number> {
    const before = this.connections.length;
    const isStuck = connections.some(this.isStuck);
    this.connections = this.connections.filter((each) => !connections.includes(each) || this.isStuck(each));
    if (isStuck) throw new Error("some connections are busy");
    return before - this.connections.length;
  }

  close(): void {}
}

function connection(source: string, destination: string): TrackedConnection {
  const from = source as Address;
  const to = destination as Address;
  return {
    family: source.includes(":") ? 6 : 4,
    protocol: 6,
    original: { source: from, destination: to, sourcePort: 1, destinationPort: 2 },
    reply: { source: to, destination: from, sourcePort: 2, destinationPort: 1 },
    icmpType: undefined,
    handle: undefined,
  };
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function start(
  denied: (connection: TrackedConnection) => boolean,
  between: RecheckOptions["between"] = async (task) => task(),
  nodeAddresses: RecheckOptions["nodeAddresses"] = async () => new Set(),
) {
  const clock = new ManualClock();
  const tracker = new ScriptedTracker();
  const passes: { examined: number; cut: number }[] = [];
  const failures: number[] = [];
  let judges = 0;
  const recheck = new ConnectionRecheck({
    tracker,
    clock,
    between,
    nodeAddresses,
    makeJudge: (own) => {
      judges++;
      const allows = (each: TrackedConnection) => own.has(each.original.source) || !denied(each);
      return { allows } as unknown as ConnectionJudge;
    },
    observer: {
      rechecked: ({ examined, cut }) => passes.push({ examined, cut }),
      recheckFailed: (_error, nextTryMs) => failures.push(nextTryMs),
    },
  });
  const controller = new AbortController();
  const done = recheck.run(controller.signal);
  stops.push(async () => {
    controller.abort();
    await done;
  });
  return { clock, tracker, passes, failures, recheck, controller, done, judges: () => judges };
}

const addresses = (...list: string[]) => new Set(list as Address[]);

describe("a pass", () => {
  it("cuts what is denied and nothing else", async () => {
    const { clock, tracker, passes, recheck } = start(({ reply }) => reply.source === "10.0.0.2");
    const kept = connection("10.0.0.1", "10.0.0.3");
    tracker.connections = [connection("10.0.0.1", "10.0.0.2"), kept];
    recheck.request(addresses("10.0.0.1"));
    await clock.advance(1);
    expect(tracker.connections).toEqual([kept]);
    expect(passes).toEqual([{ examined: 2, cut: 1 }]);
  });

  it("asks for the families and addresses that it needs, and for everything at the start", async () => {
    const { clock, tracker, recheck } = start(() => false);
    recheck.request(addresses("10.0.0.1", "10.0.0.2"));
    await clock.advance(1);
    expect(tracker.asked).toEqual(["4 10.0.0.1 10.0.0.2"]);
    recheck.request(addresses("fd00::1"));
    recheck.requestAll();
    await clock.advance(200);
    expect(tracker.asked.slice(1)).toEqual(["4 all", "6 all"]);
  });

  it("is followed by a second one, for packets that were on their way", async () => {
    const { clock, tracker, passes, recheck } = start(() => true);
    recheck.request(addresses("10.0.0.1"));
    await clock.advance(500);
    tracker.connections = [connection("10.0.0.1", "10.0.0.2")];
    await clock.advance(10_000);
    expect(tracker.asked).toEqual(["4 10.0.0.1", "4 10.0.0.1"]);
    expect(passes).toEqual([
      { examined: 0, cut: 0 },
      { examined: 1, cut: 1 },
    ]);
  });

  it("does not hold the second look of another up", async () => {
    const { clock, tracker, recheck } = start(() => false);
    for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) {
      recheck.request(addresses(address));
      await clock.advance(600);
    }
    expect(tracker.asked).toEqual(["4 10.0.0.1", "4 10.0.0.2", "4 10.0.0.1", "4 10.0.0.3", "4 10.0.0.2"]);
    await clock.advance(10_000);
    expect(tracker.asked.slice(5)).toEqual(["4 10.0.0.3"]);
  });

  it("looks for UDP that an answer begins anew, and cuts that too, for some seconds", async () => {
    const { clock, tracker, recheck } = start(({ original }) => original.source === "10.0.0.1");
    const question = { ...connection("10.0.0.1", "10.0.0.2"), protocol: 17 };
    const answer = { ...question, original: question.reply, reply: question.original };
    tracker.connections = [question];
    recheck.request(addresses("10.0.0.1"));
    await clock.advance(10);
    expect(tracker.connections).toEqual([]);
    for (let time = 0; time < 2; time++) {
      tracker.connections = [answer];
      await clock.advance(400);
      expect(tracker.connections).toEqual([]);
    }
    await clock.advance(10_000);
    tracker.connections = [answer];
    recheck.request(addresses("10.0.0.2"));
    await clock.advance(10_000);
    expect(tracker.connections).toEqual([answer]);
  });

  it("judges many in slices, each with the policies of its moment", async () => {
    const { clock, tracker, recheck, judges } = start(() => true);
    tracker.connections = Array.from({ length: 1_000 }, (_, index) =>
      connection("10.0.0.1", `10.1.${index >> 8}.${index & 255}`),
    );
    recheck.requestAll();
    await clock.advance(1);
    expect(tracker.connections).toEqual([]);
    expect(judges()).toBe(4);
  });
});

it("requests that come soon after a pass share the next one", async () => {
  const { clock, tracker, recheck } = start(() => false);
  recheck.request(addresses("10.0.0.1"));
  await clock.advance(1);
  recheck.request(addresses("10.0.0.2"));
  recheck.request(addresses("10.0.0.3"));
  await clock.advance(50);
  expect(tracker.asked).toHaveLength(1);
  await clock.advance(100);
  expect(tracker.asked).toEqual(["4 10.0.0.1", "4 10.0.0.2 10.0.0.3"]);
});

describe("a pass that fails", () => {
  it("is done again, later each time, and then followed by a second one", async () => {
    const { clock, tracker, failures, passes, recheck } = start(() => true);
    tracker.failures = 7;
    tracker.connections = [connection("10.0.0.1", "10.0.0.2")];
    recheck.request(addresses("10.0.0.1"));
    await clock.advance(200_000);
    expect(failures).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    await clock.advance(200_000);
    expect(passes).toEqual([
      { examined: 1, cut: 1 },
      { examined: 0, cut: 0 },
    ]);
  });

  it("does not hold up what is asked for meanwhile", async () => {
    const { clock, tracker, passes, recheck } = start(() => true);
    tracker.failures = 1;
    tracker.connections = [connection("10.0.0.1", "10.0.0.2"), connection("10.0.0.5", "10.0.0.6")];
    recheck.request(addresses("10.0.0.1"));
    await clock.advance(1);
    recheck.request(addresses("10.0.0.5"));
    await clock.advance(500);
    expect(passes).toEqual([{ examined: 1, cut: 1 }]);
    await clock.advance(2_000);
    expect(tracker.connections).toEqual([]);
  });

  it("of one family does not save the connections of the other", async () => {
    const { clock, tracker, failures, recheck } = start(() => true);
    tracker.failures = 1;
    tracker.connections = [connection("10.0.0.1", "10.0.0.2"), connection("fd00::1", "fd00::2")];
    recheck.requestAll();
    await clock.advance(1);
    expect(tracker.connections).toHaveLength(1);
    expect(failures).toEqual([2_000]);
  });

  it("because some connections cannot be deleted cuts all the others, and tells both", async () => {
    const { clock, tracker, failures, passes, recheck } = start(() => true);
    tracker.isStuck = ({ original }) => original.destination === "10.1.0.7";
    tracker.connections = Array.from({ length: 1_000 }, (_, index) =>
      connection("10.0.0.1", `10.1.${index >> 8}.${index & 255}`),
    );
    recheck.requestAll();
    await clock.advance(1);
    expect(tracker.connections).toHaveLength(1);
    expect(failures).toEqual([2_000]);
    expect(passes).toEqual([{ examined: 1_000, cut: 750 }]);
  });
});

it("requests without end do not hold second looks up", async () => {
  const { clock, tracker, passes, recheck } = start(() => true);
  recheck.request(addresses("10.0.0.1"));
  await clock.advance(1);
  tracker.connections = [connection("10.0.0.1", "10.0.0.2")];
  for (let round = 0; round < 40; round++) {
    recheck.request(addresses(`10.9.0.${round}`));
    await clock.advance(50);
  }
  expect(tracker.connections).toEqual([]);
  expect(passes.length).toBeGreaterThan(10);
});

describe("the node's own addresses", () => {
  it("are asked for after the connections: one from a new address is known as the node's", async () => {
    const own = new Set<string>();
    const { clock, tracker, recheck } = start(
      () => true,
      undefined,
      async () => new Set(own),
    );
    const listed = tracker.list.bind(tracker);
    tracker.list = async (...asked) => {
      own.add("10.96.0.1");
      return listed(...asked);
    };
    tracker.connections = [connection("10.96.0.1", "10.0.0.2")];
    recheck.requestAll();
    await clock.advance(10_000);
    expect(tracker.connections).toHaveLength(1);
  });

  it("that cannot be read cut nothing, and are asked for again", async () => {
    let attempts = 0;
    const { clock, tracker, failures, recheck } = start(
      () => true,
      undefined,
      async () => {
        if (attempts++ === 0) throw new Error("no answer");
        return new Set(["10.0.0.9"]);
      },
    );
    tracker.connections = [connection("10.0.0.9", "10.0.0.2"), connection("10.0.0.8", "10.0.0.2")];
    recheck.requestAll();
    await clock.advance(500);
    expect([tracker.connections.length, failures]).toEqual([2, [2_000]]);
    await clock.advance(2_000);
    expect(tracker.connections.map(({ original }) => original.source)).toEqual(["10.0.0.9"]);
  });
});

it("ends at once, and without complaint, when the state cannot be had any more", async () => {
  let asked = 0;
  const { tracker, failures, recheck, clock, controller, done } = start(
    () => true,
    async () => {
      asked++;
      controller.abort();
      throw new Error("the loop has ended");
    },
  );
  tracker.connections = [connection("10.0.0.1", "10.0.0.2"), connection("fd00::1", "fd00::2")];
  recheck.requestAll();
  await clock.settle();
  await done;
  expect([asked, failures]).toEqual([1, []]);
});

it("no address, no pass", async () => {
  const { clock, tracker, recheck } = start(() => true);
  recheck.request(addresses());
  await clock.advance(10_000);
  expect(tracker.asked).toEqual([]);
});
