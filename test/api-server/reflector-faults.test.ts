// What goes wrong with lists and watches, one test for each way: each is a row of the table of what the client library's
// informer gets wrong. Gaps between requests are only checked from below: a busy machine may wait longer.

import { describe, expect, it, onTestFinished } from "vitest";
import { DEFAULT_BACKOFF } from "../../src/kube/backoff.ts";
import { UnreliableNetwork } from "../support/unreliable-network.ts";
import { eventually } from "./eventually.ts";
import { type FakeApiServer, type RecordedRequest, startServer } from "./fake-api-server.ts";
import type { Fault } from "./faults.ts";
import { clusterOf } from "./kubeconfig-files.ts";
import type { ApiObject } from "./object-store.ts";
import { PODS_PATH, podObject } from "./objects.ts";
import { reflectPods } from "./reflection.ts";
import { expectGaps, GONE, statusAnswer } from "./refusals.ts";

describe.each(["served", "refused"] as const)("with streaming lists %s", (streamingLists) => {
  const start = () => startServer({ streamingLists });

  it("LIST returns 500: tried again with growing delays, and synced only after success", async () => {
    const server = await start();
    server.failNextLists(PODS_PATH, statusAnswer(500, "InternalError"), 4);
    const { reflector, statuses, synced } = await reflectPods(server);
    await synced();
    expect(statuses.filter((status) => !status.synced).map((status) => status.failures)).toEqual([1, 2, 3, 4]);
    expect(reflector.status().failures).toBe(4);
    expectGaps(server.listsOf(PODS_PATH), [20, 40, 80, 100]);
  });

  it.each([
    ["WATCH 503", statusAnswer(503, "ServiceUnavailable")],
    ["WATCH 500", statusAnswer(500, "InternalError")],
    ["socket reset", { kind: "reset" } as const],
    ["socket reset after the headers", { kind: "end watch", afterEvents: 0, ending: { kind: "reset" } } as const],
  ])("%s: the watch goes on from the last version, without a list", async (_name, fault) => {
    const server = await start();
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    const { reflector, synced, shows } = await reflectPods(server);
    await synced();
    await eventually("a watch", () => server.watchCount === 1);
    const watchesBefore = server.watchesOf(PODS_PATH).length;
    const lists = server.listsOf(PODS_PATH).length;
    server.failNextWatches(PODS_PATH, fault, 3);
    server.cutConnections();
    await eventually("a failure", () => reflector.status().failures > 0);
    server.store.put(PODS_PATH, podObject("shop", "db", "10.0.0.2"));
    await shows("shop/db", "shop/web");
    const watches = server.watchesOf(PODS_PATH).slice(watchesBefore);
    expect(watches.map((watch) => watch.query.get("resourceVersion"))).toEqual(["2", "2", "2", "2"]);
    expect(server.listsOf(PODS_PATH)).toHaveLength(lists);
    // Each attempt begins with the question whether the server still has the version; after a reset, its watch is repeated at once.
    const attempts = server.versionQuestionsOf(PODS_PATH);
    expect(attempts.length).toBeGreaterThanOrEqual(2);
    expectGaps(attempts, [40, 80, 100]);
    expect(reflector.status().lastFailure).toBeUndefined();
  });

  it("API server blackholed: noticed, and the reflector recovers when it is back", async () => {
    const server = await start();
    const network = await UnreliableNetwork.start(server.port);
    onTestFinished(() => network.close());
    const cluster = { ...clusterOf(server), server: `https://127.0.0.1:${network.port}` };
    const pulse = { quietMs: 150, answerMs: 200 };
    const { reflector, synced, shows } = await reflectPods(server, { cluster, pulse });
    await synced();
    network.blackhole();
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    await eventually("it is noticed", () => reflector.status().lastFailure !== undefined);
    expect(reflector.status().lastFailure).toMatch(
      /^nothing came from the API server for \d s, and it does not answer a request either$/,
    );
    network.heal();
    await shows("shop/web");
    expect(reflector.status()).toMatchObject({ lastFailure: undefined, synced: true });
  });

  it("a watch alone falls silent: noticed by the bookmarks that do not come, and a list tells what was missed", async () => {
    const server = await startServer({ streamingLists, bookmarkEveryMs: 30 });
    const { reflector, synced, shows } = await reflectPods(server, { settings: { watchIdleMs: 400 } });
    await synced();
    await eventually("a watch", () => server.watchCount === 1);
    server.failNextWatches(PODS_PATH, { kind: "end watch", afterEvents: 2, ending: { kind: "silence" } });
    server.cutConnections();
    await eventually("the silent watch", () => server.watchesOf(PODS_PATH).length > 0 && server.watchCount === 1);
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    await shows("shop/web");
    await eventually("no failure", () => reflector.status().lastFailure === undefined);
  });

  it("quiet watch: stays open for as long as the server answers other questions", async () => {
    const server = await start();
    const { reflector, synced } = await reflectPods(server, { pulse: { quietMs: 20, answerMs: 2_000 } });
    await synced();
    await eventually("a watch", () => server.watchCount === 1);
    const requests = server.requestsTo(PODS_PATH).length;
    await eventually("many questions", () => server.requestsTo("/version").length >= 12);
    expect(server.requestsTo(PODS_PATH)).toHaveLength(requests);
    expect(reflector.status()).toMatchObject({ failures: 0, lastFailure: undefined });
  });

  it("410 on every watch: few lists, with the delay before the list", async () => {
    const server = await start();
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    server.failNextWatches(PODS_PATH, GONE, 1_000);
    // The one object and the end of the initial events, then the same.
    if (streamingLists === "served") server.failNextLists(PODS_PATH, { ...GONE, afterEvents: 2 }, 1_000);
    const { reflector, mirror } = await reflectPods(server);
    await eventually("some lists", () => reflector.status().relists >= 5);
    expectGaps(server.listsOf(PODS_PATH).slice(streamingLists === "served" ? 0 : 1), [20, 40, 80, 100, 100]);
    expect(mirror.batches).toHaveLength(1);
  });

  it("server closes cleanly each time: slower and slower requests, no event is lost, no failure is told", async () => {
    const server = await start();
    server.addFault((request) => (request.path === PODS_PATH ? { kind: "close watch", afterMs: 10 } : undefined));
    const { reflector, synced, shows } = await reflectPods(server);
    await synced();
    const keys: string[] = [];
    for (let i = 0; i < 10; i++) {
      server.store.put(PODS_PATH, podObject("shop", `pod-${i}`, "10.0.0.1"));
      keys.push(`shop/pod-${i}`);
      await shows(...keys);
    }
    expectGaps(server.watchesOf(PODS_PATH), [20, 40, 50, 50, 50, 50]);
    expect(reflector.status()).toMatchObject({ failures: 0, lastFailure: undefined, relists: 0 });
  });

  it("empty watches that are closed at once, again and again: a list tells what they do not", async () => {
    const server = await start();
    const { synced, shows } = await reflectPods(server);
    await synced();
    await eventually("a watch", () => server.watchCount === 1);
    const nothing: Fault = { kind: "answer", status: 200, body: "" };
    server.failNextWatches(PODS_PATH, nothing, 1_000);
    server.cutConnections();
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    await shows("shop/web");
  });

  it("a server that closes a long watch is asked again at once", async () => {
    const server = await start();
    server.addFault((request) => (request.path === PODS_PATH ? { kind: "close watch", afterMs: 100 } : undefined));
    const backoff = { ...DEFAULT_BACKOFF, minMs: 60_000, maxMs: 60_000, maxAfterCloseMs: 60_000, healthyMs: 50 };
    const { synced } = await reflectPods(server, { settings: { backoff } });
    await synced();
    await eventually("several watches", () => server.watchesOf(PODS_PATH).length >= 4);
  });

  it("stop() during LIST: no watch is opened, nothing is told, and nothing goes on", async () => {
    const server = await start();
    const begin = '{"kind":"PodList","items":[';
    const lists = streamingLists === "served" ? 1 : 2;
    server.addFault(() =>
      server.requests.length === lists ? { kind: "broken body", begin, ending: "silence" } : undefined,
    );
    const { reflector, mirror, ended, stop } = await reflectPods(server);
    await eventually("the list", () => server.requests.length === lists);
    stop();
    await ended;
    await eventually("all connections are gone", () => server.openConnectionCount === 0);
    expect(server.requests).toHaveLength(lists);
    expect(mirror.batches).toEqual([]);
    expect(reflector.status()).toMatchObject({ synced: false, failures: 0 });
  });

  it.each([
    ["during a watch", undefined],
    ["while headers are awaited", { kind: "silence" }],
    ["during a delay", statusAnswer(500, "InternalError", { "retry-after": "60" })],
  ] as const)("stop() %s ends it", async (_name, fault) => {
    const server = await start();
    if (fault !== undefined) server.failNext(PODS_PATH, fault, 1_000);
    const { ended, stop } = await reflectPods(server);
    await eventually("the request", () => server.requestsTo(PODS_PATH).length > 0);
    stop();
    await ended;
    await eventually("no watch", () => server.watchCount === 0);
  });

  it("stop() while the first list is taken over ends it, with its connection", async () => {
    const server = await start();
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    let stopIt = () => {};
    const { ended, stop } = await reflectPods(server, { onChanges: () => stopIt() });
    stopIt = stop;
    await ended;
    await eventually("no watch", () => server.watchCount === 0);
  });

  it("a handler throws: run() rejects with its error, and no request follows", async () => {
    const server = await start();
    const failure = new Error("disk full");
    const { ended, synced } = await reflectPods(server, {
      mayFail: true,
      onChanges: (batch) => {
        if (batch.length > 0) throw failure;
      },
    });
    await synced();
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    await expect(ended).rejects.toMatchObject({ message: expect.stringContaining("pods"), cause: failure });
    await eventually("no watch", () => server.watchCount === 0);
    const requests = server.requests.length;
    server.store.put(PODS_PATH, podObject("shop", "db", "10.0.0.1"));
    // Longer than its longest delay.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(server.requests).toHaveLength(requests);
  });

  it("a handler throws at the first list: run() rejects, and it is not synced", async () => {
    const server = await start();
    const { reflector, ended } = await reflectPods(server, {
      mayFail: true,
      onChanges: () => {
        throw new Error("disk full");
      },
    });
    await expect(ended).rejects.toMatchObject({ cause: { message: "disk full" } });
    expect(reflector.status().synced).toBe(false);
  });
});

