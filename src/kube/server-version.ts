// What every Kubernetes API server answers, and no proxy before it, and whether its 404 can be believed. Owns the questions only.

import { isMapping } from "../dialects/field-reader.ts";
import { type DocumentOptions, readDocument } from "./documents.ts";
import type { ReflectorClient } from "./watch-stream.ts";

/** Static, cheap for the server, and allowed to everybody who is logged in. */
export const VERSION_PATH = "/version";
const READY_PATH = "/readyz";
/** Served by the same part of the API server as the resources of CRDs; since Kubernetes 1.16. */
export const DEFINITIONS_PATH = "/apis/apiextensions.k8s.io/v1";

/**
 * After a 404 at `path`, where a CRD's resource or group would be: whether it is the cluster's word. The server must have CRDs, must
 * not say that it is not ready (before 1.23 one that has not read its CRDs yet says 404 for them), and must say 404 itself: between
 * the first answer and this question a proxy's trouble may have passed. Three requests. Rejects with ApiError or the signal's reason.
 */
export async function confirmsNotFound(
  client: ReflectorClient,
  path: string,
  options: DocumentOptions,
): Promise<boolean> {
  const { value } = await readDocument(client, DEFINITIONS_PATH, options);
  if (!isMapping(value) || value.kind !== "APIResourceList") return false;
  // Other refusals (a right that is missing) say nothing about readiness.
  if ((await readDocument(client, READY_PATH, options)).status >= 500) return false;
  const { status } = await readDocument(client, path, { ...options, query: { limit: "1" } });
  return status === 404;
}
