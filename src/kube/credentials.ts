// Who we are for the API server: TLS material and headers of a request, obtained by client-node (certificates, tokens,
// exec plugins, OIDC). Owns when they are obtained again; nothing of them ever enters a message.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Agent } from "node:http";
import type { RequestOptions } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { getCACertificates } from "node:tls";
import type { Cluster, User } from "@kubernetes/client-node";
import { ApiError } from "./api-error.ts";
import type { KubeContext } from "./kubeconfig.ts";
import { redact } from "./secrets.ts";

export interface TlsOptions {
  readonly ca: string | Buffer | readonly (string | Buffer)[];
  readonly cert: string | Buffer | undefined;
  readonly key: string | Buffer | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
}

export interface Credentials {
  readonly tls: TlsOptions;
  readonly headers: Readonly<Record<string, string>>;
  /** What must never be shown. */
  readonly secrets: readonly string[];
  /** client-node's agent for the cluster's proxy-url. */
  readonly proxyAgent: Agent | undefined;
  /** Equal for equal TLS material: connections may be shared. */
  readonly tlsFingerprint: string;
  /** Equal for equal TLS material and headers: trying again with them is pointless. */
  readonly fingerprint: string;
}

/** Plugins may ask a server. */
const OBTAIN_WITHIN_MS = 60_000;

/** The credentials of one context over time. */
export class ClusterAccess {
  #context: KubeContext;
  readonly #reload: () => Promise<KubeContext>;
  readonly #obtainWithinMs: number;
  #inFlight: Promise<Credentials> | undefined;

  /** `reload` reads the same context from its files again. */
  constructor(context: KubeContext, reload: () => Promise<KubeContext>, obtainWithinMs = OBTAIN_WITHIN_MS) {
    this.#context = context;
    this.#reload = reload;
    this.#obtainWithinMs = obtainWithinMs;
  }

  get contextName(): string {
    return this.#context.name;
  }

  /** Throws ApiError (kind `kubeconfig`) when the cluster's server is no http(s) URL. */
  get server(): URL {
    const { server, name } = this.#context.cluster;
    const url = URL.canParse(server) ? new URL(server) : undefined;
    if (url?.protocol === "https:" || url?.protocol === "http:") return url;
    throw new ApiError({
      kind: "kubeconfig",
      message: `the server of cluster ${JSON.stringify(name)} is not an http or https URL: ${redact(server)}`,
      hint: "it should look like https://HOST:6443",
    });
  }

  /**
   * For one request; calls that overlap share one exec plugin run. client-node keeps exec tokens until they expire; token
   * and certificate files are read each time. Throws ApiError (kind `credentials`).
   */
  credentials(): Promise<Credentials> {
    this.#inFlight ??= obtainCredentials(this.#context, this.#obtainWithinMs).finally(() => {
      this.#inFlight = undefined;
    });
    return this.#inFlight;
  }

  /** After a 401: everything is read again, exec plugins run again. undefined when nothing new came of it. */
  async renewed(rejected: Credentials): Promise<Credentials | undefined> {
    const current = await this.credentials();
    // Another request has renewed them meanwhile.
    if (current.fingerprint !== rejected.fingerprint) return current;
    this.#inFlight ??= this.#reloadCredentials().finally(() => {
      this.#inFlight = undefined;
    });
    const fresh = await this.#inFlight;
    return fresh.fingerprint === rejected.fingerprint ? undefined : fresh;
  }

  async #reloadCredentials(): Promise<Credentials> {
    this.#context = await this.#reload();
    return obtainCredentials(this.#context, this.#obtainWithinMs);
  }
}

async function obtainCredentials(context: KubeContext, withinMs: number): Promise<Credentials> {
  const { config, cluster, user } = context;
  if (user !== undefined) describeClusterToPlugin(user, cluster);
  try {
    const tls = serverTrust(cluster);
    // Filled in before: client-node passes it on to proxies, but itself sets it only for contexts with a user.
    const options = { headers: {}, ...tls } as RequestOptions;
    await within(withinMs, config.applyToHTTPSOptions(options));
    return toCredentials(options, tls, cluster, user, fileToken(user));
  } catch (error) {
    throw credentialsError(error, context);
  }
}

/** A plugin that hangs must not be waited for by every later request, too. It goes on running: client-node has it. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const tooLong = delay(ms, undefined, { signal: ended.signal, ref: false }).then(() => {
    throw new Error(`no answer within ${ms / 1000} s`);
  });
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    tooLong.catch(() => {});
    ended.abort();
  }
}

/** client-go always sets KUBERNETES_EXEC_INFO, and some plugins refuse to run without; client-node does not. */
function describeClusterToPlugin(user: User, cluster: Cluster): void {
  const exec = user.exec as
    | { apiVersion?: string; provideClusterInfo?: boolean; env?: { name: string; value: string }[] | null }
    | null
    | undefined;
  if (!exec || exec.env?.some((variable) => variable.name === "KUBERNETES_EXEC_INFO")) return;
  const clusterInfo = {
    server: cluster.server,
    "tls-server-name": cluster.tlsServerName,
    "insecure-skip-tls-verify": cluster.skipTLSVerify || undefined,
    "certificate-authority-data": certificateAuthority(cluster)?.toString("base64"),
    "proxy-url": cluster.proxyUrl,
    config: null,
  };
  const info = {
    kind: "ExecCredential",
    apiVersion: exec.apiVersion ?? "client.authentication.k8s.io/v1",
    spec: { interactive: false, ...(exec.provideClusterInfo === true ? { cluster: clusterInfo } : {}) },
  };
  exec.env = [...(exec.env ?? []), { name: "KUBERNETES_EXEC_INFO", value: JSON.stringify(info) }];
}

