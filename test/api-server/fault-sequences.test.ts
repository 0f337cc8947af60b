// Random sequences of changes and faults, from a seed: whatever happens, every batch is consistent, nothing is told that
// the server never had, and after the last fault the mirror is the server. NFTPOL_SEED chooses another first one, NFTPOL_RUNS more.

import { describe, it, onTestFinished } from "vitest";
import type { ObjectChange } from "../../src/kube/object-change.ts";
import type { Pod } from "../../src/model/cluster.ts";
import { UnreliableNetwork } from "../support/unreliable-network.ts";
import { eventually } from "./eventually.ts";
import { type FakeApiServer, startServer } from "./fake-api-server.ts";
import type { Fault } from "./faults.ts";
import { clusterOf } from "./kubeconfig-files.ts";
import { NAMESPACES_PATH, namespaceObject, PODS_PATH, podObject } from "./objects.ts";
import { reflectPods } from "./reflection.ts";
import { statusObject, tooOld } from "./status-object.ts";

const SEQUENCES = 12;
const AT_ONCE = 6;
const STEPS = 40;
const NAMES = ["a", "b", "c", "d", "e", "f"] as const;

/** Small and good enough (mulberry32): from 0 to below 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function failure(status: number, reason: string): Fault {
  return { kind: "answer", status, body: JSON.stringify(statusObject(status, reason, "because")) };
}

function watchEnds(afterEvents: number, ending: Extract<Fault, { kind: "end watch" }>["ending"]): Fault {
  return { kind: "end watch", afterEvents, ending };
}

function someFault(pick: <V>(values: readonly V[]) => V, number: (below: number) => number): Fault {
  const after = number(4);
  return pick<Fault>([
    failure(500, "InternalError"),
    failure(503, "ServiceUnavailable"),
    failure(410, "Expired"),
    { kind: "answer", status: 200, body: "<html>log in</html>" },
    { kind: "answer", status: 200, body: "" },
    { kind: "reset" },
    { kind: "late", delayMs: number(50) },
    { kind: "broken body", begin: '{"kind":"PodList","items":[', ending: "reset" },
    watchEnds(after, { kind: "reset" }),
    watchEnds(after, { kind: "close" }),
    watchEnds(after, { kind: "silence" }),
    watchEnds(after, { kind: "bad frame", line: "{" }),
    watchEnds(after, { kind: "bad frame", line: '{"type":"CHANGED","object":{}}' }),
    watchEnds(after, { kind: "half frame", followedBy: pick(["reset", "close"]) }),
    watchEnds(after, { kind: "error event", status: tooOld(1, 2) }),
    watchEnds(after, { kind: "error event", status: statusObject(500, "InternalError", "because") }),
    { kind: "close watch", afterMs: number(50) },
    { kind: "repeat events" },
    { kind: "slow watch", eventEveryMs: number(20) },
  ]);
}

/** What the server had: an object's key, uid and address, the last of which changes with every write. */
class History {
  readonly #had = new Set<string>();
  #writes = 0;

  put(server: FakeApiServer, name: string, uid: string): void {
    const address = `10.${(++this.#writes >> 8) & 255}.${this.#writes & 255}.1`;
    const pod = podObject("shop", name, address);
    server.store.put(PODS_PATH, { ...pod, metadata: { namespace: "shop", name, uid } });
    this.#had.add(`shop/${name} ${uid} ${address}`);
  }

  check(batch: readonly ObjectChange<Pod>[]): void {
    for (const { key, uid, object } of batch) {
      if (object === undefined) continue;
      const told = `${key} ${uid} ${object.addresses[0]}`;
      if (!this.#had.has(told)) throw new Error(`the server never had ${told}`);
    }
  }
}

function stateOf(server: FakeApiServer): Record<string, string> {
  const objects = [...(server.store.collection(PODS_PATH)?.objects ?? [])];
  return Object.fromEntries(
    objects.map(([key, object]) => {
      const { metadata, status } = object as { metadata: { uid: string }; status: { podIP: string } };
      return [key, `${metadata.uid} ${status.podIP}`];
    }),
  );
}

async function runSequence(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const number = (below: number) => Math.floor(random() * below);
  const pick = <V>(values: readonly V[]): V => values[number(values.length)] as V;
  const streamingLists = pick(["served", "served", "refused", "ignored"] as const);
  const server = await startServer({ streamingLists, bookmarkEveryMs: 40, gzip: random() < 0.3 });
  const network = await UnreliableNetwork.start(server.port);
  onTestFinished(() => network.close());
  const history = new History();
  for (const name of NAMES.slice(0, number(5))) history.put(server, name, "first");
  const { mirror, synced } = await reflectPods(server, {
    cluster: { ...clusterOf(server), server: `https://127.0.0.1:${network.port}` },
    pulse: { quietMs: 100, answerMs: 150 },
    settings: { watchIdleMs: 300, initialEventsIdleMs: 200, listTimeouts: { headersMs: 500, idleMs: 300 } },
    onChanges: (batch) => history.check(batch),
  });
  const heals: (() => void)[] = [];
  const change = () => history.put(server, pick(NAMES), pick(["first", "second"]));
  const steps: readonly (() => void)[] = [
    change,
    change,
    change,
    () => server.store.delete(PODS_PATH, `shop/${pick(NAMES)}`),
    () => server.store.delete(PODS_PATH, `shop/${pick(NAMES)}`),
    () => server.store.put(NAMESPACES_PATH, namespaceObject(`ns-${number(9)}`)),
    () => server.failNext(PODS_PATH, someFault(pick, number), 1 + number(3)),
    () => server.failNext(PODS_PATH, someFault(pick, number), 1),
    () => server.cutConnections(),
    () => server.store.compact(),
    () => server.sendBookmarks(),
    () => network.loseConnections(),
    () => (random() < 0.3 ? network.blackhole() : network.heal()),
    () => heals.push(server.addFault(() => (random() < 0.5 ? failure(429, "TooManyRequests") : undefined))),
    () => heals.pop()?.(),
  ];
  for (let step = 0; step < STEPS; step++) {
    pick(steps)();
    await new Promise((resolve) => setTimeout(resolve, number(25)));
  }
  for (const heal of heals) heal();
  server.clearFaults();
  network.heal();
  change();
  await synced();
  await eventually("the mirror is the server", () => {
    const told = [...mirror.objects].map(([key, { uid, object }]) => [key, `${uid} ${object?.addresses[0]}`]);
    return JSON.stringify(told.sort()) === JSON.stringify(Object.entries(stateOf(server)).sort());
  });
}

async function runSeed(seed: number): Promise<void> {
  try {
    await runSequence(seed);
  } catch (error) {
    throw new Error(`seed ${seed} (NFTPOL_SEED=${seed} NFTPOL_RUNS=1 repeats it)`, { cause: error });
  }
}

describe("any sequence of changes and faults ends with the server's state", () => {
  const first = Number(process.env.NFTPOL_SEED ?? 20261121);
  const count = Number(process.env.NFTPOL_RUNS ?? SEQUENCES);
  const seeds = Array.from({ length: count }, (_, index) => first + index);
  // Side by side: most of their time is spent waiting.
  const groups = Array.from({ length: Math.ceil(count / AT_ONCE) }, (_, index) =>
    seeds.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
  );
  it.each(groups.map((group) => [group[0], group.at(-1), group] as const))("seeds %d to %d", async (_a, _b, group) => {
    await Promise.all(group.map(runSeed));
  });
});
