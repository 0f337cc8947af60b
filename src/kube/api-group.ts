// What the API server has of one API group: one look. Owns what the answers mean, and which of them can be believed.

import { isMapping } from "../dialects/field-reader.ts";
import { ApiError } from "./api-error.ts";
import { type DocumentOptions, readDocument } from "./documents.ts";
import type { DiscoverableResource } from "./resources.ts";
import { confirmsNotFound } from "./server-version.ts";
import type { ReflectorClient } from "./watch-stream.ts";

/** By version: the plurals of its resources, or why they are not known now. A version that is not there is not served. */
export type GroupContents = ReadonlyMap<string, ReadonlySet<string> | ApiError>;

export interface GroupLook extends DocumentOptions {
  /** The group was not there a moment ago: another 404 is nothing new, and need not be confirmed. */
  readonly wasAbsent?: boolean;
}

/**
 * One request for the group and one for each of its versions. Empty: the group is not installed, by the word of a Kubernetes API
 * server. Rejects with ApiError when that is not known now, or with the signal's reason.
 */
export async function lookAtGroup(client: ReflectorClient, group: string, look: GroupLook): Promise<GroupContents> {
  const path = `/apis/${group}`;
  const contents = new Map<string, ReadonlySet<string> | ApiError>();
  for (const version of await namesAt(client, path, versionNames, look)) {
    try {
      contents.set(version, await namesAt(client, `${path}/${version}`, resourceNames, { ...look, wasAbsent: false }));
    } catch (error) {
      if (look.signal.aborted || !(error instanceof ApiError)) throw error;
      contents.set(version, error);
    }
  }
  return contents;
}

export function pluralOf({ path }: Pick<DiscoverableResource, "path">): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * kubectl's names of what the group has and none of the resources reads: kinds that we do not know, or only in versions that we do
 * not know. Subresources (`…/status`) are none.
 */
export function unreadKinds(
  group: string,
  contents: GroupContents,
  resources: readonly DiscoverableResource[],
): readonly string[] {
  const isRead = (plural: string) =>
    resources.some((resource) => pluralOf(resource) === plural && isServed(contents, resource));
  const plurals = [...contents.values()].flatMap((names) => (names instanceof ApiError ? [] : [...names]));
  const unread = plurals.filter((plural) => !plural.includes("/") && !isRead(plural));
  return [...new Set(unread)].sort().map((plural) => `${plural}.${group}`);
}

export function isServed(contents: GroupContents, resource: DiscoverableResource): boolean {
  const names = contents.get(resource.version);
  return names !== undefined && !(names instanceof ApiError) && names.has(pluralOf(resource));
}

type Names = ReadonlySet<string>;

async function namesAt(
  client: ReflectorClient,
  path: string,
  read: (value: unknown) => Names | undefined,
  look: GroupLook,
): Promise<Names> {
  const { status, value, retryAfterMs } = await readDocument(client, path, look);
  const names = status === 200 ? read(value) : undefined;
  if (names !== undefined) return names;
  // Some proxy's 404 says nothing about the cluster.
  if (status === 404 && (look.wasAbsent || (await confirmsNotFound(client, path, look)))) return new Set();
  throw new ApiError({
    kind: status === 200 ? "protocol" : "status",
    message: `${path} was answered with ${status}, not with ${read === versionNames ? "an API group" : "a list of resources"}`,
    hint: hintFor(status, path),
    ...(status === 200 ? {} : { status }),
    path,
    retryAfterMs,
  });
}

function hintFor(status: number, path: string): string {
  return status === 401 || status === 403
    ? `allow get on ${path} and what is below, as the ClusterRole system:discovery does for everybody who is logged in`
    : `kubectl get --raw ${path} shows the answer, kubectl get --raw /readyz the server's health`;
}

/** Of an APIGroup. */
function versionNames(value: unknown): Names | undefined {
  if (!isMapping(value) || value.kind !== "APIGroup" || !Array.isArray(value.versions)) return undefined;
  return new Set(value.versions.flatMap((each: unknown) => (isMapping(each) ? [String(each.version)] : [])));
}

/** Of an APIResourceList. */
function resourceNames(value: unknown): Names | undefined {
  if (!isMapping(value) || value.kind !== "APIResourceList" || !Array.isArray(value.resources)) return undefined;
  return new Set(value.resources.flatMap((each: unknown) => (isMapping(each) ? [String(each.name)] : [])));
}
