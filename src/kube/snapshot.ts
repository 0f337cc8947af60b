// The cluster at one moment, for the command line: what `-f` gives from manifests, read from the API server.
// Owns which lists are needed and which one may be missing.

import { type ObjectSource, textlessSource } from "../dialects/object-source.ts";
import type { Namespace, Node, Pod } from "../model/cluster.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Policy } from "../model/policy.ts";
import { type ApiClient, type ApiClientOptions, connectApiClient, type ListPage } from "./api-client.ts";
import { isForbidden } from "./api-error.ts";
import { listInPages } from "./list-pages.ts";
import { type DecodedResource, NAMESPACES, NETWORK_POLICIES, NODES, PODS } from "./resources.ts";

export interface ClusterSnapshot {
  readonly namespaces: readonly Namespace[];
  /** In the server's order: by namespace and name. */
  readonly pods: readonly Pod[];
  /** Empty, with a warning, where we may not list them. */
  readonly nodes: readonly Node[];
  /** Those with errors too, closed as far as they can be read. */
  readonly policies: readonly Policy[];
  readonly diagnostics: readonly Diagnostic[];
  /** The context's name, which is also the `file` of every position. */
  readonly source: string;
}

export interface SnapshotProgress {
  /** `pods`, `namespaces`, ... */
  readonly resource: string;
  /** So far; falls back to 0 when the list has to begin anew. */
  readonly readCount: number;
  /** undefined where the server does not say. */
  readonly totalCount: number | undefined;
}

export interface SnapshotOptions extends ApiClientOptions {
  readonly signal?: AbortSignal | undefined;
  /** After each page. */
  readonly onProgress?: ((progress: SnapshotProgress) => void) | undefined;
}

/**
 * Lists Namespaces, Pods, Nodes and NetworkPolicies at the same time; each list is consistent in itself, they may differ by
 * moments from each other. Memory: about 1 KB a pod and one raw page (500 items) for each list.
 * Rejects with ApiError (message and hint are for the user) or with the signal's reason after an abort.
 */
export async function snapshotCluster(options: SnapshotOptions = {}): Promise<ClusterSnapshot> {
  options.signal?.throwIfAborted();
  const client = await connectApiClient(options);
  try {
    return await readCluster(client, options);
  } finally {
    client.close();
  }
}

/** The same over a client that is already there; does not close it. */
export async function readCluster(
  client: ApiClient,
  options: Pick<SnapshotOptions, "signal" | "onProgress"> = {},
): Promise<ClusterSnapshot> {
  const source = client.contextName;
  const failed = new AbortController();
  const signal = options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal]);
  const lists = { client, source: textlessSource(source), signal, onProgress: options.onProgress };
  const tasks = [
    readList(NAMESPACES, lists),
    readList(PODS, lists),
    readNodes(lists),
    readList(NETWORK_POLICIES, lists),
  ] as const;
  // The first failure stops the others and is the one that is told; nothing is left running.
  for (const task of tasks) task.catch((error) => failed.abort(error));
  await Promise.allSettled(tasks);
  signal.throwIfAborted();
  const [namespaces, pods, nodes, policies] = await Promise.all(tasks);
  return {
    namespaces: namespaces.objects,
    pods: pods.objects,
    nodes: nodes.objects,
    policies: policies.objects,
    diagnostics: [namespaces, pods, nodes, policies].flatMap((list) => list.diagnostics),
    source,
  };
}

interface ListContext {
  readonly client: ApiClient;
  readonly source: ObjectSource;
  readonly signal: AbortSignal;
  readonly onProgress: SnapshotOptions["onProgress"];
}

interface ReadList<T> {
  readonly objects: readonly T[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Each page's items are decoded at once; nothing of the raw page is kept. */
async function readList<T>(resource: DecodedResource<T>, context: ListContext): Promise<ReadList<T>> {
  let objects: T[] = [];
  let diagnostics: Diagnostic[] = [];
  let readCount = 0;
  const reader = {
    restart: () => {
      objects = [];
      diagnostics = [];
      readCount = 0;
    },
    page: (page: ListPage) => {
      for (const item of page.items) {
        const decoded = resource.decode(item, context.source);
        if (decoded.object !== undefined) objects.push(decoded.object);
        for (const diagnostic of decoded.diagnostics) diagnostics.push(diagnostic);
      }
      readCount += page.items.length;
      const remainingCount = page.continue === undefined ? 0 : page.remainingCount;
      const totalCount = remainingCount === undefined ? undefined : readCount + remainingCount;
      context.onProgress?.({ resource: resource.name, readCount, totalCount });
    },
  };
  await listInPages(context.client, resource, reader, context.signal);
  return { objects, diagnostics };
}

/** Users who may read a few namespaces' objects cluster-wide often may not read nodes; policies rarely need them. */
async function readNodes(context: ListContext): Promise<ReadList<Node>> {
  try {
    return await readList(NODES, context);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const warning: Diagnostic = {
      code: "nodes-forbidden",
      severity: "warning",
      position: context.source.positionOf([]),
      message: "nodes may not be listed: what depends on the addresses of nodes is not known",
      hint: "allow list on nodes for the whole cluster",
    };
    return { objects: [], diagnostics: [warning] };
  }
}
