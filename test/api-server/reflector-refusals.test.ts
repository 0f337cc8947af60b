// What the server refuses: versions that it does not have (any more, or yet), requests that come too often, resources that
// it does not serve, and rights that are missing.

import { describe, expect, it } from "vitest";
import { DEFAULT_BACKOFF } from "../../src/kube/backoff.ts";
import { eventually } from "./eventually.ts";
import { startServer } from "./fake-api-server.ts";
import { PODS_PATH, podObject } from "./objects.ts";
import { reflectPods, SHORT_TIMES } from "./reflection.ts";
import { expectGaps, GONE, statusAnswer } from "./refusals.ts";
import { statusObject } from "./status-object.ts";

describe("versions that are gone", () => {
  it("410 as an HTTP status: a list tells what was missed, deletions too", async () => {
    const server = await startServer();
    for (const name of ["a", "b"]) server.store.put(PODS_PATH, podObject("shop", name, "10.0.0.1"));
    const { mirror, synced, shows } = await reflectPods(server);
    await synced();
    server.failNextWatches(PODS_PATH, statusAnswer(410, "Expired"));
    server.cutConnections();
    server.store.delete(PODS_PATH, "shop/a");
    await shows("shop/b");
    expect(mirror.changesOf(1)).toEqual(["-shop/a"]);
  });

  it("a relist of what did not change tells nothing", async () => {
    const server = await startServer();
    for (const name of ["a", "b"]) server.store.put(PODS_PATH, podObject("shop", name, "10.0.0.1"));
    const { reflector, mirror, synced } = await reflectPods(server);
    await synced();
    server.failNextWatches(PODS_PATH, GONE);
    server.cutConnections();
    await eventually("a relist", () => reflector.status().relists === 1);
    expect(mirror.batches).toHaveLength(1);
  });

  it.each(["served", "refused"] as const)(
    "from the server's future (a restored etcd): listed again without a version, streaming lists %s",
    async (streamingLists) => {
      const server = await startServer({ streamingLists, bookmarkEveryMs: 20 });
      for (let i = 0; i < 20; i++) server.store.put(PODS_PATH, podObject("shop", `pod-${i}`, "10.0.0.1"));
      // As with the real times, a quiet watch counts as a healthy one: no list follows by itself.
      const backoff = { ...DEFAULT_BACKOFF, ...SHORT_TIMES.backoff, healthyMs: 50 };
      const { reflector, synced, shows } = await reflectPods(server, { settings: { watchIdleMs: 150, backoff } });
      await synced();
      for (let i = 0; i < 19; i++) server.store.delete(PODS_PATH, `shop/pod-${i}`);
      await shows("shop/pod-19");
      server.store.rewind(30);
      server.cutConnections();
      server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
      await shows("shop/pod-19", "shop/web");
      await eventually("a watch", () => reflector.status().lastFailure === undefined);
      server.store.delete(PODS_PATH, "shop/web");
      await shows("shop/pod-19");
    },
  );

  it("from the server's future, and so much is written that the server gets there before the watch looks quiet", async () => {
    const server = await startServer();
    for (let i = 0; i < 40; i++) server.store.put(PODS_PATH, podObject("shop", "noise", "10.0.0.1", `node-${i}`));
    const { synced, shows } = await reflectPods(server);
    await synced();
    const restored = server.addFault(() => ({ kind: "reset" }));
    server.cutConnections();
    server.store.rewind(30);
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.2"));
    restored();
    await eventually("it is asked", () => server.versionQuestionsOf(PODS_PATH).length > 0);
    for (let i = 0; i < 60; i++) server.store.put(PODS_PATH, podObject("shop", "noise", "10.0.0.1", `node-n${i}`));
    await shows("shop/noise", "shop/web");
  });

  it("a list that repeats a page for ever is a failure, and not asked for again and again", async () => {
    const server = await startServer({ streamingLists: "refused" });
    const metadata = { resourceVersion: "9", continue: "same" };
    const web = { metadata: { namespace: "shop", name: "web", resourceVersion: "5" }, spec: {}, status: {} };
    const page = { kind: "PodList", apiVersion: "v1", metadata, items: [web] };
    server.addFault(({ path, query }) => {
      if (path !== PODS_PATH || query.has("watch")) return undefined;
      if (query.get("resourceVersion") === "0") return statusAnswer(410, "Expired");
      return { kind: "answer", status: 200, body: JSON.stringify(page) };
    });
    const { reflector } = await reflectPods(server);
    await eventually("the failure", () => reflector.status().lastFailure?.includes("the same page of pods") === true);
    // The list from the cache, the first page, the same page.
    expect(server.listsOf(PODS_PATH).slice(1).length).toBeLessThan(12);
    expect(reflector.status().synced).toBe(false);
  });

  it("a list that is too old or too new is asked for again in pages; an expired page, whole", async () => {
    const server = await startServer({ streamingLists: "refused" });
    for (let i = 0; i < 1_200; i++) server.store.put(PODS_PATH, podObject("shop", `pod-${i}`, "10.0.0.1"));
    let expired = 0;
    server.addFault(({ path, query }) => {
      if (path === PODS_PATH && query.has("continue") && expired++ === 1) server.store.compact();
      return undefined;
    });
    server.addFault((request) =>
      request.path === PODS_PATH && request.query.get("resourceVersion") === "0"
        ? statusAnswer(410, "Expired")
        : undefined,
    );
    const { mirror, synced } = await reflectPods(server);
    await synced();
    expect(mirror.objects.size).toBe(1_200);
    const lists = server.listsOf(PODS_PATH).filter((request) => !request.query.has("watch"));
    expect(lists.map(({ query }) => `${query.get("limit")} ${query.has("continue")}`)).toEqual([
      "null false",
      "500 false",
      "500 true",
      "500 true",
      "null false",
    ]);
  });
});

