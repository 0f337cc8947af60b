// Which object a raw API object is, and which version of it. Owns nothing of what the object says.

import { isMapping } from "../dialects/field-reader.ts";

export interface ObjectIdentity {
  /** `namespace/name`, or `name`. */
  readonly key: string;
  /** "" where the server gives none. */
  readonly uid: string;
  readonly resourceVersion: string;
}

/** undefined for what no API server sends: an object without a name or a resourceVersion. */
export function identityOf(item: unknown): ObjectIdentity | undefined {
  const metadata = isMapping(item) ? item.metadata : undefined;
  if (!isMapping(metadata)) return undefined;
  const { namespace, name, uid, resourceVersion } = metadata;
  if (typeof name !== "string" || name === "") return undefined;
  if (typeof resourceVersion !== "string" || resourceVersion === "") return undefined;
  // Joined, not concatenated: that would be kept as a pair of texts beside the text, for each of 100,000 objects.
  const key = typeof namespace === "string" && namespace !== "" ? [namespace, name].join("/") : name;
  return { key, uid: typeof uid === "string" ? uid : "", resourceVersion };
}

/**
 * Whether version `a` is older than `b`, as far as it can be told. resourceVersions of real servers are etcd revisions and
 * compare as numbers; of anything else nothing is assumed (false).
 */
export function isOlderVersion(a: string, b: string): boolean {
  if (!isNumber(a) || !isNumber(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}

function isNumber(version: string): boolean {
  return /^[1-9]\d*$/.test(version);
}
