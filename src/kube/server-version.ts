// Whether a Kubernetes API server answers, and not a proxy before it, and whether its 404 can be believed. Owns the questions only.

import { isMapping } from "../dialects/field-reader.ts";
import { type DocumentOptions, readDocument } from "./documents.ts";
import type { ReflectorClient } from "./watch-stream.ts";

/** Static, cheap for the server, and allowed to everybody who is logged in. */
export const VERSION_PATH = "/version";
const READY_PATH = "/readyz";

/** One request. Rejects with ApiError or the signal's reason. */
export async function isKubernetes(client: ReflectorClient, options: DocumentOptions): Promise<boolean> {
  const { value } = await readDocument(client, VERSION_PATH, options);
  return isMapping(value) && typeof value.gitVersion === "string";
}

/**
 * After a 404 at `path`: whether it is the cluster's word. Kubernetes must answer, must not say that it is not ready (before 1.23 a
 * server that has not read its CRDs yet says 404 for them), and must say 404 itself: between the first answer and this question a
 * proxy's trouble may have passed. Three requests. Rejects with ApiError or the signal's reason.
 */
export async function confirmsNotFound(
  client: ReflectorClient,
  path: string,
  options: DocumentOptions,
): Promise<boolean> {
  if (!(await isKubernetes(client, options))) return false;
  // Other refusals (a right that is missing, servers before 1.16) say nothing about readiness.
  if ((await readDocument(client, READY_PATH, options)).status >= 500) return false;
  const { status } = await readDocument(client, path, { ...options, query: { limit: "1" } });
  return status === 404;
}
