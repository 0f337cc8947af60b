// Which cluster: finds kubeconfig files as kubectl does (--kubeconfig, KUBECONFIG, ~/.kube/config, service account),
// merges them and picks the context. Owns no credentials' meaning: that is credentials.ts.

import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import type { Cluster, KubeConfig, User } from "@kubernetes/client-node";
import { closestWord } from "../dialects/closest-word.ts";
import { ApiError } from "./api-error.ts";
import { redact } from "./secrets.ts";

export interface KubeconfigOptions {
  /** The context instead of the current one. */
  readonly context?: string | undefined;
  /** This file only, instead of KUBECONFIG and ~/.kube/config. */
  readonly kubeconfig?: string | undefined;
  /** Where the pod's service account is looked for; tests put their own files there. */
  readonly serviceAccountRoot?: string | undefined;
}

export interface KubeContext {
  /** The context's name; `in-cluster` for a pod's service account. */
  readonly name: string;
  readonly config: KubeConfig;
  readonly cluster: Cluster;
  /** undefined: anonymous. */
  readonly user: User | undefined;
}

export const IN_CLUSTER = "in-cluster";
const SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/**
 * Reads the files anew at each call: rotated certificates and tokens are seen.
 * Throws ApiError (kind `kubeconfig`) when there is none, it cannot be read, or the context is incomplete.
 * The first call loads client-node (about 100 ms).
 */
export async function loadKubeContext(options: KubeconfigOptions = {}): Promise<KubeContext> {
  const client = await import("./client-node.ts");
  const { files, absent } = kubeconfigFiles(options);
  if (files.length > 0) {
    const parts = files.map((file) => readKubeconfig(new client.KubeConfig(), file));
    return pickContext(mergeKubeconfigs(new client.KubeConfig(), parts), options.context, files);
  }
  if (options.kubeconfig === undefined && isInCluster(options)) return inCluster(new client.KubeConfig(), options);
  throw new ApiError({
    kind: "kubeconfig",
    message: `there is no kubeconfig: ${absent}`,
    hint: "name one with --kubeconfig or KUBECONFIG",
  });
}

