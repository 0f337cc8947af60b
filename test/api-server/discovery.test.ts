// Resources of other projects that come and go.

import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { DEFAULT_BACKOFF } from "../../src/kube/backoff.ts";
import { ResourceDiscovery } from "../../src/kube/discovery.ts";
import {
  ADMIN_NETWORK_POLICIES,
  BASELINE_ADMIN_NETWORK_POLICIES,
  CLUSTER_NETWORK_POLICIES,
  type DiscoverableResource,
  TIER_POLICIES,
} from "../../src/kube/resources.ts";
import { DEFINITIONS_PATH } from "../../src/kube/server-version.ts";
import { eventually } from "./eventually.ts";
import { type FakeApiServer, startServer } from "./fake-api-server.ts";
import { connectTo, SHORT_TIMES } from "./reflection.ts";
import { statusObject } from "./status-object.ts";

const GROUP = "policy.networking.k8s.io";
const GROUP_PATH = `/apis/${GROUP}`;
const OLD_PATH = `${GROUP_PATH}/v1alpha1`;

/** In another version, where it is given. */
function install(server: FakeApiServer, resource: DiscoverableResource, version = resource.version): void {
  const plural = resource.path.slice(resource.path.lastIndexOf("/") + 1);
  server.store.addResource(`${GROUP_PATH}/${version}/${plural}`, "PolicyList", `${GROUP}/${version}`);
}

interface Times {
  readonly intervalMs?: number;
  readonly soonMs?: number;
  readonly backoffMs?: number;
}

async function discover(server: FakeApiServer, { backoffMs = 20, ...times }: Times = {}) {
  const seen: string[] = [];
  const discovery = new ResourceDiscovery({
    client: await connectTo(server),
    group: GROUP,
    resources: TIER_POLICIES,
    onChange: ({ name }, served) => void seen.push(`${served ? "+" : "-"}${name.split(".")[0]}`),
    times: { intervalMs: 10, soonMs: 10, ...times },
    settings: {
      ...SHORT_TIMES,
      backoff: { ...DEFAULT_BACKOFF, minMs: backoffMs, maxMs: backoffMs * 10 },
      listTimeouts: { headersMs: 200, idleMs: 200 },
    },
  });
  const controller = new AbortController();
  const ended = discovery.run(controller.signal);
  onTestFinished(async () => {
    controller.abort();
    await ended;
  });
  const complete = () =>
    eventually("there is an answer for each", () => discovery.status().answered.length === TIER_POLICIES.length);
  return { discovery, seen, complete };
}

async function nextLooks(server: FakeApiServer, count = 3): Promise<void> {
  const requests = server.requestsTo(GROUP_PATH).length;
  await eventually("more looks", () => server.requestsTo(GROUP_PATH).length >= requests + count);
}

const UNAVAILABLE = { kind: "answer", status: 503, body: JSON.stringify(statusObject(503, "Busy", "later")) } as const;
const FORBIDDEN = { kind: "answer", status: 403, body: JSON.stringify(statusObject(403, "Forbidden", "no")) } as const;
const NOT_FOUND = { kind: "answer", status: 404, body: "404 page not found" } as const;

