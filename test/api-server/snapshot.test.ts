// The cluster snapshot against the fake API server: what is read, in which pages, and what may be missing.

import { describe, expect, it, onTestFinished } from "vitest";
import {
  ADMIN_NETWORK_POLICIES,
  BASELINE_ADMIN_NETWORK_POLICIES,
  CLUSTER_NETWORK_POLICIES,
  TIER_POLICIES,
  type TierResource,
} from "../../src/kube/resources.ts";
import { type SnapshotOptions, type SnapshotProgress, snapshotCluster } from "../../src/kube/snapshot.ts";
import { FakeApiServer, type FakeApiServerOptions } from "./fake-api-server.ts";
import { clusterOf, writeKubeconfig } from "./kubeconfig-files.ts";
import type { ApiObject } from "./object-store.ts";
import {
  NAMESPACES_PATH,
  NODES_PATH,
  namespaceObject,
  nodeObject,
  PODS_PATH,
  POLICIES_PATH,
  podObject,
  policyObject,
} from "./objects.ts";
import { statusObject } from "./status-object.ts";

const FORBIDDEN = { kind: "answer", status: 403, body: JSON.stringify(statusObject(403, "Forbidden", "no")) } as const;
const TOKEN = "sesame-open-0123456789";

async function startServer(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
  const server = await FakeApiServer.start({ tokens: [TOKEN], ...options });
  onTestFinished(() => server.close());
  return server;
}

function fillShop(server: FakeApiServer): void {
  server.store.put(NAMESPACES_PATH, namespaceObject("shop", { team: "a" }));
  server.store.put(NODES_PATH, nodeObject("node-1", "192.0.2.1"));
  server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
  server.store.put(PODS_PATH, podObject("shop", "db", "10.0.0.2"));
  server.store.put(POLICIES_PATH, policyObject("shop", "closed", { podSelector: {}, policyTypes: ["Ingress"] }));
}

function fillPods(server: FakeApiServer, count: number): void {
  for (let i = 0; i < count; i++) {
    const name = `pod-${String(i).padStart(5, "0")}`;
    server.store.put(PODS_PATH, podObject("shop", name, `10.0.${i >> 8}.${i & 255}`));
  }
}

function snapshot(server: FakeApiServer, options: SnapshotOptions = {}) {
  const kubeconfig = writeKubeconfig({ cluster: clusterOf(server), user: { token: TOKEN } });
  return snapshotCluster({ kubeconfig, ...options });
}

describe("a snapshot", () => {
  it("has namespaces, pods, nodes and policies, with the context as their file", async () => {
    const server = await startServer();
    fillShop(server);
    const cluster = await snapshot(server);
    expect(cluster.source).toBe("test");
    expect(cluster.namespaces).toEqual([
      { name: "shop", labels: { "kubernetes.io/metadata.name": "shop", team: "a" }, position: { file: "test" } },
    ]);
    expect(cluster.pods.map((pod) => [pod.key, pod.nodeName, pod.addresses, pod.position])).toEqual([
      ["shop/db", "node-1", ["10.0.0.2"], { file: "test" }],
      ["shop/web", "node-1", ["10.0.0.1"], { file: "test" }],
    ]);
    expect(cluster.nodes.map((node) => [node.name, node.addresses])).toEqual([["node-1", ["192.0.2.1"]]]);
    expect(cluster.policies).toMatchObject([
      { key: "NetworkPolicy/shop/closed", isolates: { ingress: true, egress: false } },
    ]);
    expect(cluster.diagnostics).toEqual([]);
  });

  it("of an empty cluster is empty", async () => {
    const cluster = await snapshot(await startServer());
    expect(cluster).toEqual({ namespaces: [], pods: [], nodes: [], policies: [], diagnostics: [], source: "test" });
  });

  it("takes null items, as old servers write an empty list", async () => {
    const server = await startServer();
    const body = JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: "1" }, items: null });
    server.failNext(PODS_PATH, { kind: "answer", status: 200, body });
    expect((await snapshot(server)).pods).toEqual([]);
  });

  it("keeps an invalid policy, closed, with its findings", async () => {
    const server = await startServer();
    const from = [{ ipBlock: { cidr: "10.0.0.0/40" } }];
    server.store.put(POLICIES_PATH, policyObject("shop", "odd", { podSelector: {}, ingress: [{ from }] }));
    const cluster = await snapshot(server);
    expect(cluster.policies.map((policy) => policy.rules.ingress)).toMatchObject([[{ peers: [] }]]);
    expect(cluster.diagnostics).toMatchObject([
      { severity: "error", object: "NetworkPolicy shop/odd", position: { file: "test" } },
    ]);
  });

  it("reads plain http, as kubectl proxy serves it", async () => {
    const server = await startServer({ plainHttp: true, tokens: [] });
    fillShop(server);
    const kubeconfig = writeKubeconfig({ cluster: { server: server.url } });
    expect((await snapshotCluster({ kubeconfig })).pods).toHaveLength(2);
  });

  it("keeps the path of a server behind a gateway", async () => {
    const server = await startServer({ pathPrefix: "/k8s/clusters/c-1" });
    fillShop(server);
    expect((await snapshot(server)).pods).toHaveLength(2);
  });

  it("unpacks gzip", async () => {
    const server = await startServer({ gzip: true });
    fillPods(server, 700);
    expect((await snapshot(server)).pods).toHaveLength(700);
  });
});

