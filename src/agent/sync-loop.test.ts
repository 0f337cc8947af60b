import { afterEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { makePod, makePolicy, removePolicy, setPod, setPolicy } from "../../test/support/model-objects.ts";
import { type Applied, type Backend, BackendError, type Drift } from "../backends/backend.ts";
import { RuleGraph } from "../graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS, type NodeProgram, type ProgramDelta } from "../program/program.ts";
import { ClusterStore } from "../state/store.ts";
import { type Commit, LoopEndedError, SyncLoop } from "./sync-loop.ts";

const APPLIED: Applied = { how: "delta", operations: 1, elements: 1 };

/** Counts calls, fails when told to, and notices calls that overlap. */
class ScriptedBackend implements Backend {
  readonly calls: string[] = [];
  /** Elements of all sets of the program that was installed. */
  installedElements = 0;
  failures: Error[] = [];
  drift: Drift = { differences: [], repair: undefined };
  #busy = false;

  install(program: NodeProgram): Promise<Applied> {
    this.installedElements = [...program.sets.values()].reduce((sum, { elements }) => sum + elements.size, 0);
    return this.#call(`install ${program.dispatch.size}`, { ...APPLIED, how: "adopted" });
  }

  apply(delta: ProgramDelta, _onInForce?: () => void): Promise<Applied> {
    return this.#call(`apply ${delta.dispatch.length}`, APPLIED);
  }

  async verify(): Promise<Drift> {
    await this.#call("verify", APPLIED);
    return this.drift;
  }

  async #call(name: string, result: Applied): Promise<Applied> {
    if (this.#busy) throw new Error("calls overlap");
    this.#busy = true;
    await new Promise(setImmediate);
    this.#busy = false;
    this.calls.push(name);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    return result;
  }

  probe(): never {
    throw new Error("not for the loop");
  }
  changedByOthers(): boolean {
    return false;
  }
  dropped(): never {
    throw new Error("not for the loop");
  }
  size(): never {
    throw new Error("not for the loop");
  }
  cleanUp(): never {
    throw new Error("not for the loop");
  }
  close(): never {
    throw new Error("not for the loop");
  }
}

/** Goes on by 1 ms at each look. */
class BusyClock extends ManualClock {
  #reads = 0;
  override now(): number {
    return super.now() + this.#reads++;
  }
}

const deny = makePolicy("deny", { podSelector: {} });
const refused = () => new BackendError("refused", "no");

function start(times: Partial<ConstructorParameters<typeof SyncLoop>[0]["times"]> = {}, clock = new ManualClock()) {
  const store = new ClusterStore();
  const backend = new ScriptedBackend();
  const commits: Commit[] = [];
  const failures: number[] = [];
  const drifts: Drift[] = [];
  const loop = new SyncLoop({
    store,
    graph: new RuleGraph(store, "node-1", DEFAULT_PROGRAM_OPTIONS),
    backend,
    clock,
    random: () => 0.5,
    times: { minIntervalMs: 10, verifyEveryMs: 0, firstRetryMs: 100, longestRetryMs: 400, ...times },
    observer: {
      stateChanged: () => {},
      committed: (commit) => commits.push(commit),
      failed: (_error, nextTryMs) => failures.push(nextTryMs),
      verified: (drift) => drifts.push(drift),
      verificationFailed: () => {},
    },
  });
  const controller = new AbortController();
  const done = loop.run(controller.signal);
  const stop = async () => {
    controller.abort();
    await done;
  };
  stops.push(stop);
  return { clock, backend, commits, failures, drifts, loop, done, stop };
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function startSynced(times = {}) {
  const started = start(times);
  started.loop.add([setPod(makePod("x", "10.0.0.1"))]);
  started.loop.sourceSynced();
  await started.clock.advance(20);
  expect(started.backend.calls).toEqual(["install 0"]);
  started.backend.calls.length = 0;
  return started;
}

describe("before the first complete state", () => {
  it("nothing is written, however much is known", async () => {
    const { loop, clock, backend } = start();
    loop.add([setPolicy(deny), setPod(makePod("x", "10.0.0.1"))]);
    await clock.advance(60_000);
    expect(backend.calls).toEqual([]);
    expect(loop.inForce).toBe(false);
  });

  it("then everything comes in one go, even if it is nothing", async () => {
    const { loop, clock, backend } = start();
    loop.sourceSynced();
    await clock.advance(1);
    expect(backend.calls).toEqual(["install 0"]);
    expect(loop.inForce).toBe(true);
  });

  it("what arrives last, while a large batch is being taken in, is in the first write", async () => {
    const { loop, clock, backend } = start({}, new BusyClock());
    loop.add(Array.from({ length: 1_000 }, (_, index) => setPod(podNumber(index))));
    await new Promise(setImmediate);
    loop.add([setPolicy(deny)]);
    loop.sourceSynced();
    while (backend.calls.length === 0) await clock.settle();
    expect(backend.calls).toEqual(["install 1000"]);
  });

  it("the first write has all pods, also those of other nodes that wait behind new ones of this node", async () => {
    const { loop, clock, backend } = start();
    loop.add([setPolicy(makePolicy("peers", { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }))]);
    await clock.advance(1);
    const others = Array.from({ length: 1_000 }, (_, index) => setPod(podNumber(index, "node-2")));
    loop.add([setPod(makePod("x", "10.0.0.1")), ...others]);
    loop.sourceSynced();
    while (backend.calls.length === 0) await clock.settle();
    expect(backend.calls).toEqual(["install 1"]);
    expect(backend.installedElements).toBe(1_001);
  });
});

describe("changes", () => {
  it("that come together are one transaction, and those that change nothing are none", async () => {
    const { loop, clock, backend } = await startSynced();
    loop.add([setPolicy(deny)]);
    loop.add([setPod(makePod("y", "10.0.0.2"))]);
    await clock.advance(0);
    expect(backend.calls).toEqual(["apply 2"]);
    loop.add([setPod(makePod("far", "10.1.0.1", { node: "node-2" }))]);
    await clock.advance(100);
    expect(backend.calls).toEqual(["apply 2"]);
  });

  it("that come soon after a sync share the next one", async () => {
    const { loop, clock, backend } = await startSynced({ minIntervalMs: 50 });
    await clock.advance(100);
    loop.add([setPolicy(deny)]);
    await clock.advance(1);
    expect(backend.calls).toHaveLength(1);
    loop.add([setPod(makePod("y", "10.0.0.2"))]);
    await clock.advance(20);
    loop.add([setPod(makePod("z", "10.0.0.3"))]);
    await clock.advance(20);
    expect(backend.calls).toHaveLength(1);
    await clock.advance(20);
    expect(backend.calls).toEqual(["apply 1", "apply 2"]);
  });

  it("tell how long they took from their arrival, new local pods apart", async () => {
    const { loop, clock, commits } = await startSynced({ minIntervalMs: 50 });
    loop.add([setPolicy(deny)]);
    await clock.advance(10);
    loop.add([setPod(makePod("y", "10.0.0.2")), setPod(makePod("x", "10.0.0.1", { labels: { app: "z" } }))]);
    await clock.advance(100);
    expect(commits).toHaveLength(2);
    expect(commits[1]).toMatchObject({ latenciesMs: [30, 20, 20], newLocalPodsMs: [20] });
  });
});

describe("after a failure", () => {
  it("it tries again by itself, later each time, and the commit says that any change may be in it", async () => {
    const { loop, clock, backend, failures, commits } = await startSynced();
    backend.failures = [refused(), refused(), refused(), refused()];
    loop.add([setPolicy(deny)]);
    await clock.advance(1);
    expect(loop.inForce).toBe(false);
    loop.add([removePolicy(deny)]);
    await clock.advance(2_000);
    expect(failures).toEqual([100, 200, 400, 400]);
    expect(backend.calls).toEqual(["apply 1", "apply 1", "apply 0", "apply 0", "apply 0"]);
    expect(loop.inForce).toBe(true);
    expect(commits.map(({ first, delta }) => [first, delta])).toEqual([
      [true, undefined],
      [false, undefined],
    ]);
    loop.add([setPolicy(deny)]);
    await clock.advance(100);
    expect(commits.at(-1)?.delta?.dispatch).toHaveLength(1);
  });

  it("that lasts, what waits is timed only in part, and what waited longest is", async () => {
    const { loop, clock, backend, commits } = await startSynced({ minIntervalMs: 1, firstRetryMs: 10 });
    backend.failures = Array.from({ length: 120 }, refused);
    loop.add([setPolicy(deny)]);
    await clock.advance(10);
    for (let batch = 0; batch < 30; batch++) {
      loop.add(Array.from({ length: 500 }, (_, index) => setPod(podNumber(index))));
      await clock.advance(1_000);
    }
    await clock.advance(60_000);
    expect(commits).toHaveLength(2);
    expect(commits[1]?.latenciesMs).toHaveLength(10_000);
    expect(Math.max(...(commits[1]?.latenciesMs ?? []))).toBeGreaterThan(30_000);
  });

  it("that is long in coming, it is not in force meanwhile: nft hangs", async () => {
    const { loop, clock, backend } = await startSynced();
    const answer = Promise.withResolvers<Applied>();
    backend.apply = () => answer.promise;
    loop.add([setPolicy(deny)]);
    await clock.advance(4_900);
    expect(loop.inForce).toBe(true);
    await clock.advance(200);
    expect(loop.inForce).toBe(false);
    answer.resolve(APPLIED);
    await clock.advance(1);
    expect(loop.inForce).toBe(true);
  });

  it("of what a change leaves behind is a failure of the change; until then it counts from when packets meet it", async () => {
    const { loop, clock, backend, commits, failures } = await startSynced();
    const cleanedUp = Promise.withResolvers<Applied>();
    backend.apply = (_, onInForce) => {
      onInForce?.();
      return cleanedUp.promise;
    };
    const addedAt = clock.now();
    loop.add([setPolicy(deny)]);
    await clock.advance(300);
    cleanedUp.resolve(APPLIED);
    await clock.advance(1);
    expect(commits.at(-1)).toMatchObject({ inForceAt: addedAt, durationMs: 0, latenciesMs: [0] });
    backend.apply = (_, onInForce) => {
      onInForce?.();
      return Promise.reject(refused());
    };
    const committed = commits.length;
    loop.add([removePolicy(deny)]);
    await clock.advance(20);
    expect(commits).toHaveLength(committed);
    expect(failures).toHaveLength(1);
    expect(loop.inForce).toBe(false);
  });

  it("of the first write, the whole program is tried again", async () => {
    const { loop, clock, backend } = start();
    backend.failures = [refused()];
    loop.add([setPolicy(deny), setPod(makePod("x", "10.0.0.1"))]);
    loop.sourceSynced();
    await clock.advance(1_000);
    expect(backend.calls).toEqual(["install 1", "install 1"]);
  });
});

describe("verification", () => {
  it("comes around, and not while nothing is in force", async () => {
    const { clock, backend, drifts } = await startSynced({ verifyEveryMs: 1_000 });
    backend.drift = { differences: ["a rule is gone"], repair: APPLIED };
    await clock.advance(2_500);
    expect(backend.calls).toEqual(["verify", "verify"]);
    expect(drifts).toHaveLength(2);
  });

  it("has its turn also while changes follow each other without a pause", async () => {
    const { loop, backend, clock } = start({ minIntervalMs: 0, verifyEveryMs: 1_000 }, new BusyClock());
    loop.sourceSynced();
    while (backend.calls.length === 0) await clock.settle();
    const apply = backend.apply.bind(backend);
    let isolated = true;
    backend.apply = (delta) => {
      isolated = !isolated;
      loop.add([isolated ? setPolicy(deny) : removePolicy(deny)]);
      return apply(delta);
    };
    loop.add([setPod(makePod("x", "10.0.0.1")), setPolicy(deny)]);
    for (let round = 0; round < 2_000 && !backend.calls.includes("verify"); round++) await clock.settle();
    expect(backend.calls).toContain("verify");
    expect(backend.calls.length).toBeGreaterThan(100);
  });

  it("that fails makes the next sync look at the kernel", async () => {
    const { loop, clock, backend } = await startSynced({ verifyEveryMs: 1_000 });
    backend.failures = [refused()];
    await clock.advance(1_050);
    expect(loop.inForce).toBe(false);
    await clock.advance(200);
    expect(backend.calls).toEqual(["verify", "apply 0"]);
    expect(loop.inForce).toBe(true);
  });
});

it("tasks run between the steps, also while nothing happens, and their failure is the caller's", async () => {
  const { loop, clock } = await startSynced();
  const task = loop.between(() => 42);
  await clock.settle();
  expect(await task).toBe(42);
  const failing = loop.between(() => Promise.reject(new Error("mine")));
  await expect(failing).rejects.toThrow("mine");
  await clock.advance(1);
});

it("tasks that wait when the loop ends, and later ones, are refused: nobody waits for ever", async () => {
  const { loop, stop } = await startSynced();
  const underWay = Promise.withResolvers<string>();
  const first = loop.between(() => underWay.promise);
  const waiting = [loop.between(() => 2), loop.between(() => 3)].map((task) => task.catch((error: unknown) => error));
  const stopped = stop();
  underWay.resolve("done");
  await stopped;
  expect(await first).toBe("done");
  expect(await Promise.all(waiting)).toEqual([expect.any(LoopEndedError), expect.any(LoopEndedError)]);
  await expect(loop.between(() => 4)).rejects.toThrow(LoopEndedError);
});

it("tasks that wait when a bug ends the loop are refused", async () => {
  const { loop, clock, done } = await startSynced();
  const ended = done.catch((error: unknown) => error);
  stops.length = 0;
  const bug = new Error("a bug");
  const broken = {
    ...makePod("far", "10.1.0.1", { node: "node-2" }),
    get addresses(): never {
      throw bug;
    },
  };
  loop.add([setPod(broken)]);
  // The loop was resting: one task is done before the events are looked at.
  await loop.between(() => 0);
  const waiting = loop.between(() => 1).catch((error: unknown) => error);
  await clock.advance(100);
  expect(await waiting).toBeInstanceOf(LoopEndedError);
  expect(await ended).toBe(bug);
});

it.each([
  ["a large batch gives", 5_000],
  ["many small batches give", 1],
])("%s the event loop back every few milliseconds", async (_name, batchSize) => {
  const { loop, clock, backend } = start({}, new BusyClock());
  loop.add([setPolicy(deny)]);
  for (let index = 0; index < 5_000; index += batchSize) {
    loop.add(Array.from({ length: batchSize }, (_, offset) => setPod(podNumber(index + offset))));
  }
  loop.sourceSynced();
  let turns = 0;
  const turn = () => {
    turns++;
    if (backend.calls.length === 0) setImmediate(turn);
  };
  turn();
  while (backend.calls.length === 0) await clock.settle();
  expect(backend.calls).toEqual(["install 5000"]);
  // One look at the clock every 16 events, 8 ms a slice.
  expect(turns).toBeGreaterThanOrEqual(5_000 / 16 / 9);
});

function podNumber(index: number, node = "node-1") {
  return makePod(`p${index}`, `10.2.${index >> 8}.${index & 255}`, { node });
}