/** The files that exist, in kubectl's order of precedence; `absent` says in words where nothing was found. */
function kubeconfigFiles(options: KubeconfigOptions): { files: readonly string[]; absent: string } {
  if (options.kubeconfig !== undefined) {
    if (!existsSync(options.kubeconfig)) return { files: [], absent: `${options.kubeconfig} does not exist` };
    return { files: [options.kubeconfig], absent: "" };
  }
  const listed = (process.env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  if (listed.length > 0) {
    const files = [...new Set(listed)].filter((file) => existsSync(file));
    return { files, absent: `KUBECONFIG names ${listed.join(", ")}, which does not exist` };
  }
  const home = process.env.HOME || process.env.USERPROFILE;
  const usual = home === undefined ? undefined : join(home, ".kube", "config");
  const files = usual !== undefined && existsSync(usual) ? [usual] : [];
  return { files, absent: "KUBECONFIG is not set and ~/.kube/config does not exist" };
}

/** Incomplete entries are left out: they matter only to those who use them. */
function readKubeconfig(config: KubeConfig, file: string): KubeConfig {
  try {
    const text = readFileSync(file, "utf8");
    // An empty file is a kubeconfig without entries; client-node's parser refuses it.
    if (text.split("\n").every((line) => /^\s*(#|$)/.test(line))) return config;
    config.loadFromString(text, { onInvalidEntry: "filter" });
  } catch (error) {
    throw new ApiError({
      kind: "kubeconfig",
      message: `the kubeconfig ${file} cannot be read: ${describeReadFailure(error)}`,
      hint: "kubectl config view --kubeconfig FILE shows what kubectl makes of it",
    });
  }
  config.makePathsAbsolute(dirname(file));
  for (const user of config.users) resolveExecCommand(user, dirname(file));
  return config;
}

/** A YAML error's message quotes the lines around it, keys and tokens included: only its reason and line are told. */
function describeReadFailure(error: unknown): string {
  if (!(error instanceof Error)) return "unknown failure";
  if ("reason" in error && typeof error.reason === "string") {
    const mark = "mark" in error ? (error.mark as { line?: unknown } | undefined) : undefined;
    return typeof mark?.line === "number" ? `line ${mark.line + 1}: ${error.reason}` : error.reason;
  }
  if (error instanceof TypeError) return "it is not a kubeconfig";
  return redact(error.message);
}

/** As client-go: a command with a slash is relative to the file that names it. */
function resolveExecCommand(user: User, folder: string): void {
  const exec = user.exec as { command?: unknown } | null | undefined;
  const command = exec?.command;
  if (exec && typeof command === "string" && command.includes("/") && !isAbsolute(command)) {
    exec.command = join(folder, command);
  }
}

/** kubectl's rule: the first file that defines a name, or the current context, wins. (client-node: the last context, no doubles.) */
function mergeKubeconfigs(merged: KubeConfig, parts: readonly KubeConfig[]): KubeConfig {
  merged.loadFromOptions({
    clusters: firstOfEachName(parts.flatMap((part) => part.clusters)).map(allowPlainHttp),
    users: firstOfEachName(parts.flatMap((part) => part.users)),
    contexts: firstOfEachName(parts.flatMap((part) => part.contexts)),
    currentContext: parts.map((part) => part.currentContext).find((name) => name) ?? "",
  });
  return merged;
}

/** client-node refuses plain http unless told not to verify certificates; kubectl takes it (`kubectl proxy`). */
function allowPlainHttp(cluster: Cluster): Cluster {
  return cluster.server.startsWith("http:") ? { ...cluster, skipTLSVerify: true } : cluster;
}

function firstOfEachName<T extends { readonly name: string }>(entries: readonly T[]): T[] {
  const byName = new Map<string, T>();
  for (const entry of entries) if (!byName.has(entry.name)) byName.set(entry.name, entry);
  return [...byName.values()];
}

function pickContext(config: KubeConfig, wanted: string | undefined, files: readonly string[]): KubeContext {
  const name = wanted ?? config.currentContext;
  const names = config.contexts.map((context) => context.name);
  const known = `contexts: ${names.join(", ")}`;
  const inFiles = `in ${files.join(", ")}`;
  if (names.length === 0) {
    throw contextError(`there are no contexts ${inFiles}`, "name another kubeconfig with --kubeconfig or KUBECONFIG");
  }
  if (name === "") throw contextError(`no current context is set ${inFiles}`, `choose one with --context; ${known}`);
  const context = config.contexts.find((candidate) => candidate.name === name);
  if (context === undefined) {
    const meant = closestWord(name, names);
    const hint = meant === undefined ? known : `did you mean ${meant}? ${known}`;
    throw contextError(`there is no context ${JSON.stringify(name)} ${inFiles}`, hint);
  }
  const view = "kubectl config view shows the kubeconfig";
  const cluster = config.clusters.find((candidate) => candidate.name === context.cluster);
  if (cluster === undefined) {
    const what = `cluster ${JSON.stringify(context.cluster)}, which is missing or has no server`;
    throw contextError(`context ${JSON.stringify(name)} uses ${what}, ${inFiles}`, view);
  }
  const user = config.users.find((candidate) => candidate.name === context.user);
  if (context.user !== undefined && user === undefined) {
    const what = `user ${JSON.stringify(context.user)}, which is missing or whose token file cannot be read`;
    throw contextError(`context ${JSON.stringify(name)} uses ${what}, ${inFiles}`, view);
  }
  config.setCurrentContext(name);
  return { name, config, cluster, user };
}

function contextError(message: string, hint: string): ApiError {
  return new ApiError({ kind: "kubeconfig", message, hint });
}

function isInCluster(options: KubeconfigOptions): boolean {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  return Boolean(host) && Boolean(port) && existsSync(`${options.serviceAccountRoot ?? ""}${SERVICE_ACCOUNT_TOKEN}`);
}

function inCluster(config: KubeConfig, options: KubeconfigOptions): KubeContext {
  if (options.context !== undefined && options.context !== IN_CLUSTER) {
    throw contextError(
      `there is no context ${JSON.stringify(options.context)}: there is no kubeconfig, only the pod's service account`,
      "leave --context out, or name a kubeconfig with --kubeconfig",
    );
  }
  config.loadFromCluster(options.serviceAccountRoot ?? "");
  return {
    name: IN_CLUSTER,
    config,
    cluster: config.getCurrentCluster() as Cluster,
    user: config.getCurrentUser() ?? undefined,
  };
}
