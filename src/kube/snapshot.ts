// The cluster at one moment, for the command line: what `-f` gives from manifests, read from the API server.
// Owns which lists are needed and which one may be missing.

import { type ObjectSource, textlessSource } from "../dialects/object-source.ts";
import type { Namespace, Node, Pod } from "../model/cluster.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { ANY, DIRECTIONS, type Policy, policyDisplayName, type Rule } from "../model/policy.ts";
import { type ApiClientOptions, connectApiClient, type ListPage, type StreamingApiClient } from "./api-client.ts";
import { ApiError, isForbidden } from "./api-error.ts";
import { isServed, lookAtGroup, unreadKinds } from "./api-group.ts";
import { listInPages } from "./list-pages.ts";
import { patiently } from "./patience.ts";
import {
  CLUSTER_NETWORK_POLICIES,
  type DecodedResource,
  NAMESPACES,
  NETWORK_POLICIES,
  NODES,
  PODS,
  TIER_POLICIES,
} from "./resources.ts";

export interface ClusterSnapshot {
  readonly namespaces: readonly Namespace[];
  /** In the server's order: by namespace and name. */
  readonly pods: readonly Pod[];
  /** Empty, with a warning, where we may not list them; an error where policies ask for them. */
  readonly nodes: readonly Node[];
  /** Of all kinds that the cluster has. Those with errors too, closed as far as they can be read. */
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
 * Lists Namespaces, Pods, Nodes, NetworkPolicies and the cluster-wide policies that are installed at the same time; each list is
 * consistent in itself, they may differ by moments from each other. Memory: about 1 KB a pod and one raw page (500 items) for each list.
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
  client: StreamingApiClient,
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
    readTierPolicies(lists),
  ] as const;
  // The first failure stops the others and is the one that is told; nothing is left running.
  for (const task of tasks) task.catch((error) => failed.abort(error));
  await Promise.allSettled(tasks);
  signal.throwIfAborted();
  const [namespaces, pods, nodes, ...policyLists] = await Promise.all(tasks);
  const policies = policyLists.flatMap((list) => list.objects);
  return {
    namespaces: namespaces.objects,
    pods: pods.objects,
    nodes: nodes?.objects ?? [],
    policies,
    diagnostics: [
      ...[namespaces, pods].flatMap((list) => list.diagnostics),
      ...(nodes?.diagnostics ?? [nodesForbidden(policies, lists.source)]),
      ...policyLists.flatMap((list) => list.diagnostics),
    ],
    source,
  };
}

interface ListContext {
  readonly client: StreamingApiClient;
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

/** Users who may read a few namespaces' objects cluster-wide often may not read nodes; undefined for them. */
async function readNodes(context: ListContext): Promise<ReadList<Node> | undefined> {
  try {
    return await readList(NODES, context);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return undefined;
  }
}

/** Few policies need the nodes; those that select them mean something else without. */
function nodesForbidden(policies: readonly Policy[], source: ObjectSource): Diagnostic {
  const selecting = policies.find(selectsNodes);
  const whose = selecting === undefined ? "" : `, and ${selecting.kind} ${policyDisplayName(selecting)} selects nodes`;
  return {
    code: "nodes-forbidden",
    severity: selecting === undefined ? "warning" : "error",
    position: source.positionOf([]),
    message: `nodes may not be listed: what depends on the addresses of nodes is not known${whose}`,
    hint: "allow list on nodes for the whole cluster",
  };
}

function selectsNodes({ rules }: Policy): boolean {
  const all = DIRECTIONS.flatMap((direction): readonly Rule[] => rules[direction]);
  return all.some(({ peers }) => peers !== ANY && peers.some(({ kind }) => kind === "nodes"));
}

/**
 * Those kinds that the cluster has. Without them verdicts would be wrong, so whether it has them must be known, and they must be
 * readable.
 */
async function readTierPolicies(context: ListContext): Promise<ReadList<Policy>> {
  const { client, signal, source } = context;
  const { group } = CLUSTER_NETWORK_POLICIES;
  const contents = await patiently(() => lookAtGroup(client, group, { signal }), signal);
  const failure = TIER_POLICIES.map(({ version }) => contents.get(version)).find((names) => names instanceof ApiError);
  if (failure instanceof ApiError) throw failure;
  const served = TIER_POLICIES.filter((resource) => isServed(contents, resource));
  const lists = await Promise.all(served.map((resource) => readList(resource, context)));
  const unread = unreadKinds(group, contents, TIER_POLICIES).map(
    (name): Diagnostic => ({
      code: "policy-not-enforced",
      severity: "warning",
      position: source.positionOf([]),
      message: `${name} are installed, but not in a version that is read: they are ignored`,
      hint: `read are ${TIER_POLICIES.map((each) => `${each.version} ${each.kind}`).join(", ")}`,
    }),
  );
  return {
    objects: lists.flatMap((list) => list.objects),
    diagnostics: [...unread, ...lists.flatMap((list) => list.diagnostics)],
  };
}