describe("discovery", () => {
  it("tells what is there, what appears and what goes, each once", async () => {
    const server = await startServer();
    install(server, ADMIN_NETWORK_POLICIES);
    const { discovery, seen, complete } = await discover(server);
    await complete();
    expect(seen).toEqual(["+adminnetworkpolicies"]);
    install(server, CLUSTER_NETWORK_POLICIES);
    await eventually("it appears", () => seen.includes("+clusternetworkpolicies"));
    server.store.removeResource(ADMIN_NETWORK_POLICIES.path);
    await eventually("it goes", () => seen.includes("-adminnetworkpolicies"));
    await nextLooks(server);
    expect(seen).toEqual(["+adminnetworkpolicies", "+clusternetworkpolicies", "-adminnetworkpolicies"]);
    expect(discovery.status()).toMatchObject({
      served: [CLUSTER_NETWORK_POLICIES.name],
      failures: 0,
      lastFailure: undefined,
    });
  });

  it("tells again what comes back", async () => {
    const server = await startServer();
    install(server, ADMIN_NETWORK_POLICIES);
    const { seen, complete } = await discover(server);
    await complete();
    server.store.removeResource(ADMIN_NETWORK_POLICIES.path);
    await eventually("it goes", () => seen.length === 2);
    install(server, ADMIN_NETWORK_POLICIES);
    await eventually("it comes back", () => seen.length === 3);
    expect(seen).toEqual(["+adminnetworkpolicies", "-adminnetworkpolicies", "+adminnetworkpolicies"]);
  });

  it("makes one request a look where nothing is installed, once that is confirmed", async () => {
    const server = await startServer();
    const { complete } = await discover(server);
    await complete();
    await nextLooks(server, 5);
    const asked = server.requests.map(({ path }) => path);
    expect(asked.filter((path) => path !== GROUP_PATH)).toEqual([DEFINITIONS_PATH, "/readyz"]);
  });

  it("looks at all versions that are served, and names what is read in none of them", async () => {
    const server = await startServer();
    install(server, CLUSTER_NETWORK_POLICIES);
    install(server, CLUSTER_NETWORK_POLICIES, "v1beta1");
    install(server, ADMIN_NETWORK_POLICIES, "v1beta1");
    server.store.addResource(`${GROUP_PATH}/v1beta1/adminnetworkpolicies/status`, "PolicyList", `${GROUP}/v1beta1`);
    const { discovery, seen, complete } = await discover(server);
    await complete();
    expect(seen).toEqual(["+clusternetworkpolicies"]);
    expect(discovery.status().unread).toEqual([ADMIN_NETWORK_POLICIES.name]);
    install(server, ADMIN_NETWORK_POLICIES);
    await eventually("the known version", () => discovery.status().unread.length === 0);
    expect(discovery.status().served).toEqual([CLUSTER_NETWORK_POLICIES.name, ADMIN_NETWORK_POLICIES.name]);
  });

  it("looks again at once when it is asked to, and soon after a change", async () => {
    const server = await startServer();
    const { discovery, seen, complete } = await discover(server, { intervalMs: 3_600_000, soonMs: 10 });
    await complete();
    install(server, ADMIN_NETWORK_POLICIES);
    discovery.lookSoon();
    await eventually("it appears", () => seen.length === 1);
    install(server, BASELINE_ADMIN_NETWORK_POLICIES);
    await eventually("what was installed with it appears", () => seen.length === 2);
  });
});

describe("a failure", () => {
  it.each([
    ["a server in trouble", UNAVAILABLE],
    ["a right that is missing", FORBIDDEN],
    ["a reset", { kind: "reset" }],
    ["silence", { kind: "silence" }],
    ["a proxy's 404", { kind: "answer", status: 404, body: "default backend - 404" }],
    ["a proxy's page", { kind: "answer", status: 200, body: "<html>" }],
    ["another document", { kind: "answer", status: 200, body: "{}" }],
  ] as const)("%s changes nothing of what is known", async (_what, fault) => {
    const server = await startServer();
    install(server, ADMIN_NETWORK_POLICIES);
    const { discovery, seen, complete } = await discover(server);
    await complete();
    const heal = server.addFault(() => fault);
    await eventually("the failures", () => discovery.status().failures >= 3);
    expect(discovery.status().lastFailure).toBeDefined();
    heal();
    await eventually("no failure", () => discovery.status().lastFailure === undefined);
    await nextLooks(server);
    expect(seen).toEqual(["+adminnetworkpolicies"]);
  });

  it("of one version leaves open what it has, and the others are told", async () => {
    const server = await startServer();
    install(server, CLUSTER_NETWORK_POLICIES);
    install(server, ADMIN_NETWORK_POLICIES);
    const heal = server.addFault(({ path }) => (path === OLD_PATH ? UNAVAILABLE : undefined));
    const { discovery, seen, complete } = await discover(server);
    await eventually("the failures", () => discovery.status().failures >= 3);
    expect(discovery.status()).toMatchObject({
      answered: [CLUSTER_NETWORK_POLICIES.name],
      lastFailure: `${OLD_PATH} was answered with 503, not with a list of resources`,
    });
    heal();
    await complete();
    expect(seen).toEqual(["+clusternetworkpolicies", "+adminnetworkpolicies"]);
  });

  it("of a version that nobody reads is none", async () => {
    const server = await startServer();
    install(server, ADMIN_NETWORK_POLICIES);
    install(server, ADMIN_NETWORK_POLICIES, "v1beta1");
    server.addFault(({ path }) => (path === `${GROUP_PATH}/v1beta1` ? UNAVAILABLE : undefined));
    const { discovery, complete } = await discover(server);
    await complete();
    await nextLooks(server);
    expect(discovery.status()).toMatchObject({
      served: [ADMIN_NETWORK_POLICIES.name],
      failures: 0,
      lastFailure: undefined,
    });
  });

  it("before the first answer leaves everything open, and says what to do about rights", async () => {
    const server = await startServer();
    const heal = server.addFault(({ path }) => (path === GROUP_PATH ? FORBIDDEN : undefined));
    const { discovery, complete } = await discover(server);
    await eventually("the failures", () => discovery.status().failures >= 3);
    expect(discovery.status()).toMatchObject({
      answered: [],
      lastFailure: `${GROUP_PATH} was answered with 403, not with an API group`,
      lastHint: expect.stringContaining("system:discovery"),
    });
    heal();
    await complete();
  });

  it("that is over when another resource has the server again is not waited for", async () => {
    const server = await startServer();
    const heal = server.addFault(() => UNAVAILABLE);
    const { discovery, complete } = await discover(server, { backoffMs: 3_600_000 });
    await eventually("the failure", () => discovery.status().failures === 1);
    heal();
    // A pause that has not begun yet is ended when it does.
    await nextTurn();
    discovery.serverIsBack();
    await complete();
  });
});

