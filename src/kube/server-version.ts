// Whether a Kubernetes API server answers, and not a proxy before it. Owns the questions only.

import { isMapping } from "../dialects/field-reader.ts";
import { readDocument } from "./documents.ts";
import type { ReflectorClient } from "./watch-stream.ts";

/** Static, cheap for the server, and allowed to everybody who is logged in. */
export const VERSION_PATH = "/version";

/** One request. Rejects with ApiError or the signal's reason. */
export async function isKubernetes(client: ReflectorClient, signal: AbortSignal): Promise<boolean> {
  const { value } = await readDocument(client, VERSION_PATH, signal);
  return isMapping(value) && typeof value.gitVersion === "string";
}

/**
 * After a 404 at `path`: whether it is the cluster's word. Kubernetes must answer, and must say 404 itself: between the first
 * answer and this question a proxy's trouble may have passed. Two requests. Rejects with ApiError or the signal's reason.
 */
export async function confirmsNotFound(client: ReflectorClient, path: string, signal: AbortSignal): Promise<boolean> {
  if (!(await isKubernetes(client, signal))) return false;
  const { status } = await readDocument(client, path, signal, { limit: "1" });
  return status === 404;
}
