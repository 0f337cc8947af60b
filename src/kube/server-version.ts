// Whether a Kubernetes API server answers, and not a proxy before it. Owns the question only.

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