describe("pages", () => {
  it("have 500 items and reuse their connection", async () => {
    const server = await startServer();
    fillPods(server, 1201);
    const progress: SnapshotProgress[] = [];
    const cluster = await snapshot(server, { onProgress: (step) => progress.push(step) });
    expect(new Set(cluster.pods.map((pod) => pod.key)).size).toBe(1201);
    expect(server.requestsTo(PODS_PATH).map((request) => request.query.get("limit"))).toEqual(["500", "500", "500"]);
    expect(progress.filter((step) => step.resource === "pods")).toEqual([
      { resource: "pods", readCount: 500, totalCount: 1201 },
      { resource: "pods", readCount: 1000, totalCount: 1201 },
      { resource: "pods", readCount: 1201, totalCount: 1201 },
    ]);
    // One for each list, and one for the question which kinds of policies are installed.
    expect(server.connectionCount).toBeLessThanOrEqual(5);
  });

  it("show the list as it was when it began", async () => {
    const server = await startServer();
    fillPods(server, 600);
    server.addFault((request) => {
      if (request.path === PODS_PATH && request.query.has("continue")) server.store.delete(PODS_PATH, "shop/pod-00599");
      return undefined;
    });
    expect((await snapshot(server)).pods).toHaveLength(600);
  });

  it("whose token expires are followed by one whole list, and nothing of before is kept", async () => {
    const server = await startServer();
    fillPods(server, 1200);
    server.store.put(PODS_PATH, { ...podObject("shop", "pod-00000", "10.0.0.0"), status: { podIP: "nonsense" } });
    const removeFault = server.addFault((request) => {
      if (request.path !== PODS_PATH || !request.query.has("continue")) return undefined;
      server.store.delete(PODS_PATH, "shop/pod-00001");
      server.store.compact();
      removeFault();
      return undefined;
    });
    const cluster = await snapshot(server);
    expect(server.requestsTo(PODS_PATH).map((request) => request.query.get("limit"))).toEqual(["500", "500", null]);
    expect(cluster.pods).toHaveLength(1199);
    expect(cluster.diagnostics.filter((finding) => finding.code === "invalid-address")).toHaveLength(1);
  });

  it("that never end are an error", async () => {
    const server = await startServer();
    const metadata = { continue: "same", resourceVersion: "1" };
    const body = JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata, items: [] });
    server.addFault((request) => (request.path === PODS_PATH ? { kind: "answer", status: 200, body } : undefined));
    await expect(snapshot(server)).rejects.toThrow(/same page of pods again and again/);
  });

  it("do not repeat a first page that is answered with 410", async () => {
    const server = await startServer();
    const body = JSON.stringify(statusObject(410, "Expired", "too old"));
    server.failNext(PODS_PATH, { kind: "answer", status: 410, body }, 9);
    await expect(snapshot(server)).rejects.toMatchObject({ status: 410, reason: "Expired" });
    expect(server.requestsTo(PODS_PATH)).toHaveLength(1);
  });
});

describe("what may not be listed", () => {
  it("nodes: a warning, and the rest is there", async () => {
    const server = await startServer();
    fillShop(server);
    server.forbidden = [NODES_PATH];
    const cluster = await snapshot(server);
    expect(cluster.pods).toHaveLength(2);
    expect(cluster.nodes).toEqual([]);
    expect(cluster.diagnostics).toMatchObject([
      { code: "nodes-forbidden", severity: "warning", position: { file: "test" } },
    ]);
  });

  it.each([
    ["pods", PODS_PATH],
    ["namespaces", NAMESPACES_PATH],
    ["networkpolicies.networking.k8s.io", POLICIES_PATH],
  ])("%s: an error that says which right is missing", async (name, path) => {
    const server = await startServer();
    server.forbidden = [path];
    await expect(snapshot(server)).rejects.toMatchObject({
      status: 403,
      reason: "Forbidden",
      path,
      message: expect.stringMatching(
        `^not allowed to list ${name} in all namespaces \\(403: .*User "tester" cannot list`,
      ),
      hint: expect.stringContaining(`kubectl auth can-i list ${name} --all-namespaces`),
    });
  });
});

