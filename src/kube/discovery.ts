// What the API server serves, and whether it is one. Owns the questions; what is done with an answer is up to the caller.

import { isMapping } from "../dialects/field-reader.ts";
import type { ReflectorClient } from "./watch-stream.ts";

const LONGEST_DOCUMENT_BYTES = 4 << 20;

/** Whether a Kubernetes API server answers there at all, and not a proxy's error page. Rejects with ApiError or the signal's reason. */
export async function isKubernetes(client: ReflectorClient, signal: AbortSignal): Promise<boolean> {
  const { value } = await readDocument(client, "/version", signal);
  return isMapping(value) && typeof value.gitVersion === "string";
}

interface Document {
  readonly status: number;
  /** undefined: no JSON, or a failure. */
  readonly value: unknown;
}

export async function readDocument(client: ReflectorClient, path: string, signal: AbortSignal): Promise<Document> {
  const answer = await client.stream(path, { signal });
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of answer.body) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > LONGEST_DOCUMENT_BYTES) return { status: answer.status, value: undefined };
    }
  } finally {
    answer.cut();
  }
  if (answer.status !== 200) return { status: answer.status, value: undefined };
  try {
    return { status: 200, value: JSON.parse(Buffer.concat(chunks).toString("utf8")) };
  } catch {
    return { status: 200, value: undefined };
  }
}
