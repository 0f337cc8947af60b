// Connections that fail, stall or lie: each becomes one ApiError with a sentence and a way out, in time.

import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type ApiClient, connectApiClient } from "../../src/kube/api-client.ts";
import { isConnectionBroken, isGone, isUnreachable } from "../../src/kube/api-error.ts";
import { PODS } from "../../src/kube/resources.ts";
import { issueCertificate, makeAuthority } from "./certificates.ts";
import { FakeApiServer, type FakeApiServerOptions } from "./fake-api-server.ts";
import { type ConfigEntry, clusterOf, writeKubeconfig } from "./kubeconfig-files.ts";
import { PODS_PATH, podObject } from "./objects.ts";

const TIMEOUTS = { headersMs: 300, idleMs: 300 };
const HOUR_MS = 3_600_000;

async function startServer(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
  const server = await FakeApiServer.start(options);
  onTestFinished(() => server.close());
  return server;
}

async function clientOf(cluster: ConfigEntry, user?: ConfigEntry): Promise<ApiClient> {
  const client = await connectApiClient({ kubeconfig: writeKubeconfig({ cluster, user }), timeouts: TIMEOUTS });
  onTestFinished(() => client.close());
  return client;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("no connection", () => {
  it("is refused: the server's address and what to check", async () => {
    const client = await clientOf({ server: `https://127.0.0.1:${await freePort()}` });
    const error = await client.list(PODS, {}).catch((failure: unknown) => failure);
    expect(isUnreachable(error)).toBe(true);
    expect(error).toMatchObject({
      kind: "unreachable",
      reason: "ECONNREFUSED",
      path: PODS_PATH,
      message: expect.stringMatching(
        /^the API server https:\/\/127\.0\.0\.1:\d+ \(context test\).*: connection refused$/,
      ),
      hint: expect.stringContaining("server in the kubeconfig"),
      cause: expect.objectContaining({ code: "ECONNREFUSED" }),
    });
  });

  it("has a name that nobody knows", async () => {
    const client = await clientOf({ server: "https://no-such-host.invalid:6443" });
    const error = await client.list(PODS, {}).catch((failure: unknown) => failure);
    expect(isUnreachable(error)).toBe(true);
    expect(error).toMatchObject({ reason: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) });
  });

  it("has an address that is none", async () => {
    const client = await clientOf({ server: "cluster.example:6443" });
    await expect(client.list(PODS, {})).rejects.toMatchObject({ kind: "kubeconfig" });
  });
});

describe("certificates", () => {
  it("of an authority that the kubeconfig does not name", async () => {
    const server = await startServer();
    const other = Buffer.from(makeAuthority().certPem).toString("base64");
    const client = await clientOf({ ...clusterOf(server), "certificate-authority-data": other });
    await expect(client.list(PODS, {})).rejects.toMatchObject({
      kind: "certificate",
      message: expect.stringContaining("not signed by an authority that the kubeconfig trusts"),
      hint: expect.stringContaining("certificate-authority"),
    });
  });

  it("of no authority that the system knows", async () => {
    const server = await startServer();
    const client = await clientOf({ server: server.url });
    await expect(client.list(PODS, {})).rejects.toMatchObject({ kind: "certificate" });
  });

  it("that have expired", async () => {
    const past = { notBefore: new Date(Date.now() - 2 * HOUR_MS), notAfter: new Date(Date.now() - HOUR_MS) };
    const server = await startServer({
      certificate: (authority) => issueCertificate(authority, { commonName: "old", names: ["127.0.0.1"], ...past }),
    });
    const client = await clientOf(clusterOf(server));
    await expect(client.list(PODS, {})).rejects.toMatchObject({
      kind: "certificate",
      reason: "CERT_HAS_EXPIRED",
      message: expect.stringContaining("has expired"),
    });
  });

  it("for another name, unless tls-server-name says so", async () => {
    const server = await startServer({
      certificate: (authority) => issueCertificate(authority, { commonName: "api", names: ["api.example"] }),
    });
    const client = await clientOf(clusterOf(server));
    await expect(client.list(PODS, {})).rejects.toMatchObject({
      kind: "certificate",
      message: expect.stringContaining("for other names (DNS:api.example)"),
      hint: expect.stringContaining("tls-server-name"),
    });
    const told = await clientOf({ ...clusterOf(server), "tls-server-name": "api.example" });
    expect((await told.list(PODS, {})).items).toEqual([]);
  });

  it("are not looked at with insecure-skip-tls-verify, also without a user", async () => {
    const server = await startServer();
    const client = await clientOf({ server: server.url, "insecure-skip-tls-verify": true });
    expect((await client.list(PODS, {})).items).toEqual([]);
  });

  it("are missing where plain HTTP is spoken", async () => {
    const server = await startServer({ plainHttp: true });
    const client = await clientOf({ server: `https://127.0.0.1:${server.port}` });
    await expect(client.list(PODS, {})).rejects.toMatchObject({
      kind: "certificate",
      message: expect.stringContaining("does not speak TLS"),
    });
  });
});

