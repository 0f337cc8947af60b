// Resources of other projects that come and go.

import { describe, expect, it, onTestFinished } from "vitest";
import { ResourceDiscovery } from "../../src/kube/discovery.ts";
import type { DiscoverableResource } from "../../src/kube/resources.ts";
import { eventually } from "./eventually.ts";
import { type FakeApiServer, startServer } from "./fake-api-server.ts";
import { connectTo } from "./reflection.ts";
import { statusObject } from "./status-object.ts";

const CLUSTER_POLICIES = resource("clusternetworkpolicies", "policy.networking.k8s.io", "v1alpha2");
const ADMIN_POLICIES = resource("adminnetworkpolicies", "policy.networking.k8s.io", "v1alpha1");
const BASELINE_POLICIES = resource("baselineadminnetworkpolicies", "policy.networking.k8s.io", "v1alpha1");
const ALL = [CLUSTER_POLICIES, ADMIN_POLICIES, BASELINE_POLICIES] as const;

function resource(plural: string, group: string, version: string): DiscoverableResource {
  return { name: `${plural}.${group}`, group, version, path: `/apis/${group}/${version}/${plural}` };
}

function install(server: FakeApiServer, { path, group, version }: DiscoverableResource): void {
  server.store.addResource(path, "PolicyList", `${group}/${version}`);
}

async function discover(server: FakeApiServer) {
  const seen: string[] = [];
  const discovery = new ResourceDiscovery({
    client: await connectTo(server),
    resources: ALL,
    onChange: ({ name }, served) => void seen.push(`${served ? "+" : "-"}${name.split(".")[0]}`),
    intervalMs: 10,
  });
  const controller = new AbortController();
  const ended = discovery.run(controller.signal);
  onTestFinished(async () => {
    controller.abort();
    await ended;
  });
  return { discovery, seen };
}

async function nextRound(server: FakeApiServer): Promise<void> {
  const path = "/apis/policy.networking.k8s.io/v1alpha1";
  const requests = server.requestsTo(path).length;
  await eventually("another round", () => server.requestsTo(path).length >= requests + 2);
}

describe("discovery", () => {
  it("tells what is there, what appears and what goes, each once", async () => {
    const server = await startServer();
    install(server, ADMIN_POLICIES);
    const { discovery, seen } = await discover(server);
    await eventually("complete", () => discovery.status().complete);
    expect(seen).toEqual(["+adminnetworkpolicies"]);
    install(server, CLUSTER_POLICIES);
    await eventually("it appears", () => seen.includes("+clusternetworkpolicies"));
    server.store.removeResource(ADMIN_POLICIES.path);
    await eventually("it goes", () => seen.includes("-adminnetworkpolicies"));
    await nextRound(server);
    expect(seen).toEqual(["+adminnetworkpolicies", "+clusternetworkpolicies", "-adminnetworkpolicies"]);
    expect(discovery.status()).toEqual({
      served: [CLUSTER_POLICIES.name],
      complete: true,
      lastFailure: undefined,
    });
  });

  it("asks once for each group and version", async () => {
    const server = await startServer();
    const { discovery } = await discover(server);
    await eventually("complete", () => discovery.status().complete);
    await nextRound(server);
    const paths = new Set(server.requests.map(({ path }) => path));
    expect([...paths].sort()).toEqual([
      "/apis/policy.networking.k8s.io/v1alpha1",
      "/apis/policy.networking.k8s.io/v1alpha2",
      "/version",
    ]);
  });

  it.each([
    ["a server in trouble", { kind: "answer", status: 503, body: JSON.stringify(statusObject(503, "Busy", "later")) }],
    ["a reset", { kind: "reset" }],
    ["a proxy's 404", { kind: "answer", status: 404, body: "default backend - 404" }],
    ["a proxy's page", { kind: "answer", status: 200, body: "<html>" }],
    ["another document", { kind: "answer", status: 200, body: "{}" }],
  ] as const)("%s changes nothing of what is known", async (_what, fault) => {
    const server = await startServer();
    install(server, ADMIN_POLICIES);
    const { discovery, seen } = await discover(server);
    await eventually("complete", () => discovery.status().complete);
    const heal = server.addFault(() => fault);
    await eventually("the failure", () => discovery.status().lastFailure !== undefined);
    await nextRound(server);
    expect(seen).toEqual(["+adminnetworkpolicies"]);
    heal();
    await eventually("no failure", () => discovery.status().lastFailure === undefined);
    expect(seen).toEqual(["+adminnetworkpolicies"]);
  });

  it("a proxy's 404 that is over when the server is asked who it is changes nothing", async () => {
    const server = await startServer();
    install(server, ADMIN_POLICIES);
    const { discovery, seen } = await discover(server);
    await eventually("complete", () => discovery.status().complete);
    const path = "/apis/policy.networking.k8s.io/v1alpha1";
    server.failNext(path, { kind: "answer", status: 404, body: "404 page not found" }, 1);
    await eventually("the question", () => server.requestsTo(path).some(({ query }) => query.get("limit") === "1"));
    await nextRound(server);
    expect(seen).toEqual(["+adminnetworkpolicies"]);
  });

  it("is not complete before the server has answered", async () => {
    const server = await startServer();
    server.addFault(() => ({ kind: "reset" }));
    const { discovery } = await discover(server);
    await eventually("a failure", () => discovery.status().lastFailure !== undefined);
    expect(discovery.status().complete).toBe(false);
  });
});