const UNTYPED: ApiObject = { type: "CHANGED", object: podObject("shop", "b", "10.0.0.2") };

describe("a bad frame never skips an event (row: bad JSON frame)", () => {
  it.each([
    ["broken JSON", '{"type":"ADDED","object":{'],
    ["no JSON", "<html>"],
    ["a list", "[]"],
    ["an unknown type", JSON.stringify(UNTYPED)],
    ["no type", "{}"],
    ["an object without a name", '{"type":"ADDED","object":{"metadata":{"resourceVersion":"9"}}}'],
    ["an object without a version", '{"type":"DELETED","object":{"metadata":{"name":"web"}}}'],
    ["a bookmark without a version", '{"type":"BOOKMARK","object":{"metadata":{}}}'],
    ["an error without anything", '{"type":"ERROR"}'],
  ])("%s", async (_name, line) => {
    const server = await startServer({ streamingLists: "refused" });
    const { reflector, mirror, synced, shows } = await reflectPods(server);
    server.failNextWatches(PODS_PATH, { kind: "end watch", afterEvents: 1, ending: { kind: "bad frame", line } });
    await synced();
    await eventually("a watch", () => server.watchCount === 1);
    for (const name of ["a", "b", "c"]) server.store.put(PODS_PATH, podObject("shop", name, "10.0.0.1"));
    await shows("shop/a", "shop/b", "shop/c");
    expect(mirror.batches.flatMap((_batch, index) => mirror.changesOf(index))).toEqual([
      "+shop/a",
      "+shop/b",
      "+shop/c",
    ]);
    expect(reflector.status()).toMatchObject({ failures: 1, relists: 0 });
    expect(server.watchesOf(PODS_PATH).map((watch) => watch.query.get("resourceVersion"))).toEqual(["1", "2"]);
  });

  it.each(["reset", "close"] as const)("half a frame and then a %s", async (followedBy) => {
    const server = await startServer({ streamingLists: "refused" });
    const { mirror, synced, shows } = await reflectPods(server);
    server.failNextWatches(PODS_PATH, {
      kind: "end watch",
      afterEvents: 1,
      ending: { kind: "half frame", followedBy },
    });
    await synced();
    await eventually("a watch", () => server.watchCount === 1);
    for (const name of ["a", "b", "c"]) server.store.put(PODS_PATH, podObject("shop", name, "10.0.0.1"));
    await shows("shop/a", "shop/b", "shop/c");
    expect(mirror.batches.flatMap((_batch, index) => mirror.changesOf(index))).toEqual([
      "+shop/a",
      "+shop/b",
      "+shop/c",
    ]);
  });

  it("in the middle of the initial events of a streaming list: nothing is told, and the list begins anew", async () => {
    const server = await startServer();
    for (const name of ["a", "b", "c"]) server.store.put(PODS_PATH, podObject("shop", name, "10.0.0.1"));
    const ending = { kind: "bad frame", line: "{" } as const;
    server.failNextLists(PODS_PATH, { kind: "end watch", afterEvents: 1, ending });
    const { mirror, synced } = await reflectPods(server);
    await synced();
    expect(mirror.changesOf(0)).toEqual(["+shop/a", "+shop/b", "+shop/c"]);
    expect(mirror.batches).toHaveLength(1);
  });

  it("that comes every time is passed by a list in the end", async () => {
    const server = await startServer();
    const { reflector, synced, shows } = await reflectPods(server);
    await synced();
    await eventually("a watch", () => server.watchCount === 1);
    const ending = { kind: "bad frame", line: "{" } as const;
    server.failNextWatches(PODS_PATH, { kind: "end watch", afterEvents: 0, ending }, 1_000);
    server.cutConnections();
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    await shows("shop/web");
    expect(reflector.status().failures).toBeGreaterThan(3);
  });
});

