// The reflector while nothing goes wrong: what it asks for and what it tells, over each kind of list that servers have.

import { describe, expect, it } from "vitest";
import { NAMESPACES, NETWORK_POLICIES } from "../../src/kube/resources.ts";
import { eventually } from "./eventually.ts";
import { startServer } from "./fake-api-server.ts";
import { NAMESPACES_PATH, namespaceObject, PODS_PATH, POLICIES_PATH, podObject, policyObject } from "./objects.ts";
import { connectTo, reflect, reflectPods } from "./reflection.ts";

describe.each(["served", "refused", "ignored"] as const)("with streaming lists %s", (streamingLists) => {
  it("the first batch is the whole list, and each later change comes once", async () => {
    const server = await startServer({ streamingLists });
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    server.store.put(PODS_PATH, podObject("shop", "db", "10.0.0.2"));
    const { mirror, synced, shows } = await reflectPods(server);
    await synced();
    expect(mirror.changesOf(0)).toEqual(["+shop/db", "+shop/web"]);
    server.store.put(PODS_PATH, podObject("shop", "api", "10.0.0.3"));
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.9"));
    server.store.delete(PODS_PATH, "shop/db");
    await shows("shop/api", "shop/web");
    expect(mirror.batches.slice(1).flatMap((_batch, index) => mirror.changesOf(index + 1))).toEqual([
      "+shop/api",
      "+shop/web",
      "-shop/db",
    ]);
    expect(mirror.objects.get("shop/web")?.object?.addresses).toEqual(["10.0.0.9"]);
  });

  it("an empty cluster is an empty first batch", async () => {
    const server = await startServer({ streamingLists });
    const { mirror, synced } = await reflectPods(server);
    await synced();
    expect(mirror.batches).toEqual([[]]);
  });

  it("it asks for bookmarks and for an end of each watch at a random time", async () => {
    const server = await startServer({ streamingLists });
    const { synced } = await reflectPods(server);
    await synced();
    await eventually("a watch", () => server.watchCount === 1);
    const last = server.requestsTo(PODS_PATH).at(-1)?.query;
    expect(last?.get("allowWatchBookmarks")).toBe("true");
    expect(Number(last?.get("timeoutSeconds"))).toBeGreaterThanOrEqual(300);
    expect(Number(last?.get("timeoutSeconds"))).toBeLessThanOrEqual(600);
  });

  it("an object that is deleted and made again is a deletion and an addition", async () => {
    const server = await startServer({ streamingLists });
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    const { mirror, synced } = await reflectPods(server);
    await synced();
    server.store.put(PODS_PATH, { ...podObject("shop", "web", "10.0.0.2"), metadata: recreated("shop", "web") });
    await eventually("the new one", () => mirror.objects.get("shop/web")?.uid === "uid-2");
    expect(mirror.changesOf(1)).toEqual(["-shop/web", "+shop/web"]);
  });
});

function recreated(namespace: string, name: string) {
  return { namespace, name, uid: "uid-2" };
}

describe("which list it asks for", () => {
  const questions = (requests: readonly { readonly query: URLSearchParams }[]) =>
    requests.map(({ query }) => {
      const kind = query.has("sendInitialEvents") ? "streaming" : query.has("watch") ? "watch" : "list";
      return `${kind} ${query.get("resourceVersion") ?? "none"} ${query.get("resourceVersionMatch") ?? ""}`.trim();
    });

  it("a streaming one becomes the watch: one request", async () => {
    const server = await startServer();
    const { synced } = await reflectPods(server);
    await synced();
    expect(questions(server.requests)).toEqual(["streaming none NotOlderThan"]);
  });

  it("where those are refused, at once a list from the server's cache, and never a streaming one again", async () => {
    const server = await startServer({ streamingLists: "refused" });
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    const { reflector, synced, shows } = await reflectPods(server);
    await synced();
    await eventually("the watch", () => server.watchCount === 1);
    expect(reflector.status().failures).toBe(0);
    server.store.put(PODS_PATH, podObject("shop", "db", "10.0.0.2"));
    await shows("shop/db", "shop/web");
    server.store.compact();
    server.failNextWatches(PODS_PATH, { kind: "end watch", afterEvents: 0, ending: { kind: "close" } });
    server.store.put(NAMESPACES_PATH, namespaceObject("other"));
    server.store.compact();
    server.cutConnections();
    await eventually("the second list", () => reflector.status().relists === 1);
    expect(questions(server.listsOf(PODS_PATH))).toEqual([
      "streaming none NotOlderThan",
      "list 0",
      "list 3 NotOlderThan",
    ]);
  });

  it("where nobody ends them, a list, and after the second time never a streaming one again", async () => {
    const server = await startServer({ streamingLists: "ignored" });
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    const { reflector, synced } = await reflectPods(server, { settings: { initialEventsIdleMs: 50 } });
    await synced();
    for (const relists of [1, 2]) {
      await eventually("a watch", () => server.watchCount === 1);
      server.store.put(PODS_PATH, podObject("shop", "web", `10.0.1.${relists}`));
      server.store.put(NAMESPACES_PATH, namespaceObject(`ns-${relists}`));
      server.store.compact();
      server.cutConnections();
      await eventually("another list", () => reflector.status().relists === relists);
    }
    const lists = questions(server.listsOf(PODS_PATH)).map((question) => question.split(" ")[0]);
    // The second streaming one names a version, and is answered with 410 as the watch that it is for this server.
    expect(lists).toEqual(["streaming", "list", "streaming", "streaming", "list", "list"]);
  });

  it("an ordinary bookmark before the end says the same, at once", async () => {
    const server = await startServer({ streamingLists: "ignored", bookmarkEveryMs: 20 });
    const { statuses, synced } = await reflectPods(server, { settings: { initialEventsIdleMs: 9_000 } });
    await synced();
    expect(statuses[0]?.lastFailure).toBe(
      "the API server does not end the streaming list of pods: there was a bookmark before",
    );
  });
});