describe("cluster-wide policies", () => {
  const denyAll = { action: "Deny", from: [{ namespaces: {} }] };
  const subject = { namespaces: {} };
  const SPECS: Readonly<Record<string, ApiObject>> = {
    ClusterNetworkPolicy: { tier: "Admin", priority: 1, subject, ingress: [denyAll] },
    AdminNetworkPolicy: { priority: 1, subject, ingress: [denyAll] },
    BaselineAdminNetworkPolicy: { subject, ingress: [denyAll] },
  };

  function install(server: FakeApiServer, { path, kind, group, version }: TierResource, spec?: ApiObject): void {
    server.store.addResource(path, `${kind}List`, `${group}/${version}`);
    server.store.put(path, { metadata: { name: "default" }, spec: spec ?? SPECS[kind] });
  }

  it.each([
    ["the old kinds", [ADMIN_NETWORK_POLICIES, BASELINE_ADMIN_NETWORK_POLICIES]],
    ["the new kind", [CLUSTER_NETWORK_POLICIES]],
    ["all kinds", [CLUSTER_NETWORK_POLICIES, ADMIN_NETWORK_POLICIES, BASELINE_ADMIN_NETWORK_POLICIES]],
    ["one of the old kinds", [ADMIN_NETWORK_POLICIES]],
  ])("are read where they are installed: %s", async (_which, kinds) => {
    const server = await startServer();
    fillShop(server);
    for (const kind of kinds) install(server, kind);
    const { policies, diagnostics } = await snapshot(server);
    expect(policies.map(({ key }) => key)).toEqual([
      "NetworkPolicy/shop/closed",
      ...kinds.map(({ kind }) => `${kind}/default`),
    ]);
    expect(diagnostics).toEqual([]);
  });

  it.each(TIER_POLICIES.map((kind) => [kind.name, kind] as const))(
    "that may not be listed are an error that says which right is missing: %s",
    async (name, kind) => {
      const server = await startServer();
      install(server, kind);
      server.forbidden = [kind.path];
      await expect(snapshot(server)).rejects.toMatchObject({
        status: 403,
        message: expect.stringMatching(`^not allowed to list ${name} in all namespaces`),
        hint: expect.stringContaining(`kubectl auth can-i list ${name}`),
      });
    },
  );

  it("that are not installed need no rights", async () => {
    const server = await startServer();
    fillShop(server);
    server.forbidden = TIER_POLICIES.map(({ path }) => path);
    server.addFault(({ path }) => (server.forbidden.includes(path) ? FORBIDDEN : undefined));
    const { policies, diagnostics } = await snapshot(server);
    expect(policies).toHaveLength(1);
    expect(diagnostics).toEqual([]);
  });

  it.each([
    ["a right is missing", FORBIDDEN, { status: 403, hint: expect.stringContaining("system:discovery") }],
    ["the server is in trouble", { kind: "answer", status: 500, body: "{}" }, { status: 500 }],
    ["a proxy answers 404", { kind: "answer", status: 404, body: "default backend" }, { status: 404 }],
    ["a proxy answers a page", { kind: "answer", status: 200, body: "<html>" }, { kind: "protocol" }],
  ] as const)("that may be installed and cannot be asked for are an error: %s", async (_why, fault, error) => {
    const server = await startServer();
    fillShop(server);
    server.addFault(({ path }) => (isDiscovery(path) || fault.status === 404 ? fault : undefined));
    for (const path of [PODS_PATH, NODES_PATH, NAMESPACES_PATH, POLICIES_PATH])
      server.addFault((request) => (request.path === path ? { kind: "late", delayMs: 300 } : undefined));
    await expect(snapshot(server)).rejects.toMatchObject(error);
  });

  it("of a version that cannot be asked for are an error", async () => {
    const server = await startServer();
    install(server, ADMIN_NETWORK_POLICIES);
    install(server, CLUSTER_NETWORK_POLICIES);
    const path = "/apis/policy.networking.k8s.io/v1alpha1";
    server.addFault((request) => (request.path === path ? { kind: "answer", status: 503, body: "{}" } : undefined));
    await expect(snapshot(server)).rejects.toMatchObject({ status: 503, path });
  });

  it("are asked for again where the server says when", async () => {
    const server = await startServer();
    install(server, CLUSTER_NETWORK_POLICIES);
    const busy = { kind: "answer", status: 429, headers: { "retry-after": "0" }, body: "{}" } as const;
    server.failNext("/apis/policy.networking.k8s.io", busy, 2);
    expect((await snapshot(server)).policies).toHaveLength(1);
  });

  it("that are served in other versions only are a warning", async () => {
    const server = await startServer();
    install(server, CLUSTER_NETWORK_POLICIES);
    const path = "/apis/policy.networking.k8s.io/v1beta1";
    for (const plural of ["clusternetworkpolicies", "adminnetworkpolicies"])
      server.store.addResource(`${path}/${plural}`, "List", "policy.networking.k8s.io/v1beta1");
    const { policies, diagnostics } = await snapshot(server);
    expect(policies).toHaveLength(1);
    expect(diagnostics).toMatchObject([
      {
        code: "policy-not-enforced",
        severity: "warning",
        message: expect.stringMatching(
          /^adminnetworkpolicies\.policy\.networking\.k8s\.io are installed, but not in a/,
        ),
        position: { file: "test" },
      },
    ]);
  });

  it("that select nodes, which may not be listed, are an error", async () => {
    const server = await startServer();
    const egress = [{ action: "Deny", to: [{ nodes: {} }] }];
    install(server, CLUSTER_NETWORK_POLICIES, { tier: "Admin", priority: 1, subject, egress });
    server.forbidden = [NODES_PATH];
    expect((await snapshot(server)).diagnostics).toMatchObject([
      {
        code: "nodes-forbidden",
        severity: "error",
        message: expect.stringContaining("ClusterNetworkPolicy default selects nodes"),
      },
    ]);
  });
});

