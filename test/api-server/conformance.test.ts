// What a Kubernetes API server does, asked of the fake one and, where KUBEBUILDER_ASSETS names a folder with the
// programs etcd and kube-apiserver, of a real one.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { StreamingApiClient } from "../../src/kube/api-client.ts";
import { ApiError, isForbidden, isGone, isUnauthorized, isVersionTooLarge } from "../../src/kube/api-error.ts";
import { lookAtGroup } from "../../src/kube/api-group.ts";
import { ResourceDiscovery } from "../../src/kube/discovery.ts";
import { readDocument } from "../../src/kube/documents.ts";
import { reportEvent } from "../../src/kube/events.ts";
import { readList } from "../../src/kube/list-stream.ts";
import {
  CLUSTER_NETWORK_POLICIES,
  type DecodedResource,
  NETWORK_POLICIES,
  TIER_POLICIES,
} from "../../src/kube/resources.ts";
import { confirmsNotFound } from "../../src/kube/server-version.ts";
import type { Query } from "../../src/kube/transport.ts";
import { type ObjectEvent, WatchStream } from "../../src/kube/watch-stream.ts";
import { UnreliableNetwork } from "../support/unreliable-network.ts";
import { eventually } from "./eventually.ts";
import { type ConfigEntry, writeKubeconfig } from "./kubeconfig-files.ts";
import { connectWith, reflect } from "./reflection.ts";
import { type ServerUnderTest, startFake, startReal } from "./server-under-test.ts";

const assets = process.env.KUBEBUILDER_ASSETS;
const TIMEOUTS = { headersMs: 30_000, idleMs: 30_000 };
const SERVERS: readonly (readonly [string, () => Promise<ServerUnderTest>])[] = [
  ["the fake API server", startFake],
  ...(assets === undefined ? [] : ([["the real API server", () => startReal(assets)]] as const)),
];

/** What the reflector compares, without the decoder's work. */
const POLICY_LABELS: DecodedResource<Readonly<Record<string, string>>> = {
  name: NETWORK_POLICIES.name,
  path: NETWORK_POLICIES.path,
  decode: (item) => {
    const { metadata } = item as { metadata: { labels?: Record<string, string> } };
    return { object: metadata.labels ?? {}, diagnostics: [] };
  },
};

if (assets === undefined) {
  it("KUBEBUILDER_ASSETS is not set: ONLY THE FAKE API SERVER IS ASKED, no real one", () => {
    expect(SERVERS).toHaveLength(1);
  });
}

