// The API server as nftpol uses it: pages of lists, parsed, and failures as ApiError.
// Owns what answers mean; connections are transport.ts, credentials credentials.ts.

import { constants } from "node:buffer";
import { isMapping } from "../dialects/field-reader.ts";
import { ClusterAccess } from "./credentials.ts";
import { type KubeconfigOptions, loadKubeContext } from "./kubeconfig.ts";
import type { Resource } from "./resources.ts";
import { answerFailure, statusFailure } from "./status-failures.ts";
import { type Answer, ApiTransport, DEFAULT_TIMEOUTS, type Timeouts } from "./transport.ts";

export interface ListOptions {
  /** Items per page; all in one answer without. */
  readonly limit?: number | undefined;
  /** Of the page before. */
  readonly continue?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ListPage {
  /** Raw objects, without the kind and apiVersion that the list's type already says. */
  readonly items: readonly unknown[];
  /** Asks for the next page; undefined on the last one. */
  readonly continue: string | undefined;
  /** Of the whole list: where a watch would begin. */
  readonly resourceVersion: string;
  /** How many items follow after this page, where the server says so. */
  readonly remainingCount: number | undefined;
}

export interface ApiClient {
  /** For people and for positions: the context's name. */
  readonly contextName: string;
  /** One request. Rejects with ApiError, or with the signal's reason after an abort. A page is held in memory whole. */
  list(resource: Resource, options: ListOptions): Promise<ListPage>;
  /** Ends all connections. */
  close(): void;
}

export interface ApiClientOptions extends KubeconfigOptions {
  readonly timeouts?: Partial<Timeouts>;
  readonly userAgent?: string;
}

/** Reads the kubeconfig; sends nothing yet. Throws ApiError (kind `kubeconfig`). */
export async function connectApiClient(options: ApiClientOptions = {}): Promise<ApiClient> {
  const context = await loadKubeContext(options);
  // The same context again, even when another one has become the current one meanwhile.
  const reload = () => loadKubeContext({ ...options, context: context.name });
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const access = new ClusterAccess(context, reload);
  return new HttpApiClient(context.name, new ApiTransport(access, timeouts, options.userAgent ?? "nftpol"));
}

class HttpApiClient implements ApiClient {
  readonly contextName: string;
  readonly #transport: ApiTransport;

  constructor(contextName: string, transport: ApiTransport) {
    this.contextName = contextName;
    this.#transport = transport;
  }

  async list(resource: Resource, options: ListOptions): Promise<ListPage> {
    const answer = await this.#transport.get(resource.path, {
      query: { limit: options.limit, continue: options.continue },
      signal: options.signal,
    });
    if (answer.status !== 200) throw await statusFailure(answer, resource);
    return toPage(parseAnswer(await readWhole(answer), answer), answer);
  }

  close(): void {
    this.#transport.close();
  }
}

async function readWhole(answer: Answer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of answer.body) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > constants.MAX_STRING_LENGTH) throw answerFailure(answer, "it is larger than 512 MB");
  }
  return Buffer.concat(chunks, sizeBytes);
}

function parseAnswer(bytes: Buffer, answer: Answer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    const start = bytes.subarray(0, 1).toString();
    throw answerFailure(answer, start === "{" ? "the JSON is cut off or broken" : "it is not JSON");
  }
}

function toPage(list: unknown, answer: Answer): ListPage {
  if (!isMapping(list) || typeof list.kind !== "string" || !list.kind.endsWith("List")) {
    throw answerFailure(answer, "it is JSON, but not a list of objects");
  }
  const items = list.items ?? [];
  if (!Array.isArray(items)) throw answerFailure(answer, "the items of the list are no list");
  const metadata = isMapping(list.metadata) ? list.metadata : {};
  const token = metadata.continue;
  const { resourceVersion, remainingItemCount } = metadata;
  return {
    items,
    continue: typeof token === "string" && token !== "" ? token : undefined,
    resourceVersion: typeof resourceVersion === "string" ? resourceVersion : "",
    remainingCount: typeof remainingItemCount === "number" ? remainingItemCount : undefined,
  };
}