describe("refusals", () => {
  it("429 with Retry-After: the server's wish is kept", async () => {
    const server = await startServer();
    server.failNext(PODS_PATH, statusAnswer(429, "TooManyRequests", { "retry-after": "1" }));
    const { synced } = await reflectPods(server);
    await synced();
    expectGaps(server.listsOf(PODS_PATH), [1_000]);
  });

  it("of an error event, too: retryAfterSeconds", async () => {
    const server = await startServer();
    const status = statusObject(429, "TooManyRequests", "later", { retryAfterSeconds: 1 });
    server.failNextWatches(PODS_PATH, { kind: "end watch", afterEvents: 0, ending: { kind: "error event", status } });
    const { synced } = await reflectPods(server);
    await synced();
    server.cutConnections();
    await eventually("two watches", () => server.watchesOf(PODS_PATH).length === 2);
    expectGaps(server.watchesOf(PODS_PATH), [1_000]);
  });

  it("403 of the watch alone: lists take its place", async () => {
    const server = await startServer({ streamingLists: "refused" });
    server.failNextWatches(PODS_PATH, statusAnswer(403, "Forbidden"), 1_000);
    const { reflector, synced, shows } = await reflectPods(server);
    await synced();
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    await shows("shop/web");
    expect(reflector.status().lastFailure).toMatch(/^not allowed to watch pods in all namespaces \(403/);
  });

  it("404 is a failure, and what is known stays", async () => {
    const server = await startServer();
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    const { reflector, mirror, synced } = await reflectPods(server);
    await synced();
    server.failNext(PODS_PATH, { kind: "answer", status: 404, body: "404 page not found" }, 1_000);
    server.cutConnections();
    await eventually("some failures", () => reflector.status().failures >= 4);
    expect(mirror.keys).toEqual(["shop/web"]);
    expect(reflector.status()).toMatchObject({ notFound: true, lastFailure: expect.stringContaining("404") });
    server.clearFaults();
    await eventually("it is watched again", () => !reflector.status().notFound);
  });

  it("what was told can be taken back when it has stopped, once; then it begins with a whole list", async () => {
    const server = await startServer();
    for (const name of ["a", "b"]) server.store.put(PODS_PATH, podObject("shop", name, "10.0.0.1"));
    const { reflector, synced, stop, ended } = await reflectPods(server);
    await synced();
    stop();
    await ended;
    const taken = reflector.takeBack().map(({ key, object, uid }) => [key, object, uid]);
    expect(taken).toEqual([
      ["shop/a", undefined, "uid-shop-a"],
      ["shop/b", undefined, "uid-shop-b"],
    ]);
    expect(reflector.takeBack()).toEqual([]);
  });
});