describe("time-outs", () => {
  it.each([
    ["no headers", { kind: "silence" }, /did not begin to answer within 0\.3 s/],
    ["headers byte by byte", { kind: "slow headers", byteEveryMs: 20 }, /did not begin to answer within 0\.3 s/],
    [
      "a body that stops",
      { kind: "broken body", begin: '{"kind":', ending: "silence" },
      /middle of its answer for 0\.3 s/,
    ],
  ] as const)("%s", async (_name, fault, message) => {
    const server = await startServer();
    server.failNext(PODS_PATH, fault);
    const client = await clientOf(clusterOf(server));
    const error = await client.list(PODS, {}).catch((failure: unknown) => failure);
    expect(isUnreachable(error)).toBe(true);
    expect(error).toMatchObject({ kind: "timeout", path: PODS_PATH, message: expect.stringMatching(message) });
    // The client is none the worse for it.
    expect((await client.list(PODS, {})).items).toEqual([]);
  });

  it("a server that accepts and never speaks TLS", async () => {
    const server = createTcpServer((socket) => socket.resume());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    const client = await clientOf({ server: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
    await expect(client.list(PODS, {})).rejects.toMatchObject({ kind: "timeout" });
  });

  it("a slow server that is still in time", async () => {
    const server = await startServer();
    server.failNext(PODS_PATH, { kind: "late", delayMs: 100 });
    const client = await clientOf(clusterOf(server));
    expect((await client.list(PODS, {})).items).toEqual([]);
  });
});

describe("broken answers", () => {
  const gzipped = gzipSync(JSON.stringify({ kind: "PodList", items: [], padding: "x".repeat(1000) }));

  it.each([
    ["a reset before the answer", { kind: "reset" }],
    ["a reset in the middle", { kind: "broken body", begin: '{"kind":', ending: "reset" }],
  ] as const)("%s", async (_name, fault) => {
    const server = await startServer();
    server.failNext(PODS_PATH, fault);
    const client = await clientOf(clusterOf(server));
    const error = await client.list(PODS, {}).catch((failure: unknown) => failure);
    expect(isConnectionBroken(error) && isUnreachable(error) && !isGone(error)).toBe(true);
    expect(error).toMatchObject({ message: expect.stringContaining("broke before the answer was complete") });
  });

  it.each([
    ["a login page", "<html>log in</html>", {}, /it is not JSON/],
    ["JSON that is cut off", '{"kind":"PodList","items":[', {}, /cut off or broken/],
    ["an object instead of a list", '{"kind":"Pod"}', {}, /not a list/],
    ["a list without a list", '{"kind":"PodList","items":{}}', {}, /no list/],
    ["half a gzip stream", gzipped.subarray(0, 40), { "content-encoding": "gzip" }, /not valid HTTP or gzip/],
    ["no gzip at all", "plain", { "content-encoding": "gzip" }, /not valid HTTP or gzip/],
  ])("%s", async (_name, body, headers, message) => {
    const server = await startServer();
    server.failNext(PODS_PATH, { kind: "answer", status: 200, headers, body });
    const client = await clientOf(clusterOf(server));
    await expect(client.list(PODS, {})).rejects.toMatchObject({
      kind: "protocol",
      path: PODS_PATH,
      message: expect.stringMatching(message),
    });
  });

  it("a redirect is not followed: it would take the token along", async () => {
    const server = await startServer();
    const headers = { location: "https://login.example/" };
    server.failNext(PODS_PATH, { kind: "answer", status: 302, headers, body: "" });
    const client = await clientOf(clusterOf(server));
    await expect(client.list(PODS, {})).rejects.toMatchObject({
      status: 302,
      message: expect.stringContaining("sends us elsewhere"),
    });
  });

  it("a load balancer's page", async () => {
    const server = await startServer();
    server.failNext(PODS_PATH, { kind: "answer", status: 502, body: "<html>Bad Gateway</html>" });
    const client = await clientOf(clusterOf(server));
    await expect(client.list(PODS, {})).rejects.toMatchObject({ status: 502, reason: "HTTP 502" });
  });
});

describe("kept connections", () => {
  it("carry one request after the other", async () => {
    const server = await startServer();
    server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
    const client = await clientOf(clusterOf(server));
    for (let i = 0; i < 5; i++) expect((await client.list(PODS, {})).items).toHaveLength(1);
    expect(server.connectionCount).toBe(1);
  });

  it("that the server drops just as a request arrives are replaced without a word", async () => {
    const server = await startServer();
    const client = await clientOf(clusterOf(server));
    await client.list(PODS, {});
    server.failNext(PODS_PATH, { kind: "reset" });
    expect((await client.list(PODS, {})).items).toEqual([]);
    expect(server.connectionCount).toBe(2);
  });
});

/** A CONNECT proxy that leads every name to the one server. */
async function startProxy(target: FakeApiServer): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy: Server = createServer();
  proxy.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const upstream = connect(target.port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => {}).on("close", () => socket.destroy());
    socket.on("error", () => {}).on("close", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise((resolve) => proxy.close(() => resolve())));
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, asked };
}

