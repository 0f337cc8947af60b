// Who we are: every way to log in that a kubeconfig has, credentials that are renewed, and that no message shows them.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type ApiClient, type ApiClientOptions, connectApiClient } from "../../src/kube/api-client.ts";
import { isUnauthorized } from "../../src/kube/api-error.ts";
import { PODS } from "../../src/kube/resources.ts";
import { issueCertificate, makeAuthority } from "./certificates.ts";
import { FakeApiServer, type FakeApiServerOptions } from "./fake-api-server.ts";
import { type ConfigEntry, clusterOf, temporaryFolder, writeKubeconfig } from "./kubeconfig-files.ts";
import { PODS_PATH } from "./objects.ts";

const TOKEN = "first-token-0123456789";
const NEXT_TOKEN = "next-token-9876543210";

async function startServer(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
  const server = await FakeApiServer.start({ tokens: [TOKEN], ...options });
  onTestFinished(() => server.close());
  return server;
}

async function connectWith(options: ApiClientOptions): Promise<ApiClient> {
  const client = await connectApiClient(options);
  onTestFinished(() => client.close());
  return client;
}

function clientOf(server: FakeApiServer, user: ConfigEntry): Promise<ApiClient> {
  return connectWith({ kubeconfig: writeKubeconfig({ cluster: clusterOf(server), user }) });
}

/** A credential plugin: a shell script. */
function writePlugin(script: string): string {
  const path = join(temporaryFolder(), "plugin");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o700);
  return path;
}

function execCredential(token: string): string {
  return JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token } });
}