describe.each(SERVERS)("%s", (_name, start) => {
  let server: ServerUnderTest;
  let started: ServerUnderTest | undefined;
  let count = 0;

  beforeAll(async () => {
    started = await start();
    server = started;
  }, 120_000);
  afterAll(() => started?.close());

  const never = new AbortController().signal;
  const newName = () => `policy-${++count}`;

  function connect(user: ConfigEntry = server.admin, port = server.port): Promise<StreamingApiClient> {
    const authority = Buffer.from(server.authorityPem).toString("base64");
    const cluster = { server: `https://127.0.0.1:${port}`, "certificate-authority-data": authority };
    return connectWith(writeKubeconfig({ cluster, user }));
  }

  async function list(client: StreamingApiClient, query: Query): Promise<{ version: string; keys: string[] }> {
    let keys: string[] = [];
    const receiver = {
      restart: () => {
        keys = [];
      },
      put: (_item: unknown, { key }: { readonly key: string }) => void keys.push(key),
    };
    const version = await readList(client, NETWORK_POLICIES, query, TIMEOUTS, receiver, never);
    return { version, keys };
  }

  async function watch(client: StreamingApiClient, query: Query): Promise<WatchStream> {
    const stream = await WatchStream.open(client, NETWORK_POLICIES, query, { ...TIMEOUTS }, never);
    onTestFinished(() => stream.close());
    return stream;
  }

  /** Until one of them is what is wanted; with all that came before. */
  async function eventsUntil(stream: WatchStream, wanted: (event: ObjectEvent) => boolean): Promise<ObjectEvent[]> {
    const seen: ObjectEvent[] = [];
    for (;;) {
      const events = await stream.next();
      if (events === undefined) throw new Error(`the watch has ended after ${JSON.stringify(seen)}`);
      for (const event of events) {
        seen.push(event);
        if (wanted(event)) return seen;
      }
    }
  }

  const names = (events: readonly ObjectEvent[]) =>
    events.flatMap((event) => (event.type === "BOOKMARK" ? [] : [`${event.type} ${event.identity.key}`]));

  it("tells the first list, then each change once", async () => {
    const [a, b] = [newName(), newName()];
    await server.createPolicy(a, { v: "1" });
    const { mirror, synced } = reflect(await connect(), { resource: POLICY_LABELS });
    await synced();
    expect(mirror.objects.get(`default/${a}`)?.object).toEqual({ v: "1" });
    await server.createPolicy(b, { v: "1" });
    await server.updatePolicy(a, { v: "2" });
    await eventually("the update", () => mirror.objects.get(`default/${a}`)?.object?.v === "2");
    await server.deletePolicy(b);
    await eventually("the deletion", () => !mirror.objects.has(`default/${b}`));
    const changes = mirror.batches.slice(1).flatMap((_batch, index) => mirror.changesOf(index + 1));
    expect(changes).toEqual([`+default/${b}`, `+default/${a}`, `-default/${b}`]);
  });

  it("gives an object that is made again another uid", async () => {
    const name = newName();
    await server.createPolicy(name, { v: "1" });
    const { mirror, synced } = reflect(await connect(), { resource: POLICY_LABELS });
    await synced();
    const { uid } = mirror.objects.get(`default/${name}`) ?? {};
    await server.deletePolicy(name);
    await server.createPolicy(name, { v: "2" });
    await eventually("the new one", () => mirror.objects.get(`default/${name}`)?.object?.v === "2");
    expect(mirror.objects.get(`default/${name}`)?.uid).not.toBe(uid);
  });

  it("has forgotten old versions after a restart: a list tells what was missed, in one batch", async () => {
    const [stays, goes, comes] = [newName(), newName(), newName()];
    await server.createPolicy(stays, {});
    await server.createPolicy(goes, {});
    const network = await UnreliableNetwork.start(server.port);
    onTestFinished(() => network.close());
    const client = await connect(server.admin, network.port);
    const { mirror, reflector, synced } = reflect(client, { resource: POLICY_LABELS });
    await synced();
    network.refuse();
    await server.deletePolicy(goes);
    await server.createPolicy(comes, {});
    await server.restart();
    network.heal();
    await eventually("a relist", () => reflector.status().relists > 0 && mirror.batches.length > 1, 30_000);
    expect(mirror.changesOf(1)).toEqual([`-default/${goes}`, `+default/${comes}`]);
  }, 150_000);

  it("is mirrored in the end, whatever happened to the connections while objects changed", async () => {
    const network = await UnreliableNetwork.start(server.port);
    onTestFinished(() => network.close());
    const client = await connect(server.admin, network.port);
    const { mirror, synced } = reflect(client, { resource: POLICY_LABELS, settings: { watchIdleMs: 300 } });
    await synced();
    const expected = new Map<string, string>();
    for (let round = 0; round < 60; round++) {
      const name = `churned-${round % 7}`;
      if (!expected.has(name)) await server.createPolicy(name, { round: String(round) });
      else if (round % 3 === 0) await server.deletePolicy(name);
      else await server.updatePolicy(name, { round: String(round) });
      if (expected.has(name) && round % 3 === 0) expected.delete(name);
      else expected.set(name, String(round));
      if (round % 10 === 4) network.refuse();
      if (round % 10 === 6) network.heal();
      if (round % 10 === 9) network.loseConnections();
    }
    await eventually("the mirror is the server", () => {
      const told = [...mirror.objects].filter(([key]) => key.startsWith("default/churned-"));
      const rounds = told.map(([key, { object }]) => [key.slice("default/".length), object?.round]);
      return JSON.stringify([...expected].sort()) === JSON.stringify(rounds.sort());
    });
  });

  it("ends the initial events of a streaming list with a bookmark, or refuses it with 400 or 422", async () => {
    const name = newName();
    await server.createPolicy(name, {});
    const client = await connect();
    const query = { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: "true" };
    const opened = await watch(client, query).catch((error: unknown) => error);
    if (!(opened instanceof WatchStream)) {
      expect(opened).toMatchObject({ status: expect.toSatisfy((status) => [400, 422].includes(status)) });
      return;
    }
    const events = await eventsUntil(opened, (event) => event.type === "BOOKMARK");
    expect(events.at(-1)).toMatchObject({ type: "BOOKMARK", endsInitialEvents: true });
    expect(names(events)).toContain(`ADDED default/${name}`);
    await server.deletePolicy(name);
    expect(names(await eventsUntil(opened, (event) => event.type !== "BOOKMARK"))).toEqual([`DELETED default/${name}`]);
  });

  it("sends a bookmark before it ends a watch at its time (if something has happened since its version)", async () => {
    const client = await connect();
    const { version } = await list(client, {});
    const query = { resourceVersion: version, allowWatchBookmarks: "true", timeoutSeconds: 4 };
    const stream = await watch(client, query);
    await server.createPolicy(newName(), {});
    const events = await eventsUntil(stream, (event) => event.type === "BOOKMARK");
    expect(events.at(-1)).toMatchObject({ endsInitialEvents: false });
    expect(await stream.next()).toBeUndefined();
  });

  it("goes on from a version: only what came later", async () => {
    const client = await connect();
    const [a, b] = [newName(), newName()];
    await server.createPolicy(a, {});
    const { version } = await list(client, {});
    await server.createPolicy(b, {});
    await server.deletePolicy(a);
    const stream = await watch(client, { resourceVersion: version });
    const events = await eventsUntil(stream, (event) => event.type === "DELETED");
    expect(names(events)).toEqual([`ADDED default/${b}`, `DELETED default/${a}`]);
    const versions = events.map((event) => Number(event.type === "BOOKMARK" ? 0 : event.identity.resourceVersion));
    expect(versions[1]).toBeGreaterThan(versions[0] as number);
  });

  it("answers a watch from a version that is too old with 410", async () => {
    const client = await connect();
    const stream = watch(client, { resourceVersion: "1" }).then((opened) => opened.next());
    expect(isGone(await stream.catch((error: unknown) => error))).toBe(true);
  });

  it.each([
    ["a list", {}],
    ["a streaming list", { watch: "1", sendInitialEvents: "true", allowWatchBookmarks: "true" }],
  ])("answers %s from its future with 'too large resource version'", async (kind, more) => {
    const client = await connect();
    const query = { resourceVersion: "900000000", resourceVersionMatch: "NotOlderThan", ...more };
    const asked = kind === "a list" ? list(client, query) : watch(client, query).then((stream) => stream.next());
    const error = await asked.catch((failure: unknown) => failure);
    if (kind === "a streaming list" && error instanceof ApiError && error.status === 422) return;
    expect(isVersionTooLarge(error)).toBe(true);
    expect(error).toMatchObject({ status: 504, retryAfterMs: 1_000 });
  });

  it("sends nothing of what happens before the version that a watch has asked for, in its future", async () => {
    const client = await connect();
    const stream = await watch(client, { resourceVersion: "900000000", timeoutSeconds: 2 });
    await server.createPolicy(newName(), {});
    expect(await stream.next()).toBeUndefined();
  });

  it("lists from its cache, not older than a version, and in pages, all the same", async () => {
    const client = await connect();
    for (let i = 0; i < 5; i++) await server.createPolicy(newName(), {});
    const whole = await list(client, {});
    expect((await list(client, { limit: 2 })).keys).toEqual(whole.keys);
    const query = { resourceVersion: whole.version, resourceVersionMatch: "NotOlderThan" };
    expect((await list(client, query)).keys).toEqual(whole.keys);
    expect((await list(client, { resourceVersion: "0" })).keys).toEqual(whole.keys);
  });

  it("says 404 for what it does not have", async () => {
    const client = await connect();
    const options = { signal: never };
    const { path } = CLUSTER_NETWORK_POLICIES;
    for (const unknown of [path, path.slice(0, path.lastIndexOf("/")), "/apis/policy.networking.k8s.io"]) {
      expect((await readDocument(client, unknown, options)).status).toBe(404);
      expect(await confirmsNotFound(client, unknown, options)).toBe(true);
    }
    expect(await confirmsNotFound(client, NETWORK_POLICIES.path, options)).toBe(false);
    const contents = await lookAtGroup(client, "networking.k8s.io", options);
    expect(contents.get("v1")).toContain("networkpolicies");
  });

  it("tells of CRDs that come and go, and deletes their objects with them", async () => {
    const client = await connect();
    const seen: string[] = [];
    const discovery = new ResourceDiscovery({
      client,
      group: CLUSTER_NETWORK_POLICIES.group,
      resources: TIER_POLICIES,
      onChange: ({ kind }, served) => void seen.push(`${served ? "+" : "-"}${kind}`),
      times: { intervalMs: 50, soonMs: 50 },
    });
    const controller = new AbortController();
    const ended = discovery.run(controller.signal);
    onTestFinished(async () => {
      controller.abort();
      await ended;
    });
    await eventually("nothing is there", () => discovery.status().answered.length === TIER_POLICIES.length);
    for (const kind of TIER_POLICIES) {
      await server.installKind(kind);
      await eventually("it is there", () => discovery.status().served.includes(kind.name));
    }
    expect(discovery.status()).toMatchObject({ unread: [], lastFailure: undefined });
    await server.createClusterPolicy(CLUSTER_NETWORK_POLICIES, "closed");
    const decode = () => ({ object: {}, diagnostics: [] });
    const { mirror, reflector, shows } = reflect(client, { resource: { ...CLUSTER_NETWORK_POLICIES, decode } });
    await shows("closed");
    for (const kind of TIER_POLICIES) await server.removeKind(kind);
    await eventually("nothing is there again", () => discovery.status().served.length === 0);
    await shows();
    expect(mirror.changesOf(1)).toEqual(["-closed"]);
    await eventually("the watch has ended", () => reflector.status().notFound);
    expect(seen.toSorted()).toEqual(TIER_POLICIES.flatMap(({ kind }) => [`+${kind}`, `-${kind}`]).toSorted());
  });

  it("creates an Event once", async () => {
    const client = await connect();
    const report = {
      regarding: {
        ...{ kind: "NetworkPolicy", apiVersion: "networking.k8s.io/v1" },
        namespace: "default",
        name: newName(),
      },
      reason: "InvalidPolicy",
      note: "ж".repeat(1_000),
      type: "Warning",
      revision: "1",
      reportingInstance: "node-1",
    } as const;
    const event = { ...report, regarding: { ...report.regarding, uid: "0c0ffee0-0000-4000-8000-000000000000" } };
    expect(await reportEvent(client, event, never)).toEqual({ kind: "created" });
    expect(await reportEvent(client, event, never)).toEqual({ kind: "known" });
    const ofCluster = { ...event, regarding: { ...event.regarding, kind: "Node", apiVersion: "v1", namespace: "" } };
    expect(await reportEvent(client, ofCluster, never)).toEqual({ kind: "created" });
  });

  it("does not know a wrong token (401), and forbids what a right one may not (403)", async () => {
    const unknown = await connect({ token: "wrong-token-0123456789" });
    expect(isUnauthorized(await list(unknown, {}).catch((error: unknown) => error))).toBe(true);
    const nobody = await connect(server.nobody);
    expect(isForbidden(await list(nobody, {}).catch((error: unknown) => error))).toBe(true);
  });
});