describe("proxies", () => {
  const names = ["api.example"];
  const certificate: FakeApiServerOptions["certificate"] = (authority) =>
    issueCertificate(authority, { commonName: "api", names });

  it("of the kubeconfig (proxy-url)", async () => {
    const server = await startServer({ certificate });
    const proxy = await startProxy(server);
    const client = await clientOf({ ...clusterOf(server), server: "https://api.example:6443", "proxy-url": proxy.url });
    expect((await client.list(PODS, {})).items).toEqual([]);
    expect(proxy.asked).toEqual(["api.example:6443"]);
  });

  it("of the environment (HTTPS_PROXY)", async () => {
    const server = await startServer({ certificate });
    const proxy = await startProxy(server);
    vi.stubEnv("HTTPS_PROXY", proxy.url);
    vi.stubEnv("https_proxy", undefined);
    vi.stubEnv("NO_PROXY", undefined);
    vi.stubEnv("no_proxy", undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    const client = await clientOf({ ...clusterOf(server), server: "https://api.example:6443" });
    expect((await client.list(PODS, {})).items).toEqual([]);
    expect((await client.list(PODS, {})).items).toEqual([]);
    expect(proxy.asked).toEqual(["api.example:6443"]);
    // As with kubectl, a cluster on this machine is never behind a proxy.
    const local = await startServer();
    expect((await (await clientOf(clusterOf(local))).list(PODS, {})).items).toEqual([]);
    expect(proxy.asked).toHaveLength(1);
  });
});