describe("what it tells", () => {
  it("of any resource: namespaces by name, policies with their findings, closed as far as they can be read", async () => {
    const server = await startServer();
    server.store.put(NAMESPACES_PATH, namespaceObject("shop", { team: "a" }));
    const from = [{ ipBlock: { cidr: "10.0.0.0/40" } }];
    server.store.put(POLICIES_PATH, policyObject("shop", "odd", { podSelector: {}, ingress: [{ from }] }));
    const client = await connectTo(server);
    const namespaces = reflect(client, { resource: NAMESPACES });
    const policies = reflect(client, { resource: NETWORK_POLICIES });
    await Promise.all([namespaces.synced(), policies.synced()]);
    expect(namespaces.mirror.objects.get("shop")).toMatchObject({ uid: "uid-shop", object: { labels: { team: "a" } } });
    expect(policies.mirror.objects.get("shop/odd")).toMatchObject({
      uid: "uid-odd",
      object: { key: "NetworkPolicy/shop/odd", rules: { ingress: [{ peers: [] }] } },
      diagnostics: [{ severity: "error", object: "NetworkPolicy shop/odd" }],
    });
  });

  it("the same object from a list and from a watch (row: types)", async () => {
    const server = await startServer({ streamingLists: "refused" });
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    const { mirror, synced, shows } = await reflectPods(server);
    await synced();
    server.store.put(PODS_PATH, podObject("shop", "web-2", "10.0.0.1"));
    await shows("shop/web", "shop/web-2");
    const listed = mirror.objects.get("shop/web")?.object;
    const watched = mirror.objects.get("shop/web-2")?.object;
    expect({ ...watched, key: "", name: "", labels: {}, workload: "" }).toEqual({
      ...listed,
      key: "",
      name: "",
      labels: {},
      workload: "",
    });
  });

  it("a gzipped list, and labels in any script", async () => {
    const server = await startServer({ streamingLists: "refused", gzip: true });
    const pod = podObject("shop", "web", "10.0.0.1");
    server.store.put(PODS_PATH, { ...pod, metadata: { ...(pod.metadata as object), labels: { app: 'ж"{]\\漢' } } });
    for (let i = 0; i < 500; i++) server.store.put(PODS_PATH, podObject("shop", `pod-${i}`, "10.0.1.1"));
    const { mirror, synced } = await reflectPods(server);
    await synced();
    expect(mirror.objects.size).toBe(501);
    expect(mirror.objects.get("shop/web")?.object?.labels).toEqual({ app: 'ж"{]\\漢' });
  });

  it("nothing for repeated and late events", async () => {
    const server = await startServer();
    server.failNext(PODS_PATH, { kind: "repeat events" });
    const { mirror, synced, shows } = await reflectPods(server);
    await synced();
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.2"));
    server.store.put(PODS_PATH, podObject("shop", "db", "10.0.0.3"));
    server.store.delete(PODS_PATH, "shop/db");
    server.store.put(PODS_PATH, podObject("shop", "end", "10.0.0.4"));
    await shows("shop/end", "shop/web");
    expect(mirror.batches.flatMap((_batch, index) => mirror.changesOf(index))).toEqual([
      "+shop/web",
      "+shop/web",
      "+shop/db",
      "-shop/db",
      "+shop/end",
    ]);
  });
});

describe("its status", () => {
  it("counts bookmarks as signs of life", async () => {
    const server = await startServer();
    const { reflector, synced } = await reflectPods(server);
    expect(reflector.status()).toMatchObject({ synced: false, lastEventAgeSeconds: undefined, watches: 0 });
    await synced();
    await eventually("some age", () => (reflector.status().lastEventAgeSeconds ?? 0) > 0.1);
    server.sendBookmarks();
    await eventually("a young age", () => (reflector.status().lastEventAgeSeconds ?? 9) < 0.1);
    expect(reflector.status()).toMatchObject({ synced: true, relists: 0, watches: 1, failures: 0, notFound: false });
  });

  it("two runs at the same time are refused", async () => {
    const { reflector } = await reflectPods(await startServer());
    await expect(reflector.run(new AbortController().signal)).rejects.toThrow("running already");
  });
});