function isDiscovery(path: string): boolean {
  return path.startsWith("/apis/policy.networking.k8s.io");
}

describe("a server in trouble", () => {
  it("that answers 500 fails the snapshot at once, with its message", async () => {
    const server = await startServer();
    const body = JSON.stringify(statusObject(500, "InternalError", "etcdserver: no leader"));
    server.failNext(PODS_PATH, { kind: "answer", status: 500, body }, 9);
    await expect(snapshot(server)).rejects.toMatchObject({
      kind: "status",
      status: 500,
      reason: "InternalError",
      statusMessage: "etcdserver: no leader",
      path: PODS_PATH,
    });
    expect(server.requestsTo(PODS_PATH)).toHaveLength(1);
  });

  it("that says when to come back is asked again", async () => {
    const server = await startServer();
    fillShop(server);
    const body = JSON.stringify(statusObject(429, "TooManyRequests", "slow down"));
    server.failNext(PODS_PATH, { kind: "answer", status: 429, headers: { "retry-after": "0" }, body }, 2);
    expect((await snapshot(server)).pods).toHaveLength(2);
    expect(server.requestsTo(PODS_PATH)).toHaveLength(3);
  });

  it("that always says so is given up", async () => {
    const server = await startServer();
    const body = JSON.stringify(statusObject(503, "ServiceUnavailable", "starting"));
    server.failNext(PODS_PATH, { kind: "answer", status: 503, headers: { "retry-after": "0" }, body }, 99);
    await expect(snapshot(server)).rejects.toMatchObject({ status: 503, retryAfterMs: 0 });
    expect(server.requestsTo(PODS_PATH)).toHaveLength(5);
  });

  it("that resets a page's connection is asked for that page again", async () => {
    const server = await startServer();
    fillPods(server, 600);
    let resets = 0;
    server.addFault(({ path, query }) =>
      path === PODS_PATH && query.has("continue") && resets++ < 1 ? { kind: "reset" } : undefined,
    );
    expect((await snapshot(server)).pods).toHaveLength(600);
  });

  it("stops the other lists when one fails", async () => {
    const server = await startServer();
    server.failNext(PODS_PATH, { kind: "answer", status: 500, body: "{}" });
    server.failNext(NODES_PATH, { kind: "silence" });
    await expect(snapshot(server)).rejects.toMatchObject({ status: 500 });
  });
});

describe("an abort", () => {
  it("before the first request sends nothing", async () => {
    const server = await startServer();
    await expect(snapshot(server, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    expect(server.requests).toEqual([]);
  });

  it.each([
    ["while headers are awaited", { kind: "silence" }],
    ["in the middle of a body", { kind: "broken body", begin: '{"kind":"PodList",', ending: "silence" }],
  ] as const)("%s rejects with the signal's reason", async (_when, fault) => {
    const server = await startServer();
    const controller = new AbortController();
    server.failNext(PODS_PATH, fault);
    server.addFault((request) => {
      if (request.path === PODS_PATH) setTimeout(() => controller.abort(new Error("enough")), 50);
      return undefined;
    });
    await expect(snapshot(server, { signal: controller.signal })).rejects.toThrow("enough");
  });
});