describe("lists that break", () => {
  const item = '{"metadata":{"name":"a","namespace":"shop","uid":"u","resourceVersion":"1"}}';

  it.each([
    ["end too early", `{"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[${item}`],
    ["are followed by something", `{"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[${item}]}x`],
    ["hold something else than objects", '{"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[1]}'],
    ["have no version", `{"kind":"PodList","metadata":{},"items":[${item}]}`],
    ["are an object", '{"kind":"Pod","metadata":{"resourceVersion":"5"}}'],
    ["are a login page", "<html>log in</html>"],
    ["hold an object without a name", '{"kind":"PodList","metadata":{"resourceVersion":"5"},"items":[{}]}'],
  ])("and %s are not told in part", async (_name, body) => {
    const server = await startServer({ streamingLists: "refused" });
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    server.addFault((request) => (isFirstList(request, server) ? { kind: "answer", status: 200, body } : undefined));
    const { reflector, mirror, synced } = await reflectPods(server);
    await synced();
    expect(mirror.batches).toHaveLength(1);
    expect(mirror.keys).toEqual(["shop/web"]);
    expect(reflector.status().failures).toBe(1);
  });

  function isFirstList(request: RecordedRequest, server: FakeApiServer): boolean {
    const isPlain = !request.query.has("watch") && request.path === PODS_PATH;
    return isPlain && server.listsOf(PODS_PATH).filter(({ query }) => !query.has("watch")).length === 1;
  }

  it("a relist that breaks changes nothing, and the next one tells everything at once", async () => {
    const server = await startServer({ streamingLists: "refused" });
    for (const name of ["a", "b", "c"]) server.store.put(PODS_PATH, podObject("shop", name, "10.0.0.1"));
    const { mirror, synced } = await reflectPods(server);
    await synced();
    await eventually("a watch", () => server.watchCount === 1);
    server.failNextWatches(PODS_PATH, GONE);
    const cut = `{"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[${item}`;
    server.failNextLists(PODS_PATH, { kind: "broken body", begin: cut, ending: "reset" });
    server.cutConnections();
    server.store.delete(PODS_PATH, "shop/a");
    server.store.put(PODS_PATH, podObject("shop", "b", "10.0.0.2"));
    server.store.delete(PODS_PATH, "shop/c");
    server.store.put(PODS_PATH, { ...podObject("shop", "c", "10.0.0.3"), metadata: { ...meta("c"), uid: "other" } });
    server.store.put(PODS_PATH, podObject("shop", "d", "10.0.0.4"));
    await eventually("the second batch", () => mirror.batches.length > 1);
    expect(mirror.changesOf(1)).toEqual(["-shop/a", "-shop/c", "+shop/b", "+shop/c", "+shop/d"]);
  });

  function meta(name: string) {
    return { namespace: "shop", name };
  }
});