function serverTrust(cluster: Cluster): Pick<TlsOptions, "ca" | "servername" | "rejectUnauthorized"> {
  return {
    ca: certificateAuthority(cluster) ?? systemAuthorities(),
    servername: cluster.tlsServerName,
    rejectUnauthorized: !cluster.skipTLSVerify,
  };
}

function toCredentials(
  options: RequestOptions,
  trust: ReturnType<typeof serverTrust>,
  cluster: Cluster,
  user: User | undefined,
  token: string | undefined,
): Credentials {
  const tls: TlsOptions = {
    ...trust,
    cert: options.cert as string | Buffer | undefined,
    key: options.key as string | Buffer | undefined,
  };
  const headers: Record<string, string> = {};
  // Token files often end with a newline, which no header may contain.
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value).trim();
  if (token !== undefined) headers.Authorization = `Bearer ${token}`;
  if (user?.username)
    headers.Authorization = `Basic ${Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64")}`;
  const secret = headers.Authorization?.replace(/^\S+\s+/, "");
  const secrets = [secret, user?.password, tls.key?.toString()].filter(
    (secret) => secret !== undefined && secret !== "",
  );
  const tlsFingerprint = fingerprint(tls.ca, tls.cert, tls.key, tls.servername, String(tls.rejectUnauthorized));
  return {
    tls,
    headers,
    secrets: secrets as string[],
    proxyAgent: cluster.proxyUrl ? (options.agent as Agent) : undefined,
    tlsFingerprint,
    fingerprint: fingerprint(tlsFingerprint, JSON.stringify(headers)),
  };
}

/**
 * A pod's service account token, which the kubelet replaces about hourly. client-node keeps one for a minute by the
 * machine's time, and the same one for all files; this is read for each request, and requests are rare.
 */
function fileToken(user: User | undefined): string | undefined {
  const { tokenFile } = (user?.authProvider as { config?: { tokenFile?: unknown } } | null | undefined)?.config ?? {};
  if (typeof tokenFile !== "string") return undefined;
  const token = readFileSync(tokenFile, "utf8").trim();
  if (token === "") throw new Error(`the token file ${tokenFile} is empty`);
  return token;
}

function certificateAuthority(cluster: Cluster): Buffer | undefined {
  if (cluster.caFile) return readFileSync(cluster.caFile);
  return cluster.caData ? Buffer.from(cluster.caData, "base64") : undefined;
}

/** As kubectl: a cluster without an authority of its own is checked with those of the operating system (and of Node.js). */
function systemAuthorities(): readonly string[] {
  return [...new Set([...getCACertificates("system"), ...getCACertificates("default")])];
}

function fingerprint(...parts: readonly (string | Buffer | undefined | readonly (string | Buffer)[])[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    for (const piece of Array.isArray(part) ? part : [part]) hash.update(piece ?? "").update("\0");
    hash.update("\u0001");
  }
  return hash.digest("base64");
}

/** No `cause`: what plugins print and what parsers quote may hold the token itself. */
function credentialsError(error: unknown, context: KubeContext): ApiError {
  const user = `user ${JSON.stringify(context.user?.name ?? "")} (context ${JSON.stringify(context.name)})`;
  const command = (context.user?.exec as { command?: unknown } | null | undefined)?.command;
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (typeof command === "string") {
    const plugin = `the credential plugin ${command} of ${user}`;
    const hint = "run kubectl with the same context: it runs the same plugin";
    return new ApiError({
      kind: "credentials",
      reason: code,
      message: `${plugin} ${describePluginFailure(error, code, command)}`,
      hint,
    });
  }
  const message = error instanceof Error ? redact(error.message) : "unknown failure";
  return new ApiError({
    kind: "credentials",
    reason: code,
    message: `the credentials of ${user} cannot be used: ${message}`,
    hint: "kubectl config view shows where they come from; log in again if they are made by a login",
  });
}

function describePluginFailure(error: unknown, code: string | undefined, command: string): string {
  if (code === "ENOENT") return "is not installed or not in PATH";
  // Of a name alone also where a folder of PATH may not be read (execvp(3)).
  if (code === "EACCES" && !command.includes("/")) return "is not installed or not in PATH, or may not be executed";
  if (code === "EACCES") return "is not executable";
  // JSON.parse quotes what it could not read; a plugin's answer without status ends in a TypeError.
  if (error instanceof SyntaxError || error instanceof TypeError) return "did not print an ExecCredential";
  const said = error instanceof Error ? redact(error.message) : "";
  return said === "" ? "failed without saying why" : `failed: ${said}`;
}
