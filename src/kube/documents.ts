// Small JSON documents of the API server, whole. Owns the reading; lists and watches have their own ways.

import { retryAfterMs } from "./status-failures.ts";
import type { RequestOptions } from "./transport.ts";
import type { ReflectorClient } from "./watch-stream.ts";

export interface ServerDocument {
  readonly status: number;
  /** undefined: not 200, no JSON, or too long. */
  readonly value: unknown;
  /** What the server asked for with Retry-After. */
  readonly retryAfterMs: number | undefined;
}

export interface DocumentOptions extends Pick<RequestOptions, "query" | "timeouts"> {
  readonly signal: AbortSignal;
}

const LONGEST_DOCUMENT_BYTES = 4 << 20;

/** Any status is an answer. Rejects with ApiError or the signal's reason. */
export async function readDocument(
  client: ReflectorClient,
  path: string,
  options: DocumentOptions,
): Promise<ServerDocument> {
  const answer = await client.stream(path, options);
  const { status } = answer;
  const askedForMs = retryAfterMs(answer.headers["retry-after"]);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of answer.body) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (sizeBytes > LONGEST_DOCUMENT_BYTES) return { status, value: undefined, retryAfterMs: askedForMs };
    }
  } finally {
    answer.cut();
  }
  return { status, value: status === 200 ? parse(Buffer.concat(chunks)) : undefined, retryAfterMs: askedForMs };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