function execUser(command: string, more: ConfigEntry = {}): ConfigEntry {
  return { exec: { apiVersion: "client.authentication.k8s.io/v1", command, args: [], ...more } };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

/** Everything that a log or a crash report could show of an error. */
function everythingShown(error: unknown): string {
  return `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)} ${String(error)}`;
}

describe("logging in", () => {
  it("with a token", async () => {
    const server = await startServer();
    expect((await (await clientOf(server, { token: TOKEN })).list(PODS, {})).items).toEqual([]);
  });

  it("with a client certificate in the kubeconfig", async () => {
    const server = await startServer({ clientCertificates: true });
    const certificate = issueCertificate(server.authority, { commonName: "jane", organizations: ["admins"] });
    const client = await clientOf(server, {
      "client-certificate-data": base64(certificate.certPem),
      "client-key-data": base64(certificate.keyPem),
    });
    expect((await client.list(PODS, {})).items).toEqual([]);
  });

  it("with certificate files beside the kubeconfig, which may be replaced", async () => {
    const server = await startServer({ clientCertificates: true });
    const folder = temporaryFolder();
    const write = (signer: typeof server.authority) => {
      const certificate = issueCertificate(signer, { commonName: "jane" });
      writeFileSync(join(folder, "jane.crt"), certificate.certPem);
      writeFileSync(join(folder, "jane.key"), certificate.keyPem);
    };
    write(makeAuthority());
    const user = { "client-certificate": "jane.crt", "client-key": "jane.key" };
    const client = await connectWith({ kubeconfig: writeKubeconfig({ cluster: clusterOf(server), user }, folder) });
    expect(isUnauthorized(await failureOf(client.list(PODS, {})))).toBe(true);
    write(server.authority);
    expect((await client.list(PODS, {})).items).toEqual([]);
  });

  it("with name and password", async () => {
    const server = await startServer();
    const client = await clientOf(server, { username: "jane", password: "pass-word-123" });
    await failureOf(client.list(PODS, {}));
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${base64("jane:pass-word-123")}`);
  });

  it("as somebody else (impersonation)", async () => {
    const server = await startServer();
    await (await clientOf(server, { token: TOKEN, as: "jane" })).list(PODS, {});
    expect(server.requests[0]?.headers["impersonate-user"]).toBe("jane");
  });

  it("with an exec plugin, run once for requests at the same time and kept while valid", async () => {
    const server = await startServer();
    const folder = temporaryFolder();
    const plugin = writePlugin(`echo run >> ${folder}/runs; echo '${execCredential(TOKEN)}'`);
    const client = await clientOf(server, execUser(plugin));
    await Promise.all([1, 2, 3].map(() => client.list(PODS, {})));
    await client.list(PODS, {});
    expect(readFileSync(join(folder, "runs"), "utf8")).toBe("run\n");
  });

  it("with an exec plugin that is told about the cluster", async () => {
    const server = await startServer();
    const folder = temporaryFolder();
    const plugin = writePlugin(`echo "$KUBERNETES_EXEC_INFO" > ${folder}/info; echo '${execCredential(TOKEN)}'`);
    await (await clientOf(server, execUser(plugin, { provideClusterInfo: true }))).list(PODS, {});
    expect(JSON.parse(readFileSync(join(folder, "info"), "utf8"))).toMatchObject({
      kind: "ExecCredential",
      apiVersion: "client.authentication.k8s.io/v1",
      spec: { interactive: false, cluster: { server: server.url } },
    });
  });

  it("with an exec plugin that hands out a client certificate", async () => {
    const server = await startServer({ clientCertificates: true });
    const { certPem, keyPem } = issueCertificate(server.authority, { commonName: "jane" });
    const status = { clientCertificateData: certPem, clientKeyData: keyPem };
    const file = join(temporaryFolder(), "credential.json");
    writeFileSync(file, JSON.stringify({ kind: "ExecCredential", status }));
    const client = await clientOf(server, execUser(writePlugin(`cat ${file}`)));
    expect((await client.list(PODS, {})).items).toEqual([]);
  });

  it("inside a pod with its service account, whose token file may end with a newline", async () => {
    const server = await startServer();
    const { root, path: token } = serviceAccountOf(server);
    const client = await connectWith({ serviceAccountRoot: root });
    expect(client.contextName).toBe("in-cluster");
    expect((await client.list(PODS, {})).items).toEqual([]);
    // The kubelet replaces the token before the old one ends.
    server.tokens = [NEXT_TOKEN];
    writeFileSync(token, NEXT_TOKEN);
    expect((await client.list(PODS, {})).items).toEqual([]);
    const other = connectApiClient({ serviceAccountRoot: root, context: "prod" });
    await expect(other).rejects.toMatchObject({ kind: "kubeconfig", message: expect.stringContaining('"prod"') });
  });
});

describe("a service account's token file", () => {
  it("is read for each request: a new token is used before the old one ends", async () => {
    const server = await startServer({ tokens: [TOKEN, NEXT_TOKEN] });
    const token = serviceAccountOf(server);
    const client = await connectWith({ serviceAccountRoot: token.root });
    await client.list(PODS, {});
    writeFileSync(token.path, NEXT_TOKEN);
    await client.list(PODS, {});
    const sent = server.requests.map((request) => request.headers.authorization);
    expect(sent).toEqual([`Bearer ${TOKEN}`, `Bearer ${NEXT_TOKEN}`]);
  });

  it("that is empty for a moment is a failure of credentials, and sends nothing", async () => {
    const server = await startServer();
    const token = serviceAccountOf(server);
    const client = await connectWith({ serviceAccountRoot: token.root });
    writeFileSync(token.path, "");
    await expect(client.list(PODS, {})).rejects.toMatchObject({
      kind: "credentials",
      message: expect.stringContaining("is empty"),
    });
    expect(server.requests).toEqual([]);
  });
});

/** The files of a pod whose API server is the fake one. */
function serviceAccountOf(server: FakeApiServer): { readonly root: string; readonly path: string } {
  const root = temporaryFolder();
  const path = join(root, "var/run/secrets/kubernetes.io/serviceaccount/token");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${TOKEN}\n`);
  writeFileSync(join(dirname(path), "ca.crt"), server.authority.certPem);
  vi.stubEnv("KUBERNETES_SERVICE_HOST", "127.0.0.1");
  vi.stubEnv("KUBERNETES_SERVICE_PORT", String(server.port));
  vi.stubEnv("KUBECONFIG", undefined);
  vi.stubEnv("HOME", root);
  onTestFinished(() => void vi.unstubAllEnvs());
  return { root, path };
}

describe("a 401", () => {
  it("says what to do, and is not repeated with the same credentials", async () => {
    const server = await startServer();
    const error = await failureOf((await clientOf(server, { token: "wrong-token-123" })).list(PODS, {}));
    expect(isUnauthorized(error)).toBe(true);
    expect(error).toMatchObject({
      reason: "Unauthorized",
      message: expect.stringContaining("does not accept the credentials (401"),
      hint: expect.stringContaining("log in again"),
    });
    expect(server.requests).toHaveLength(1);
  });

  it("makes the kubeconfig be read again: a new token is used at once", async () => {
    const server = await startServer();
    const folder = temporaryFolder();
    const cluster = clusterOf(server);
    const client = await connectWith({ kubeconfig: writeKubeconfig({ cluster, user: { token: TOKEN } }, folder) });
    await client.list(PODS, {});
    server.tokens = [NEXT_TOKEN];
    writeKubeconfig({ cluster, user: { token: NEXT_TOKEN } }, folder);
    await Promise.all([1, 2, 3].map(() => client.list(PODS, {})));
  });

  it("makes an exec plugin run again, once for all who met it", async () => {
    const server = await startServer();
    const folder = temporaryFolder();
    writeFileSync(join(folder, "answer"), execCredential(TOKEN));
    const client = await clientOf(server, execUser(writePlugin(`echo run >> ${folder}/runs; cat ${folder}/answer`)));
    await client.list(PODS, {});
    server.tokens = [NEXT_TOKEN];
    writeFileSync(join(folder, "answer"), execCredential(NEXT_TOKEN));
    await Promise.all([1, 2, 3].map(() => client.list(PODS, {})));
    expect(readFileSync(join(folder, "runs"), "utf8")).toBe("run\nrun\n");
  });
});

describe("credentials that cannot be had", () => {
  it.each([
    ["a plugin that is not installed", execUser("no-such-plugin-anywhere"), /is not installed or not in PATH/],
    [
      "a plugin that fails",
      execUser(writePluginText("echo please log in first >&2; exit 1")),
      /failed: please log in first/,
    ],
    ["a plugin that prints something else", execUser(writePluginText("echo hello")), /did not print an ExecCredential/],
    ["a plugin without status", execUser(writePluginText("echo '{}'")), /did not print an ExecCredential/],
    [
      "a certificate file that is gone",
      { "client-certificate": "/no/such.crt", "client-key": "/no/such.key" },
      /no such file/,
    ],
  ])("%s", async (_name, user, message) => {
    const server = await startServer();
    const error = await failureOf((await clientOf(server, materialise(user))).list(PODS, {}));
    expect(error).toMatchObject({
      kind: "credentials",
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
    expect(server.requests).toEqual([]);
  });

  it("a key that is none", async () => {
    const server = await startServer();
    const certificate = issueCertificate(server.authority, { commonName: "jane" });
    const user = { "client-certificate-data": base64(certificate.certPem), "client-key-data": base64("nonsense") };
    await expect((await clientOf(server, user)).list(PODS, {})).rejects.toMatchObject({
      kind: "certificate",
      message: expect.stringContaining("client certificate or key cannot be read"),
    });
  });

  it("a plugin that hangs is not waited for for ever, and runs again for the next request", async () => {
    const server = await startServer({ tokens: [TOKEN] });
    const folder = temporaryFolder();
    const plugin = writePlugin(
      `if [ -e ${folder}/ran ]; then echo '${execCredential(TOKEN)}'; else touch ${folder}/ran; exec sleep 2; fi`,
    );
    const kubeconfig = writeKubeconfig({ cluster: clusterOf(server), user: execUser(plugin) });
    const client = await connectWith({ kubeconfig, credentialsWithinMs: 200 });
    await expect(client.list(PODS, {})).rejects.toMatchObject({
      kind: "credentials",
      message: expect.stringContaining("failed: no answer within 0.2 s"),
    });
    await expect(client.list(PODS, {})).resolves.toMatchObject({ items: [] });
  });

  it("a plugin that does not end is left behind by an abort", async () => {
    const server = await startServer();
    const client = await clientOf(server, execUser(writePlugin("exec sleep 1")));
    const signal = AbortSignal.timeout(50);
    await expect(client.list(PODS, { signal })).rejects.toMatchObject({ name: "TimeoutError" });
  });
});

describe("no error shows a token", () => {
  it("when the server repeats it", async () => {
    const server = await startServer();
    const body = JSON.stringify({ kind: "Status", reason: "Odd", message: `bad header: Bearer ${TOKEN}` });
    server.failNext(PODS_PATH, { kind: "answer", status: 400, body });
    const error = await failureOf((await clientOf(server, { token: TOKEN })).list(PODS, {}));
    expect(everythingShown(error)).toContain("[redacted]");
    expect(everythingShown(error)).not.toContain(TOKEN);
  });

  it.each([["reset"], ["silence"]] as const)("when the connection fails (%s)", async (kind) => {
    const server = await startServer();
    server.failNext(PODS_PATH, { kind });
    const kubeconfig = writeKubeconfig({ cluster: clusterOf(server), user: { token: TOKEN } });
    const client = await connectWith({ kubeconfig, timeouts: { headersMs: 100 } });
    expect(everythingShown(await failureOf(client.list(PODS, {})))).not.toContain(TOKEN);
  });

  it.each([
    ["prints it wrongly", `echo '{"status":{"token":${TOKEN}}}'`],
    ["prints it on stderr and fails", `echo 'request had Authorization: Bearer ${TOKEN}' >&2; exit 1`],
  ])("when a plugin %s", async (_name, script) => {
    const server = await startServer();
    const error = await failureOf((await clientOf(server, execUser(writePlugin(script)))).list(PODS, {}));
    expect(everythingShown(error)).not.toContain(TOKEN);
  });

  it("when the kubeconfig is broken YAML", async () => {
    const path = join(temporaryFolder(), "config");
    writeFileSync(path, `users:\n- name: jane\n  user:\n    token: ${TOKEN}\n   bad: [\n`);
    const error = await failureOf(connectApiClient({ kubeconfig: path }));
    expect(error).toMatchObject({ kind: "kubeconfig", message: expect.stringMatching(/cannot be read: line \d+: /) });
    expect(everythingShown(error)).not.toContain(TOKEN);
  });
});

/** Tables are made before tests run: the script is written when its test begins. */
function writePluginText(script: string): string {
  return `script:${script}`;
}

function materialise(user: ConfigEntry): ConfigEntry {
  const exec = user.exec as { command: string } | undefined;
  if (exec === undefined || !exec.command.startsWith("script:")) return user;
  return execUser(writePlugin(exec.command.slice("script:".length)));
}