describe("a 404", () => {
  it.each([
    ["once", 1],
    ["that is over when the server is asked who it is", 2],
  ])("%s changes nothing", async (_when, times) => {
    const server = await startServer();
    install(server, ADMIN_NETWORK_POLICIES);
    const { seen, complete } = await discover(server);
    await complete();
    server.failNext(GROUP_PATH, NOT_FOUND, times);
    await nextLooks(server);
    server.failNext(OLD_PATH, NOT_FOUND, times);
    await nextLooks(server);
    expect(seen).toEqual(["+adminnetworkpolicies"]);
  });

  it("of a server that says that it is not ready changes nothing", async () => {
    const server = await startServer();
    install(server, ADMIN_NETWORK_POLICIES);
    const { discovery, seen, complete } = await discover(server);
    await complete();
    server.addFault(({ path }) => (path.startsWith(GROUP_PATH) ? NOT_FOUND : undefined));
    const ready = server.addFault(({ path }) => (path === "/readyz" ? UNAVAILABLE : undefined));
    await eventually("the failures", () => discovery.status().failures >= 3);
    expect(seen).toEqual(["+adminnetworkpolicies"]);
    ready();
    await eventually("it is believed", () => seen.includes("-adminnetworkpolicies"));
  });

  it("of a server that is not ready is no answer at the start either", async () => {
    const server = await startServer();
    const ready = server.addFault(({ path }) => (path === "/readyz" ? UNAVAILABLE : undefined));
    const { discovery, complete } = await discover(server);
    await eventually("the failures", () => discovery.status().failures >= 3);
    expect(discovery.status().answered).toEqual([]);
    ready();
    await complete();
  });

  it.each([
    ["of the group", GROUP_PATH],
    ["of the version", OLD_PATH],
  ])("%s while the list itself is answered changes nothing", async (_whose, path) => {
    const server = await startServer();
    install(server, ADMIN_NETWORK_POLICIES);
    const { discovery, seen, complete } = await discover(server);
    await complete();
    const heal = server.addFault((request) => (request.path === path ? NOT_FOUND : undefined));
    await eventually("the list is asked for often", () => server.requestsTo(ADMIN_NETWORK_POLICIES.path).length >= 3);
    expect(seen).toEqual(["+adminnetworkpolicies"]);
    expect(discovery.status().served).toEqual([ADMIN_NETWORK_POLICIES.name]);
    heal();
    await nextLooks(server);
    expect(seen).toEqual(["+adminnetworkpolicies"]);
  });

  it("must be repeated after a while, whoever asks to look sooner", async () => {
    const server = await startServer();
    install(server, ADMIN_NETWORK_POLICIES);
    const { discovery, seen, complete } = await discover(server, { soonMs: 300 });
    await complete();
    server.store.removeResource(ADMIN_NETWORK_POLICIES.path);
    const removedAtMs = performance.now();
    while (seen.length < 2) {
      discovery.lookSoon();
      await nextTurn();
    }
    expect(seen).toEqual(["+adminnetworkpolicies", "-adminnetworkpolicies"]);
    expect(performance.now() - removedAtMs).toBeGreaterThan(250);
  });

  it("is believed where the list is forbidden: who may not list is not told that there is nothing", async () => {
    const server = await startServer();
    install(server, ADMIN_NETWORK_POLICIES);
    const { seen, complete } = await discover(server);
    await complete();
    server.store.removeResource(ADMIN_NETWORK_POLICIES.path);
    server.addFault(({ path }) => (path === ADMIN_NETWORK_POLICIES.path ? FORBIDDEN : undefined));
    await eventually("it goes", () => seen.includes("-adminnetworkpolicies"));
  });
});
